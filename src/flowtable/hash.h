/* Hashes of keys, with random words that a sender of packets does not know.
 *
 * A flow's key is hashed in two steps: common/multilinear.h, then a bijection, which spreads sums
 * that are near each other, such as those of ports that follow each other, over groups and tags.
 *
 * What the first promises holds for keys that are chosen without knowing the words.  Each table has
 * its own, which are kept nowhere else; and nothing that it tells depends on them. */
#ifndef PLT_FLOWTABLE_HASH_H
#define PLT_FLOWTABLE_HASH_H

#include "flow.h"

#include "common/multilinear.h"

#include <stddef.h>

/* The random words of a table. */
struct flow_hash {
    uint64_t begin[2];  /* of IPv4 and of IPv6 */
    uint64_t tunnel;    /* of keys with a tunnel */
    uint64_t spread[2]; /* odd */
    uint64_t halves[KEY_WORDS_6 + 1][2];
};

/* Make them of a seed. */
void flow_hash_init(struct flow_hash *hash, const uint64_t seed[2]);
/* SipHash of words whose last has its upper 8 bits 0: the message's length takes their place. */
uint64_t hash_words(const uint64_t seed[2], const uint64_t *words, size_t count);

static inline uint64_t hash_spread(const struct flow_hash *hash, uint64_t sum)
{
    for (int i = 0; i < 2; i++)
        sum = (sum ^ sum >> 32) * hash->spread[i];
    return sum ^ sum >> 32;
}

/* Of a flow's key. */
static inline uint64_t hash_key(const struct flow_hash *hash, const struct flow_key *key, bool v6)
{
    uint64_t sum = hash->begin[v6];
    for (unsigned i = 0; i < KEY_WORDS_4; i++)
        sum += multilinear(hash->halves[i], key->words[i]);
    if (v6)
        for (unsigned i = KEY_WORDS_4; i < KEY_WORDS_6; i++)
            sum += multilinear(hash->halves[i], key->words[i]);
    if (key->tunnel != 0)
        sum += hash->tunnel + multilinear(hash->halves[KEY_WORDS_6], key->tunnel);
    return hash_spread(hash, sum);
}

#endif
