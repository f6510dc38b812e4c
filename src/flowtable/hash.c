/* SipHash of the words of keys. */
#include "hash.h"

#include "common/siphash.h"

#include <string.h>

/* The message is the words in little-endian order, without the last byte. */
static inline uint64_t sip_hash(const uint64_t seed[2], const uint64_t *words, size_t count)
{
    struct siphash hash = siphash_begin(seed);
    for (size_t i = 0; i + 1 < count; i++)
        siphash_add(&hash, words[i]);
    siphash_add(&hash, words[count - 1] | (uint64_t)(8 * count - 1) << 56);
    return siphash_end(&hash);
}

uint64_t hash_words(const uint64_t seed[2], const uint64_t *words, size_t count)
{
    return sip_hash(seed, words, count);
}

uint64_t hash_key(const uint64_t seed[2], const struct flow_key *key, bool v6)
{
    uint64_t vlan = flow_words_vlan(key->words, v6);
    if (vlan == 0 && key->tunnel == 0)
        return v6 ? sip_hash(seed, key->words, KEY_WORDS_6)
                  : sip_hash(seed, key->words, KEY_WORDS_4);
    /* the upper bits of the VLAN are where the length goes: it takes a word of its own */
    size_t count = flow_key_size(v6);
    uint64_t words[KEY_WORDS_6 + 2] = {0};
    memcpy(words, key->words, count * sizeof(*words));
    words[count++] = vlan;
    if (key->tunnel != 0)
        words[count++] = key->tunnel;
    return sip_hash(seed, words, count);
}
