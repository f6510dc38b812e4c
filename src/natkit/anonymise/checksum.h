/* One's complement checksums (RFC 1071), and what a change of the bytes that they cover does to
 * them (RFC 1624).  A change is what it adds to the one's complement sum of a stretch, not folded:
 * the changes of several parts are added up.  No Python here. */
#ifndef NATKIT_ANONYMISE_CHECKSUM_H
#define NATKIT_ANONYMISE_CHECKSUM_H

#include "stretch.h"

/* The one's complement sum of bytes; 0xffff where a right checksum is among them. */
uint16_t checksum_sum(const uint8_t *data, uint32_t len);
/* The change that other bytes at a place make. */
uint64_t checksum_difference(const uint8_t *old, const uint8_t *new, uint32_t at, uint32_t size);
/* A part's change as the change of the whole, in which the part begins at a place. */
uint64_t checksum_shifted(uint64_t change, uint32_t at);
/* Adjust the checksum at a place by a change of what it covers, so that it is right or wrong as
 * before; the change that this makes itself.  For UDP, 0 means that there is none (RFC 768). */
uint64_t checksum_adjust(const struct stretch *in, uint32_t at, uint64_t change);
uint64_t checksum_adjust_udp(const struct stretch *in, uint32_t at, uint64_t change);

#endif
