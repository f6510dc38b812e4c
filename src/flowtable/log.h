/* Logs: where a flow's first segments ended that went further than those before, each way.  Merging
 * a flow with an earlier part needs them to tell which segments were sent before: see merge.c. */
#ifndef PLT_FLOWTABLE_LOG_H
#define PLT_FLOWTABLE_LOG_H

#include "flow.h"

#include <stddef.h>

enum { LOG_BLOCK = 6, MOST_LOGGED_A_WAY = 12, LOG_SIZE = 2 * MOST_LOGGED_A_WAY };

/* Of a flow's `logged`: the number, and what the first entry is, which has no block. */
enum { LOGGED_NUMBER = 31, LOGGED_FIRST_WAY1 = 32, LOGGED_FIRST_COUNTS = 64 };

struct flow_log_block {
    uint32_t seq_ends[LOG_BLOCK];
    uint32_t older;
    uint16_t way1;   /* a bit each: the segment went way 1 */
    uint16_t counts; /* and whether repeating it is a retransmission */
};

/* The blocks of all logs of a table. */
struct flow_logs {
    struct flow_log_block *blocks; /* owned */
    uint32_t room;
    uint32_t used;
    uint32_t free;
    uint32_t most; /* that there may be */
};

/* So many blocks for each chunk of flows are another 2 bytes a flow; the second is 32 MB. */
enum { LOG_BLOCKS_A_CHUNK = 1 << 11, MOST_LOG_BLOCKS_TO_MERGE = 1 << 20 };

/* A log taken out, oldest first. */
struct flow_log {
    unsigned count;
    uint32_t seq_ends[LOG_SIZE];
    bool way1[LOG_SIZE];
    bool counts[LOG_SIZE];
};

/* Whether a log takes no more entries of a way. */
static inline bool flow_log_is_short(const struct flow *flow, unsigned way)
{
    return flow->marks & (MARK_LOG_SHORT_0 << way);
}

void flow_log_append(struct flow_logs *logs, struct flow *flow, uint32_t seq_end, unsigned way,
                     bool counts);
void flow_log_read(const struct flow_logs *logs, const struct flow *flow, struct flow_log *out);
/* Drop a flow's log. */
void flow_log_free(struct flow_logs *logs, struct flow *flow);
/* Keep of a flow's log the first entry, which has no block: the blocks are freed by the caller. */
void flow_log_shorten(struct flow *flow);
/* Let a table of so many chunks have the blocks that it may have. */
void flow_logs_allow(struct flow_logs *logs, size_t chunks);
/* No more than those; false where the memory for them is larger, and the blocks are to go. */
bool flow_logs_limit(struct flow_logs *logs, size_t chunks);
/* Free all blocks. */
void flow_logs_clear(struct flow_logs *logs);

#endif
