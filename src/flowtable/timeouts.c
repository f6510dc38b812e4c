/* Why flows are over, and whether they have room for packets. */
#include "timeouts.h"

uint8_t flow_end_reason(const struct flow_timeouts *timeouts, const struct flow *flow)
{
    if (flow_is_closed(flow))
        return END_OF_FLOW;
    return flow_idle_end(timeouts, flow) <= flow_active_end(timeouts, flow) ? END_IDLE : END_ACTIVE;
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
