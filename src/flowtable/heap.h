/* A heap: flows by a time, of which the earliest is at hand. */
#ifndef PLT_FLOWTABLE_HEAP_H
#define PLT_FLOWTABLE_HEAP_H

#include "flow.h"

#include <stddef.h>

struct flow_at_time {
    int64_t time;
    flow_ref ref;
};

struct flow_heap {
    struct flow_at_time *all; /* owned; the n-th is no later than those at 2n + 1 and 2n + 2 */
    size_t count;
    size_t room;
};

/* False when out of memory. */
bool flow_heap_add(struct flow_heap *heap, int64_t time, flow_ref ref);
/* Take the earliest out if its time is before that one; 0 if none is. */
flow_ref flow_heap_take(struct flow_heap *heap, int64_t before);
void flow_heap_clear(struct flow_heap *heap);
/* The memory that it has, in bytes. */
size_t flow_heap_size(const struct flow_heap *heap);

#endif
