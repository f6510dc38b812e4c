/* Logs of the segments of flows: blocks of some entries each, the newest first. */
#include "log.h"

#include <stdlib.h>

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
    if (flow_log_is_short(flow, way))
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
            flow->marks |= way ? MARK_LOG_SHORT_1 : MARK_LOG_SHORT_0;
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

void flow_log_shorten(struct flow *flow)
{
    if (flow->log == 0)
        return;
    flow->logged = (uint8_t)((flow->logged & ~LOGGED_NUMBER) | 1);
    flow->log = 0;
    flow->marks |= MARK_LOG_SHORT;
}

/* --- All logs -------------------------------------------------------------------------------- */

static uint32_t most_blocks(size_t chunks)
{
    uint64_t most = (uint64_t)chunks * LOG_BLOCKS_A_CHUNK;
    return most > MOST_LOG_BLOCKS_TO_MERGE ? MOST_LOG_BLOCKS_TO_MERGE : (uint32_t)most;
}

void flow_logs_allow(struct flow_logs *logs, size_t chunks)
{
    uint32_t most = most_blocks(chunks);
    if (logs->most < most)
        logs->most = most;
}

bool flow_logs_limit(struct flow_logs *logs, size_t chunks)
{
    logs->most = most_blocks(chunks);
    return logs->room <= logs->most;
}

void flow_logs_clear(struct flow_logs *logs)
{
    free(logs->blocks);
    logs->blocks = NULL;
    logs->room = logs->used = logs->free = 0;
}
