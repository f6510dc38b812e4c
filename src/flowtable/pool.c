/* The memory of a flow table: its records, and the logs of some. */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { CACHE_LINE = 64, LARGE = 1 << 16, HUGE_PAGE = 1 << 21 };

/* So many chunks have small pages: a large one that is hardly used would weigh on each flow. */
enum { SMALL_CHUNKS = 16 };

/* --- Memory ----------------------------------------------------------------------------------- */

#if defined(__linux__) && defined(MADV_HUGEPAGE)

/* What is large is mapped: what is freed then goes back, and large pages can be asked for.  Flows
 * are all over the memory, so that with small pages most would be a miss of the page tables too. */
static void *map(size_t size, bool huge)
{
    size_t room = size + HUGE_PAGE;
    uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)memory % HUGE_PAGE;
    if (before > 0)
        munmap(memory, before);
    memory += before;
    if (room - before > size)
        munmap(memory + size, room - before - size);
    if (huge)
        (void)madvise(memory, size, MADV_HUGEPAGE); /* all works without */
    return memory;
}

static void unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

#else

static void *map(size_t size, bool Py_UNUSED(huge))
{
    return aligned_alloc(CACHE_LINE, size);
}

static void unmap(void *memory, size_t Py_UNUSED(size))
{
    free(memory);
}

#endif

void *flow_memory_new(size_t size)
{
    void *memory = size >= LARGE ? map(size, size >= HUGE_PAGE) : aligned_alloc(CACHE_LINE, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

void flow_memory_free(void *memory, size_t size)
{
    if (memory && size >= LARGE)
        unmap(memory, size);
    else
        free(memory);
}

/* --- Records ---------------------------------------------------------------------------------- */

static bool add_chunk(struct flow_table *table, struct flow_pool *pool)
{
    uint8_t **chunks = realloc(pool->chunks, (pool->chunk_count + 1) * sizeof(*chunks));
    if (!chunks)
        return false;
    pool->chunks = chunks;
    uint8_t *chunk = map(CHUNK_RECORDS * pool->size, pool->chunk_count >= SMALL_CHUNKS);
    if (!chunk)
        return false;
    chunks[pool->chunk_count++] = chunk;
    if (table->logs.most < MOST_LOG_BLOCKS_TO_MERGE)
        table->logs.most += LOG_BLOCKS_A_CHUNK;
    return true;
}

bool flow_pool_reserve(struct flow_table *table, bool v6, size_t more)
{
    struct flow_pool *pool = &table->pools[v6];
    while ((pool->used + more) / CHUNK_RECORDS >= pool->chunk_count)
        if (pool->used + more >= FLOW_REF_6 || !add_chunk(table, pool))
            return false;
    return true;
}

flow_ref flow_pool_new(struct flow_table *table, bool v6)
{
    struct flow_pool *pool = &table->pools[v6];
    flow_ref ref = pool->free;
    if (ref) {
        pool->free = flow_at(table, ref)->next;
    } else {
        uint32_t number = pool->used + 1;
        if (number & FLOW_REF_6)
            return 0;
        if (number / CHUNK_RECORDS >= pool->chunk_count && !add_chunk(table, pool))
            return 0;
        pool->used = number;
        ref = number | (v6 ? FLOW_REF_6 : 0);
    }
    memset(flow_at(table, ref), 0, pool->size);
    return ref;
}

void flow_pool_free(struct flow_table *table, flow_ref ref)
{
    struct flow_pool *pool = &table->pools[flow_ref_is_6(ref)];
    struct flow *flow = flow_at(table, ref);

    flow_log_free(&table->logs, flow);
    flow->marks = 0;
    flow->next = pool->free;
    pool->free = ref;
}

void flow_pools_clear(struct flow_table *table)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct flow_pool *pool = &table->pools[v6];
        for (size_t i = 0; i < pool->chunk_count; i++)
            unmap(pool->chunks[i], CHUNK_RECORDS * pool->size);
        free(pool->chunks);
        *pool = (struct flow_pool){.size = pool->size};
    }
    free(table->logs.blocks);
    table->logs = (struct flow_logs){.blocks = NULL};
}

/* --- Logs ------------------------------------------------------------------------------------- */

static uint32_t log_block_new(struct flow_logs *logs)
{
    uint32_t block = logs->free;
    if (block) {
        logs->free = logs->blocks[block].older;
    } else {
        if (logs->used + 1 >= logs->room) {
            uint32_t room = logs->room ? logs->room * 2 : 64;
            if (room > logs->most)
                return 0;
            struct flow_log_block *blocks = realloc(logs->blocks, room * sizeof(*blocks));
            if (!blocks)
                return 0;
            logs->blocks = blocks;
            logs->room = room;
        }
        block = ++logs->used;
    }
    logs->blocks[block] = (struct flow_log_block){.older = 0};
    return block;
}

static void append_to_block(struct flow_log_block *block, unsigned at, uint32_t seq_end,
                            unsigned way, bool counts)
{
    block->seq_ends[at] = seq_end;
    block->way1 |= (uint16_t)((way != 0) << at);
    block->counts |= (uint16_t)(counts << at);
}

/* Entries of one way. */
static unsigned entries_of(const struct flow_logs *logs, const struct flow *flow, unsigned way)
{
    unsigned count = flow->logged & LOGGED_NUMBER;
    unsigned way1 = (flow->logged & LOGGED_FIRST_WAY1) != 0;

    for (uint32_t block = flow->log; block; block = logs->blocks[block].older)
        way1 += (unsigned)__builtin_popcount(logs->blocks[block].way1);
    return way ? way1 : count - way1;
}

void flow_log_append(struct flow_logs *logs, struct flow *flow, uint32_t seq_end, unsigned way,
                     bool counts)
{
    unsigned count = flow->logged & LOGGED_NUMBER;
    uint8_t is_short = way ? MARK_LOG_SHORT_1 : MARK_LOG_SHORT_0;

    if (flow->marks & is_short)
        return;
    if (count == 0) {
        flow->first_seq_end = seq_end;
        flow->logged |= (way ? LOGGED_FIRST_WAY1 : 0) | (counts ? LOGGED_FIRST_COUNTS : 0);
    } else {
        unsigned at = (count - 1) % LOG_BLOCK;
        uint32_t block = flow->log;
        if (entries_of(logs, flow, way) == MOST_LOGGED_A_WAY)
            block = 0;
        else if (at == 0)
            block = log_block_new(logs);
        if (!block) {
            flow->marks |= is_short;
            return;
        }
        if (at == 0) {
            logs->blocks[block].older = flow->log;
            flow->log = block;
        }
        append_to_block(&logs->blocks[block], at, seq_end, way, counts);
    }
    flow->logged++;
}

void flow_log_read(const struct flow_logs *logs, const struct flow *flow, struct flow_log *out)
{
    uint32_t block = flow->log;

    out->count = flow->logged & LOGGED_NUMBER;
    for (unsigned i = out->count; i-- > 1;) {
        const struct flow_log_block *found = &logs->blocks[block];
        unsigned at = (i - 1) % LOG_BLOCK;
        out->seq_ends[i] = found->seq_ends[at];
        out->way1[i] = found->way1 >> at & 1;
        out->counts[i] = found->counts >> at & 1;
        if (at == 0)
            block = found->older;
    }
    out->seq_ends[0] = flow->first_seq_end;
    out->way1[0] = (flow->logged & LOGGED_FIRST_WAY1) != 0;
    out->counts[0] = (flow->logged & LOGGED_FIRST_COUNTS) != 0;
}

void flow_log_free(struct flow_logs *logs, struct flow *flow)
{
    while (flow->log) {
        uint32_t older = logs->blocks[flow->log].older;
        logs->blocks[flow->log].older = logs->free;
        logs->free = flow->log;
        flow->log = older;
    }
    flow->logged = 0;
    flow->first_seq_end = 0;
}

void flow_logs_trim(struct flow_table *table)
{
    struct flow_logs *logs = &table->logs;
    uint64_t most =
        (table->pools[0].chunk_count + table->pools[1].chunk_count) * LOG_BLOCKS_A_CHUNK;

    if (most > MOST_LOG_BLOCKS_TO_MERGE)
        most = MOST_LOG_BLOCKS_TO_MERGE;
    logs->most = (uint32_t)most;
    if (logs->room <= logs->most)
        return;
    for (flow_ref v6 = 0; v6 < 2; v6++)
        for (uint32_t number = 1; number <= table->pools[v6].used; number++) {
            struct flow *flow = flow_at(table, number | (v6 ? FLOW_REF_6 : 0));
            if (flow->log == 0)
                continue;
            /* the first entry stays, which has no block */
            flow->logged = (uint8_t)((flow->logged & ~LOGGED_NUMBER) | 1);
            flow->log = 0;
            flow->marks |= MARK_LOG_SHORT;
        }
    free(logs->blocks);
    logs->blocks = NULL;
    logs->room = logs->used = logs->free = 0;
}
