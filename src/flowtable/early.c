/* The first packets of a flow: parts joined, and the gaps between packets. */
#include "early.h"

#include "nanoseconds.h"

#include <string.h>

void early_join(struct early_packet *all, size_t most, const struct flow *flow,
                const struct early_packet *later, const struct flow *later_flow)
{
    size_t count = early_count(flow, most);
    size_t more = early_count(later_flow, most);
    if (more > most - count)
        more = most - count;
    memcpy(all + count, later, more * sizeof(*all));
}

void early_gaps(const struct early_packet *all, size_t count, int64_t *gaps)
{
    int64_t last = FLOW_NO_TIME;
    for (size_t i = 0; i < count; i++) {
        int64_t time = all[i].time;
        gaps[i] = time == FLOW_NO_TIME ? FLOW_NO_TIME : 0;
        if (time == FLOW_NO_TIME)
            continue;
        if (last != FLOW_NO_TIME)
            gaps[i] = nanoseconds_sub(time, last);
        if (gaps[i] == FLOW_NO_TIME) /* no gap that 64 bits hold is as long */
            gaps[i]++;
        last = time;
    }
}

bool early_is_sound(const struct early_packet *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].way > 1)
            return false;
    return true;
}
