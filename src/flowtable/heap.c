/* A heap in an array, whose memory is freed with the last flow. */
#include "heap.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

static bool make_room(struct flow_heap *heap)
{
    size_t room = heap->room ? heap->room * 2 : FIRST_ROOM;
    if (heap->count < heap->room)
        return true;
    struct flow_at_time *all = realloc(heap->all, room * sizeof(*all));
    if (!all)
        return false;
    heap->all = all;
    heap->room = room;
    return true;
}

bool flow_heap_add(struct flow_heap *heap, int64_t time, flow_ref ref)
{
    if (!make_room(heap))
        return false;
    struct flow_at_time *all = heap->all;
    size_t at = heap->count++;
    for (; at > 0 && all[(at - 1) / 2].time > time; at = (at - 1) / 2)
        all[at] = all[(at - 1) / 2];
    all[at] = (struct flow_at_time){time, ref};
    return true;
}

flow_ref flow_heap_take(struct flow_heap *heap, int64_t before)
{
    struct flow_at_time *all = heap->all;
    if (heap->count == 0 || all[0].time >= before)
        return 0;
    flow_ref ref = all[0].ref;
    struct flow_at_time last = all[--heap->count];
    size_t at = 0;
    for (size_t next = 1; next < heap->count; next = 2 * at + 1) {
        if (next + 1 < heap->count && all[next + 1].time < all[next].time)
            next++;
        if (all[next].time >= last.time)
            break;
        all[at] = all[next];
        at = next;
    }
    all[at] = last;
    if (heap->count == 0)
        flow_heap_clear(heap);
    return ref;
}

void flow_heap_clear(struct flow_heap *heap)
{
    free(heap->all);
    *heap = (struct flow_heap){.all = NULL};
}

size_t flow_heap_size(const struct flow_heap *heap)
{
    return heap->room * sizeof(*heap->all);
}
