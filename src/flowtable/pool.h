/* The memory of flows: a slot each, numbered by flow_ref, in chunks that never move. */
#ifndef PLT_FLOWTABLE_POOL_H
#define PLT_FLOWTABLE_POOL_H

#include "early.h"
#include "flow.h"
#include "statistics.h"

#include <stddef.h>

enum { CHUNK_SLOTS = 1 << 15 };

/* The slots of one IP version. */
struct flow_slots {
    uint8_t **chunks; /* owned, and each of them */
    size_t chunk_count;
    size_t size;          /* of a slot */
    size_t cleared;       /* what of it is zeroed for a flow */
    size_t statistics_at; /* where in it they are */
    size_t early_at;
    uint32_t used; /* slots from 1 on that were ever taken, some of which may be free again */
    flow_ref free; /* the first of those, or 0 */
};

struct flow_pool {
    struct flow_slots slots[2]; /* of IPv4 and of IPv6 */
    bool has_tails;
    bool has_statistics;
    uint16_t early; /* the most first packets that a flow has */
    uint8_t marks;  /* that a flow has from the beginning */
};

static inline struct flow *flow_at(const struct flow_pool *pool, flow_ref ref)
{
    const struct flow_slots *slots = &pool->slots[ref >> 31];
    uint32_t number = ref & ~FLOW_REF_6;
    return (struct flow *)(void *)(slots->chunks[number / CHUNK_SLOTS] +
                                   number % CHUNK_SLOTS * slots->size);
}

/* What is in a slot beside the flow, in a pool that was made with it. */
static inline struct flow_statistics *flow_statistics_at(const struct flow_pool *pool,
                                                         const struct flow *flow, bool v6)
{
    return (struct flow_statistics *)(void *)((uint8_t *)(uintptr_t)flow +
                                              pool->slots[v6].statistics_at);
}

static inline struct early_packet *flow_early_at(const struct flow_pool *pool,
                                                 const struct flow *flow, bool v6)
{
    return (struct early_packet *)(void *)((uint8_t *)(uintptr_t)flow + pool->slots[v6].early_at);
}

/* The slot after one, the first after 0; 0 after the last.  IPv4's come first; some may be free. */
static inline flow_ref flow_pool_next(const struct flow_pool *pool, flow_ref ref)
{
    bool v6 = flow_ref_is_6(ref);
    if ((ref & ~FLOW_REF_6) < pool->slots[v6].used)
        return ref + 1;
    return !v6 && pool->slots[1].used > 0 ? FLOW_REF_6 | 1 : 0;
}

void flow_pool_init(struct flow_pool *pool);
/* Have slots with tails, with statistics, with so many first packets; before the first is taken. */
void flow_pool_add_tails(struct flow_pool *pool);
void flow_pool_add_statistics(struct flow_pool *pool);
void flow_pool_add_early(struct flow_pool *pool, uint16_t most);
void flow_pool_clear(struct flow_pool *pool);
/* A slot with nothing in it, 0 when out of memory. */
flow_ref flow_pool_take(struct flow_pool *pool, bool v6);
void flow_pool_give_back(struct flow_pool *pool, flow_ref ref);
/* Room for so many more slots of one version; false when out of memory. */
bool flow_pool_reserve(struct flow_pool *pool, bool v6, size_t more);
/* Of both versions. */
size_t flow_pool_chunks(const struct flow_pool *pool);
/* The memory of slots that were ever taken, in bytes. */
size_t flow_pool_size(const struct flow_pool *pool);

#endif
