/* The index: from the keys of flows to their slots in a pool.  Open addressing in groups of a cache
 * line each. */
#ifndef PLT_FLOWTABLE_INDEX_H
#define PLT_FLOWTABLE_INDEX_H

#include "flow.h"
#include "pool.h"

enum { GROUP_SLOTS = 12 };

/* A cache line of the index. */
struct flow_group {
    uint8_t tags[GROUP_SLOTS]; /* 8 bits of the key's hash, 0 for an empty place */
    uint32_t passed;           /* keys that found this group full, and are further on */
    flow_ref refs[GROUP_SLOTS];
};

_Static_assert(sizeof(struct flow_group) == 64, "a group is a cache line");

struct flow_index {
    struct flow_group *groups; /* owned; a power of two of them, NULL at first */
    uint64_t group_count;
    unsigned shift;   /* of a hash, to a group's number */
    uint64_t count;   /* flows */
    uint64_t seed[2]; /* so that senders can't choose keys that collide */
};

void flow_index_clear(struct flow_index *index);
size_t flow_index_size(const struct flow_index *index);
/* Take all flows out. */
void flow_index_empty(struct flow_index *index);
/* Have the memory ready that a hash leads to. */
void flow_index_prefetch(const struct flow_index *index, uint64_t hash);
/* A flow whose key may have that hash, 0 for none: a guess, for prefetching. */
flow_ref flow_index_guess(const struct flow_index *index, uint64_t hash);
/* The flow of a key, 0 for none. */
flow_ref flow_index_find(const struct flow_index *index, const struct flow_pool *pool,
                         const struct flow_key *key, uint64_t hash, bool v6);
/* Room for so many more; false when out of memory. */
bool flow_index_reserve(struct flow_index *index, const struct flow_pool *pool, uint64_t more);
/* Add a flow that is not there, after flow_index_reserve(). */
void flow_index_add(struct flow_index *index, uint64_t hash, flow_ref ref);
/* Take out a flow that is there. */
void flow_index_remove(struct flow_index *index, uint64_t hash, flow_ref ref);

#endif
