/* Timeouts: when a flow has had no packet for too long, and when it has gone on for too long.
 *
 * Time is the table's clock.  It goes back where a packet is very late, as after a wrong time far
 * in the future: there a flow ends too where it would be longer than the active timeout with the
 * packet that comes. */
#ifndef PLT_FLOWTABLE_TIMEOUTS_H
#define PLT_FLOWTABLE_TIMEOUTS_H

#include "flow.h"
#include "nanoseconds.h"

#define FLOW_NEVER      INT64_MAX
#define LONGEST_TIMEOUT (INT64_C(4000000000) * 1000000000)

/* In nanoseconds, FLOW_NEVER for none. */
struct flow_timeouts {
    int64_t idle;
    int64_t active;
};

static inline bool flow_timeouts_are_set(const struct flow_timeouts *timeouts)
{
    return timeouts->idle != FLOW_NEVER || timeouts->active != FLOW_NEVER;
}

static inline int64_t flow_timeouts_shorter(const struct flow_timeouts *timeouts)
{
    return timeouts->idle < timeouts->active ? timeouts->idle : timeouts->active;
}

/* The last nanosecond at which a packet still belongs to a flow: by each timeout, and by both. */
static inline int64_t flow_idle_end(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    return timeouts->idle == FLOW_NEVER ? FLOW_NEVER : nanoseconds_add(flow->seen, timeouts->idle);
}

static inline int64_t flow_active_end(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    return timeouts->active == FLOW_NEVER ? FLOW_NEVER
                                          : nanoseconds_add(flow->started, timeouts->active);
}

static inline int64_t flow_end_time(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    int64_t idle = flow_idle_end(timeouts, flow);
    int64_t active = flow_active_end(timeouts, flow);
    return idle <= active ? idle : active;
}

/* Whether a flow's time is up. */
static inline bool flow_is_over(const struct flow_timeouts *timeouts, const struct flow *flow,
                                int64_t clock)
{
    return clock > flow_end_time(timeouts, flow);
}

/* Why it ended, its time being up: END_*. */
uint8_t flow_end_reason(const struct flow_timeouts *timeouts, const struct flow *flow);
/* Whether the flow has the active timeout's room for packets of those times. */
bool flow_has_room(const struct flow_timeouts *timeouts, const struct flow *flow, int64_t first,
                   int64_t last);

#endif
