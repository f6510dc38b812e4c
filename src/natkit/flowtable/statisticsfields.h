/* The values of the fields that FlowTable(statistics=True) and FlowTable(first=20) count. */
#ifndef NATKIT_FLOWTABLE_STATISTICSFIELDS_H
#define NATKIT_FLOWTABLE_STATISTICSFIELDS_H

#include "flowtable/early.h"
#include "flowtable/flow.h"

/* The number by what a row is and whose, of a float its bits; false where it is missing. */
bool flow_statistics_number(uint8_t what, uint8_t whose, const struct flow_copy *copy,
                            uint64_t *value);

/* Room for a list of items of the width of the row's kind. */
union flow_list {
    int8_t ways[MOST_EARLY];
    uint32_t sizes[MOST_EARLY];
    int64_t gaps[MOST_EARLY];
};

/* The list of a row; how long it is. */
size_t flow_first_list(uint8_t what, const struct flow_copy *copy, union flow_list *list);

#endif
