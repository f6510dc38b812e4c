/* The values of the fields that FlowTable(statistics=True) and FlowTable(first=20) count. */
#include "statisticsfields.h"

#include "statisticsrows.h"

#include "flowtable/statistics.h"

#include "packet/protocols.h"

#include <string.h>

/* The ways that a row is of: WAY_0, WAY_1 or both. */
static unsigned ways_of(const struct flow *flow, uint8_t whose)
{
    if (whose == BOTH)
        return WAYS;
    return (flow_forward(flow) ^ whose) ? WAY_1 : WAY_0;
}

static uint64_t bits_of(double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static bool size_number(uint8_t what, unsigned ways, const struct flow_copy *copy, uint64_t *value)
{
    const struct flow *flow = &copy->of.flow;
    struct flow_range range;
    double found = 0;
    bool present = false;
    if (what == SIZES_MIN || what == SIZES_MAX) {
        present = flow_size_range(copy->statistics, ways, &range);
        *value = what == SIZES_MIN ? range.min : range.max;
        return present;
    }
    present = what == SIZES_MEAN ? flow_size_mean(flow, ways, &found)
                                 : flow_size_deviation(copy->statistics, flow, ways, &found);
    *value = bits_of(found);
    return present;
}

static bool gap_number(uint8_t what, unsigned ways, const struct flow_copy *copy, uint64_t *value)
{
    const struct flow *flow = &copy->of.flow;
    int64_t found = 0, max = 0;
    bool present = false;
    if (what == GAPS_MEAN)
        present = flow_gap_mean(copy->statistics, flow, ways, &found);
    else if (what == GAPS_STD)
        present = flow_gap_deviation(copy->statistics, flow, ways, &found);
    else
        present = flow_gap_range(copy->statistics, ways, &found, &max);
    *value = (uint64_t)(what == GAPS_MAX ? max : found);
    return present;
}

bool flow_statistics_number(uint8_t what, uint8_t whose, const struct flow_copy *copy,
                            uint64_t *value)
{
    unsigned ways = ways_of(&copy->of.flow, whose);
    if (!copy->statistics || what >= FIRST_WAYS)
        return false;
    if (what < GAPS_MIN)
        return size_number(what, ways, copy, value);
    if (what < FIN_PACKETS)
        return gap_number(what, ways, copy, value);
    *value = flow_flag_packets(copy->statistics, &copy->of.flow, ways, what - FIN_PACKETS);
    return flow_proto(&copy->of.flow, copy->v6) == PROTO_TCP;
}

size_t flow_first_list(uint8_t what, const struct flow_copy *copy, union flow_list *list)
{
    unsigned forward = flow_forward(&copy->of.flow);
    size_t count = copy->early_count;
    if (what == FIRST_GAPS)
        early_gaps(copy->early, count, list->gaps);
    for (size_t i = 0; i < count && what == FIRST_WAYS; i++)
        list->ways[i] = copy->early[i].way == forward ? 1 : -1;
    for (size_t i = 0; i < count && what == FIRST_SIZES; i++)
        list->sizes[i] = copy->early[i].size;
    return count;
}
