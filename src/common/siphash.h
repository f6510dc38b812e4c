/* SipHash-1-3: a keyed hash, so that whoever sends packets can't choose what collides.
 * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012, with one round for each
 * word and three at the end. */
#ifndef PLT_COMMON_SIPHASH_H
#define PLT_COMMON_SIPHASH_H

#include <stdint.h>

struct siphash {
    uint64_t v[4];
};

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void siphash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = siphash_rotate(v[1], 13) ^ v[0];
    v[3] = siphash_rotate(v[3], 16) ^ v[2];
    v[0] = siphash_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = siphash_rotate(v[1], 17) ^ v[2];
    v[3] = siphash_rotate(v[3], 21) ^ v[0];
    v[2] = siphash_rotate(v[2], 32);
}

static inline struct siphash siphash_begin(const uint64_t seed[2])
{
    return (struct siphash){{seed[0] ^ 0x736f6d6570736575U, seed[1] ^ 0x646f72616e646f6dU,
                             seed[0] ^ 0x6c7967656e657261U, seed[1] ^ 0x7465646279746573U}};
}

/* The message's next 8 bytes.  The highest byte of the last word is the message's length. */
static inline void siphash_add(struct siphash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    siphash_round(hash->v);
    hash->v[0] ^= word;
}

static inline uint64_t siphash_end(struct siphash *hash)
{
    hash->v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        siphash_round(hash->v);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

#endif
