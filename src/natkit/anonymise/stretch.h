/* A stretch of a packet's bytes.  No Python here. */
#ifndef NATKIT_ANONYMISE_STRETCH_H
#define NATKIT_ANONYMISE_STRETCH_H

#include <stdbool.h>
#include <stdint.h>

/* Where a checksum covers it, its words begin with the stretch: an even offset in it is the upper
 * byte of a word. */
struct stretch {
    uint8_t *data;
    uint32_t len;
};

static inline bool stretch_has(const struct stretch *in, uint32_t at, uint32_t need)
{
    return at <= in->len && in->len - at >= need;
}

static inline uint32_t least_of(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

#endif
