/* The random words that keys are hashed with, and SipHash of words. */
#include "hash.h"

#include "common/siphash.h"

#include <string.h>

/* The message is the words in little-endian order, without the last byte. */
uint64_t hash_words(const uint64_t seed[2], const uint64_t *words, size_t count)
{
    struct siphash hash = siphash_begin(seed);
    for (size_t i = 0; i + 1 < count; i++)
        siphash_add(&hash, words[i]);
    siphash_add(&hash, words[count - 1] | (uint64_t)(8 * count - 1) << 56);
    return siphash_end(&hash);
}

void flow_hash_init(struct flow_hash *hash, const uint64_t seed[2])
{
    uint64_t random[sizeof(*hash) / sizeof(uint64_t)] = {0};
    for (uint64_t i = 0; i < sizeof(random) / sizeof(*random); i++)
        random[i] = hash_words(seed, &i, 1);
    memcpy(hash, random, sizeof(*hash));
    hash->spread[0] |= 1;
    hash->spread[1] |= 1;
}
