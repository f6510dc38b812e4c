/* The memory of flows: chunks of slots, and the list of those that are free. */
#include "pool.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* So many chunks have small pages: a large one that is hardly used would weigh on each flow. */
enum { SMALL_CHUNKS = 16 };

static size_t aligned(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

/* Where in a slot is what.  All of it is in one place, so that a packet needs few cache lines. */
static void lay_out(struct flow_pool *pool)
{
    enum { LINE = 64 };
    for (int v6 = 0; v6 < 2; v6++) {
        struct flow_slots *slots = &pool->slots[v6];
        size_t size = flow_size(v6) + (pool->has_tails ? sizeof(struct flow_tail) : 0);
        if (pool->has_statistics) {
            slots->statistics_at = aligned(size, LINE);
            size = slots->statistics_at + sizeof(struct flow_statistics);
        }
        slots->cleared = size;
        if (pool->early > 0) {
            slots->early_at = aligned(size, sizeof(struct early_packet));
            size = slots->early_at + pool->early * sizeof(struct early_packet);
        }
        slots->size = pool->has_statistics || pool->early > 0 ? aligned(size, LINE) : size;
    }
}

void flow_pool_init(struct flow_pool *pool)
{
    *pool = (struct flow_pool){.marks = 0};
    lay_out(pool);
}

void flow_pool_add_tails(struct flow_pool *pool)
{
    pool->has_tails = true;
    lay_out(pool);
}

void flow_pool_add_statistics(struct flow_pool *pool)
{
    pool->has_statistics = true;
    lay_out(pool);
}

void flow_pool_add_early(struct flow_pool *pool, uint16_t most)
{
    pool->early = most;
    lay_out(pool);
}

void flow_pool_clear(struct flow_pool *pool)
{
    for (int v6 = 0; v6 < 2; v6++) {
        const struct flow_slots *slots = &pool->slots[v6];
        for (size_t i = 0; i < slots->chunk_count; i++)
            memory_unmap(slots->chunks[i], CHUNK_SLOTS * slots->size);
        free(slots->chunks);
    }
    flow_pool_init(pool);
}

static bool add_chunk(struct flow_slots *slots)
{
    uint8_t **chunks = realloc(slots->chunks, (slots->chunk_count + 1) * sizeof(*chunks));
    if (!chunks)
        return false;
    slots->chunks = chunks;
    uint8_t *chunk = memory_map(CHUNK_SLOTS * slots->size, slots->chunk_count >= SMALL_CHUNKS);
    if (!chunk)
        return false;
    chunks[slots->chunk_count++] = chunk;
    return true;
}

bool flow_pool_reserve(struct flow_pool *pool, bool v6, size_t more)
{
    struct flow_slots *slots = &pool->slots[v6];
    while ((slots->used + more) / CHUNK_SLOTS >= slots->chunk_count)
        if (slots->used + more >= FLOW_REF_6 || !add_chunk(slots))
            return false;
    return true;
}

flow_ref flow_pool_take(struct flow_pool *pool, bool v6)
{
    struct flow_slots *slots = &pool->slots[v6];
    flow_ref ref = slots->free;
    if (ref) {
        slots->free = flow_at(pool, ref)->next;
    } else {
        uint32_t number = slots->used + 1;
        if (number & FLOW_REF_6)
            return 0;
        if (number / CHUNK_SLOTS >= slots->chunk_count && !add_chunk(slots))
            return 0;
        slots->used = number;
        ref = number | (v6 ? FLOW_REF_6 : 0);
    }
    memset(flow_at(pool, ref), 0, slots->cleared);
    flow_at(pool, ref)->marks = pool->marks;
    if (pool->has_statistics)
        flow_statistics_begin(flow_statistics_at(pool, flow_at(pool, ref), v6));
    return ref;
}

void flow_pool_give_back(struct flow_pool *pool, flow_ref ref)
{
    struct flow_slots *slots = &pool->slots[flow_ref_is_6(ref)];
    struct flow *flow = flow_at(pool, ref);
    flow->marks = 0;
    flow->next = slots->free;
    slots->free = ref;
}

size_t flow_pool_chunks(const struct flow_pool *pool)
{
    return pool->slots[0].chunk_count + pool->slots[1].chunk_count;
}

size_t flow_pool_size(const struct flow_pool *pool)
{
    return pool->slots[0].used * pool->slots[0].size + pool->slots[1].used * pool->slots[1].size;
}
