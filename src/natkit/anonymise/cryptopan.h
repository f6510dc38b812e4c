/* Crypto-PAn: the keyed mapping of addresses.  No Python here. */
#ifndef NATKIT_ANONYMISE_CRYPTOPAN_H
#define NATKIT_ANONYMISE_CRYPTOPAN_H

#include <stdbool.h>
#include <stdint.h>

#define CRYPTOPAN_KEY_SIZE 32

/* A mapping, and a cache of what it gave; for one thread at a time. */
struct cryptopan;

/* Of a key of CRYPTOPAN_KEY_SIZE bytes; NULL when out of memory or where OpenSSL has no AES. */
struct cryptopan *cryptopan_new(const uint8_t *key);
struct cryptopan *cryptopan_copy(const struct cryptopan *from);
void cryptopan_free(struct cryptopan *self);
/* Map an address of 4 or 16 bytes in place, and back. */
void cryptopan_anonymise(struct cryptopan *self, int version, uint8_t *addr);
void cryptopan_deanonymise(struct cryptopan *self, int version, uint8_t *addr);
/* Whether OpenSSL ever failed: what was mapped is then not to be used. */
bool cryptopan_failed(const struct cryptopan *self);

#endif
