/* A hash of words, with random words that a sender of packets does not know: MULTILINEAR-HM (D.
 * Lemire, O. Kaser, "Strongly universal string hashing is fast", 2014).
 *
 * It is a sum over the 32-bit halves of the words, each with random words of its own, and a first
 * random word.  Whichever two inputs are sent, the upper 33 bits of their sums are independent of
 * each other, and the sums the same with a probability of 2^-33 at most. */
#ifndef PLT_COMMON_MULTILINEAR_H
#define PLT_COMMON_MULTILINEAR_H

#include <stdint.h>

/* What a word adds. */
static inline uint64_t multilinear(const uint64_t random[2], uint64_t word)
{
    return (random[0] + (uint32_t)word) * (random[1] + (word >> 32));
}

#endif
