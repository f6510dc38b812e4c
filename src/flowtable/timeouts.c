/* The times at which flows are over. */
#include "timeouts.h"

#include "nanoseconds.h"

static int64_t idle_end(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    return timeouts->idle == FLOW_NEVER ? FLOW_NEVER : nanoseconds_add(flow->seen, timeouts->idle);
}

static int64_t active_end(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    return timeouts->active == FLOW_NEVER ? FLOW_NEVER
                                          : nanoseconds_add(flow->started, timeouts->active);
}

int64_t flow_end_time(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    int64_t idle = idle_end(timeouts, flow);
    int64_t active = active_end(timeouts, flow);
    return idle <= active ? idle : active;
}

bool flow_is_over(const struct flow_timeouts *timeouts, const struct flow *flow, int64_t clock)
{
    return clock > flow_end_time(timeouts, flow);
}

uint8_t flow_end_reason(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    if (flow_is_closed(flow))
        return END_OF_FLOW;
    return idle_end(timeouts, flow) <= active_end(timeouts, flow) ? END_IDLE : END_ACTIVE;
}

bool flow_has_room(const struct flow_timeouts *timeouts, const struct flow *flow, int64_t first,
                   int64_t last)
{
    if (timeouts->active == FLOW_NEVER || first == FLOW_NO_TIME)
        return true;
    int64_t begin = flow_first_time(flow);
    int64_t end = flow_last_time(flow);
    return begin == FLOW_NO_TIME ||
           nanoseconds_sub(last > end ? last : end, first < begin ? first : begin) <=
               timeouts->active;
}
