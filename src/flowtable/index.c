/* The index of a flow table: open addressing in groups of a cache line each. */
#include "table.h"

#include "packet/bytes.h"
#include "common/siphash.h"

#include <string.h>

enum { FIRST_GROUPS = 16, MOST_IN_GROUP = 10, REHASH_AHEAD = 32 };

/* --- Hashing ---------------------------------------------------------------------------------- */

/* The message is the words in little-endian order, without the last byte, whose place the length
 * takes. */
static inline uint64_t sip_hash(const uint64_t seed[2], const uint64_t *words, size_t count)
{
    struct siphash hash = siphash_begin(seed);

    for (size_t i = 0; i + 1 < count; i++)
        siphash_add(&hash, words[i]);
    siphash_add(&hash, words[count - 1] | (uint64_t)(8 * count - 1) << 56);
    return siphash_end(&hash);
}

uint64_t flow_hash_words(const uint64_t seed[2], const uint64_t *words, size_t count)
{
    return sip_hash(seed, words, count);
}

uint64_t flow_hash(const uint64_t seed[2], const struct flow_key *key, bool v6)
{
    size_t count = v6 ? KEY_WORDS_6 : KEY_WORDS_4;
    uint64_t vlan = flow_words_vlan(key->words, v6);

    if (vlan == 0)
        return sip_hash(seed, key->words, count);
    /* its place is partly that of the length */
    uint64_t words[KEY_WORDS_6 + 1] = {0};
    memcpy(words, key->words, count * sizeof(*words));
    words[count] = vlan;
    return sip_hash(seed, words, count + 1);
}

/* --- Groups ----------------------------------------------------------------------------------- */

static inline uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;

    return tag ? tag : 1;
}

/* The high bits number the group; the step to the next is odd, so that it comes to all of them. */
static inline uint64_t first_group(const struct flow_index *index, uint64_t hash)
{
    return hash >> index->shift;
}

static inline uint64_t next_group(const struct flow_index *index, uint64_t group, uint64_t hash)
{
    return (group + 2 * (hash & 0xff) + 1) & (index->group_count - 1);
}

/* The high bit of each byte that equals one of `tag`, exactly. */
static inline uint64_t equal_bytes(uint64_t bytes, uint8_t tag)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    uint64_t x = bytes ^ UINT64_C(0x0101010101010101) * tag;

    return ~(((x & low7) + low7) | x | low7);
}

/* A bit for each slot with a tag: bit 7 of byte n for the first 8, bit 3 of byte n for the rest. */
static inline uint64_t slots_with(const struct flow_group *group, uint8_t tag)
{
    uint64_t last = equal_bytes(load_le32(group->tags + 8), tag) & 0xffffffff;

    return equal_bytes(load_le64(group->tags), tag) | last >> 4;
}

/* The first of such slots. */
static inline unsigned first_slot(uint64_t slots)
{
    unsigned bit = (unsigned)__builtin_ctzll(slots);

    return bit % 8 == 7 ? bit / 8 : 8 + bit / 8;
}

void flow_index_prefetch(const struct flow_index *index, uint64_t hash)
{
    if (index->groups)
        __builtin_prefetch(&index->groups[first_group(index, hash)]);
}

flow_ref flow_index_guess(const struct flow_index *index, uint64_t hash)
{
    if (!index->groups)
        return 0;
    const struct flow_group *group = &index->groups[first_group(index, hash)];
    uint64_t slots = slots_with(group, tag_of(hash));
    return slots ? group->refs[first_slot(slots)] : 0;
}

bool flow_key_equals(const struct flow *flow, const struct flow_key *key, bool v6)
{
    if (flow->key[0] != key->words[0] || flow->key[1] != key->words[1])
        return false;
    return !v6 || memcmp(((const struct flow6 *)flow)->rest, key->words + KEY_WORDS_4,
                         (KEY_WORDS_6 - KEY_WORDS_4) * sizeof(uint64_t)) == 0;
}

flow_ref flow_index_find(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                         bool v6)
{
    const struct flow_index *index = &table->index;
    if (!index->groups)
        return 0;
    uint64_t at = first_group(index, hash);
    for (uint64_t n = 0; n < index->group_count; n++) {
        const struct flow_group *group = &index->groups[at];
        for (uint64_t slots = slots_with(group, tag_of(hash)); slots; slots &= slots - 1) {
            flow_ref ref = group->refs[first_slot(slots)];
            if (flow_ref_is_6(ref) == v6 && flow_key_equals(flow_at(table, ref), key, v6))
                return ref;
        }
        if (group->passed == 0)
            break;
        at = next_group(index, at, hash);
    }
    return 0;
}

void flow_index_add(struct flow_index *index, uint64_t hash, flow_ref ref)
{
    uint64_t at = first_group(index, hash);
    for (;;) {
        struct flow_group *group = &index->groups[at];
        uint64_t slots = slots_with(group, 0);
        if (slots) {
            unsigned slot = first_slot(slots);
            group->tags[slot] = tag_of(hash);
            group->refs[slot] = ref;
            index->count++;
            return;
        }
        group->passed++;
        at = next_group(index, at, hash);
    }
}

void flow_index_remove(struct flow_index *index, uint64_t hash, flow_ref ref)
{
    uint64_t at = first_group(index, hash);
    for (;;) {
        struct flow_group *group = &index->groups[at];
        for (unsigned slot = 0; slot < GROUP_SLOTS; slot++)
            if (group->tags[slot] && group->refs[slot] == ref) {
                group->tags[slot] = 0;
                index->count--;
                return;
            }
        group->passed--;
        at = next_group(index, at, hash);
    }
}

/* --- Growth ----------------------------------------------------------------------------------- */

/* Index the flows of a pool that are live.  What their keys hash to is far apart in memory, so that
 * several are asked for before the first is written. */
static void add_pool(const struct flow_table *table, struct flow_index *index, unsigned v6)
{
    const struct flow_pool *pool = &table->pools[v6];
    uint64_t hashes[REHASH_AHEAD];
    flow_ref refs[REHASH_AHEAD];
    size_t waiting = 0;

    for (uint32_t number = 1; number <= pool->used; number++) {
        flow_ref ref = number | (v6 ? FLOW_REF_6 : 0);
        const struct flow *flow = flow_at(table, ref);
        if (flow->marks & MARK_LIVE) {
            struct flow_key key = flow_key_of(flow, v6);
            hashes[waiting] = flow_hash(index->seed, &key, v6);
            flow_index_prefetch(index, hashes[waiting]);
            refs[waiting++] = ref;
        }
        if (waiting == REHASH_AHEAD || number == pool->used) {
            for (size_t i = 0; i < waiting; i++)
                flow_index_add(index, hashes[i], refs[i]);
            waiting = 0;
        }
    }
}

bool flow_index_reserve(struct flow_table *table, uint64_t more)
{
    struct flow_index *index = &table->index;
    if (index->groups && index->count + more <= index->group_count * MOST_IN_GROUP)
        return true;
    struct flow_index larger = {.seed = {index->seed[0], index->seed[1]}};
    larger.group_count = index->groups ? index->group_count * 2 : FIRST_GROUPS;
    while (index->count + more > larger.group_count * MOST_IN_GROUP)
        larger.group_count *= 2;
    larger.shift = 64;
    for (uint64_t n = larger.group_count; n > 1; n /= 2)
        larger.shift--;
    larger.groups = flow_memory_new(larger.group_count * sizeof(*larger.groups));
    if (!larger.groups)
        return false;
    for (unsigned v6 = 0; v6 < 2 && index->groups; v6++)
        add_pool(table, &larger, v6);
    flow_memory_free(index->groups, index->group_count * sizeof(*index->groups));
    *index = larger;
    return true;
}
