/* SHA-1 (FIPS 180-4) of short messages, for identifiers that are defined by it; nothing here relies
 * on collisions being hard to find.  No Python here. */
#ifndef PLT_PACKET_SHA1_H
#define PLT_PACKET_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* The longest message that fits one block of the hash, and the size of a digest. */
enum { SHA1_SHORT = 55, SHA1_SIZE = 20 };

/* The digest of a message of up to SHA1_SHORT bytes. */
void sha1_short(const uint8_t *message, size_t len, uint8_t digest[SHA1_SIZE]);

#endif
