/* The index of a flow table: groups of places with tags, which are compared all at once. */
#include "index.h"

#include "hash.h"
#include "memory.h"

#include "packet/bytes.h"

#include <string.h>

enum { FIRST_GROUPS = 16, MOST_IN_GROUP = 10, REHASH_AHEAD = 32 };

void flow_index_clear(struct flow_index *index)
{
    memory_free(index->groups, flow_index_size(index));
    index->groups = NULL;
    index->group_count = index->count = 0;
}

size_t flow_index_size(const struct flow_index *index)
{
    return index->group_count * sizeof(*index->groups);
}

void flow_index_empty(struct flow_index *index)
{
    if (index->groups)
        memset(index->groups, 0, flow_index_size(index));
    index->count = 0;
}

/* --- Groups ---------------------------------------------------------------------------------- */

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

flow_ref flow_index_find(const struct flow_index *index, const struct flow_pool *pool,
                         const struct flow_key *key, uint64_t hash, bool v6)
{
    if (!index->groups)
        return 0;
    uint64_t at = first_group(index, hash);
    for (uint64_t n = 0; n < index->group_count; n++) {
        const struct flow_group *group = &index->groups[at];
        for (uint64_t slots = slots_with(group, tag_of(hash)); slots; slots &= slots - 1) {
            flow_ref ref = group->refs[first_slot(slots)];
            if (flow_ref_is_6(ref) == v6 && flow_has_key(flow_at(pool, ref), key, v6))
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

/* --- Growth ---------------------------------------------------------------------------------- */

/* Index the flows that are live.  What their keys hash to is far apart in memory, so that several
 * are asked for before the first is written. */
static void add_live(struct flow_index *index, const struct flow_pool *pool)
{
    uint64_t hashes[REHASH_AHEAD];
    flow_ref refs[REHASH_AHEAD];
    size_t waiting = 0;
    for (flow_ref ref = flow_pool_next(pool, 0), next = 0; ref; ref = next) {
        const struct flow *flow = flow_at(pool, ref);
        next = flow_pool_next(pool, ref);
        if (flow->marks & MARK_LIVE) {
            struct flow_key key = flow_key_of(flow, flow_ref_is_6(ref));
            hashes[waiting] = hash_key(index->seed, &key, flow_ref_is_6(ref));
            flow_index_prefetch(index, hashes[waiting]);
            refs[waiting++] = ref;
        }
        if (waiting == REHASH_AHEAD || !next) {
            for (size_t i = 0; i < waiting; i++)
                flow_index_add(index, hashes[i], refs[i]);
            waiting = 0;
        }
    }
}

bool flow_index_reserve(struct flow_index *index, const struct flow_pool *pool, uint64_t more)
{
    if (index->groups && index->count + more <= index->group_count * MOST_IN_GROUP)
        return true;
    struct flow_index larger = {.seed = {index->seed[0], index->seed[1]}};
    larger.group_count = index->groups ? index->group_count * 2 : FIRST_GROUPS;
    while (index->count + more > larger.group_count * MOST_IN_GROUP)
        larger.group_count *= 2;
    larger.shift = 64;
    for (uint64_t n = larger.group_count; n > 1; n /= 2)
        larger.shift--;
    larger.groups = memory_new(flow_index_size(&larger));
    if (!larger.groups)
        return false;
    if (index->groups)
        add_live(&larger, pool);
    flow_index_clear(index);
    *index = larger;
    return true;
}
