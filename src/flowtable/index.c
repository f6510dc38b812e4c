/* The index of a flow table: groups of places with tags, which are compared all at once. */
#include "index.h"

#include "memory.h"

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
    return (size_t)index->group_count * sizeof(*index->groups);
}

void flow_index_empty(struct flow_index *index)
{
    if (index->groups)
        memset(index->groups, 0, flow_index_size(index));
    index->count = 0;
}

/* --- Groups ---------------------------------------------------------------------------------- */

/* The step to the next group is odd, so that it comes to all of them. */
static inline uint64_t next_group(const struct flow_index *index, uint64_t group, uint64_t hash)
{
    return (group + 2 * (hash & 0xff) + 1) & (index->group_count - 1);
}

flow_ref flow_index_find(const struct flow_index *index, const struct flow_pool *pool,
                         const struct flow_key *key, uint64_t hash, bool v6)
{
    if (!index->groups)
        return 0;
    uint64_t at = flow_index_group(index, hash);
    for (uint64_t n = 0; n < index->group_count; n++) {
        const struct flow_group *group = &index->groups[at];
        for (uint64_t slots = flow_group_slots(group, flow_tag_of(hash)); slots;
             slots &= slots - 1) {
            flow_ref ref = group->refs[flow_group_first(slots)];
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
    uint64_t at = flow_index_group(index, hash);
    for (;;) {
        struct flow_group *group = &index->groups[at];
        uint64_t slots = flow_group_slots(group, 0);
        if (slots) {
            unsigned slot = flow_group_first(slots);
            group->tags[slot] = flow_tag_of(hash);
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
    uint64_t at = flow_index_group(index, hash);
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
            hashes[waiting] = hash_key(&index->hash, &key, flow_ref_is_6(ref));
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
    struct flow_index larger = {.hash = index->hash};
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
