/* The wheel: live flows by the time when to look whether they are over.
 *
 * A flow is in the bucket of a time when it may be over, no later than it is.  Packets don't move
 * it: when the clock comes to the bucket, flows that had more packets since go into the bucket of
 * their new time, and those that are there for a later turn of the wheel stay.  So a packet costs
 * one such move at most, and touches no other flow.  Where the clock goes back, a packet may bring
 * the time of its flow forward.  Then the flow gets a new slot, in the bucket of that time, and
 * leaves an empty one in its old bucket.
 *
 * The clock may go back and forward by more than a turn again and again, and each time comes to all
 * buckets.  So that it does not look at all flows then, those are put away in a heap that are more
 * than a turn ahead of a clock that went back, and are looked at when their time is up.  Where
 * there is no memory for that they stay in their buckets. */
#ifndef PLT_FLOWTABLE_WHEEL_H
#define PLT_FLOWTABLE_WHEEL_H

#include "heap.h"
#include "set.h"
#include "timeouts.h"

enum { WHEEL_BUCKETS = 512 };

struct flow_wheel {
    struct flow_timeouts timeouts;
    flow_ref buckets[WHEEL_BUCKETS];
    struct flow_heap far; /* flows by the time when they end, put away */
    uint64_t empty;       /* slots in both that no flow is in any more */
    unsigned shift;       /* of nanoseconds, to a bucket's number */
    uint64_t position;
    int64_t due;     /* the last nanosecond of the bucket at position */
    int64_t settled; /* the clock for which there is nothing left to do */
    int64_t clock;   /* that of the packet before */
};

/* A new wheel for a table whose clock is that. */
void flow_wheel_init(struct flow_wheel *wheel, struct flow_timeouts timeouts, int64_t clock);
/* Add a live flow that is in no bucket. */
void flow_wheel_add(struct flow_wheel *wheel, const struct flow_pool *pool, flow_ref ref);
/* A flow's slot has become empty.  Where most are, all of them are taken out. */
void flow_wheel_leave(struct flow_wheel *wheel, struct flow_set *set);
/* End the flows whose time is up, but for those of the bucket that the clock is in. */
void flow_wheel_turn(struct flow_wheel *wheel, struct flow_set *set, int64_t clock);
/* Whether there is nothing to end when the clock goes on. */
static inline bool flow_wheel_stays(struct flow_wheel *wheel, int64_t clock)
{
    if (clock < wheel->clock || clock > wheel->due)
        return false;
    wheel->clock = clock;
    return true;
}
/* The same for all. */
void flow_wheel_settle(struct flow_wheel *wheel, struct flow_set *set, int64_t clock);
/* There may be something to do whatever the clock is: flows were added from elsewhere. */
void flow_wheel_unsettle(struct flow_wheel *wheel);
/* Empty it, all flows being about to end. */
void flow_wheel_empty(struct flow_wheel *wheel, struct flow_set *set);
void flow_wheel_clear(struct flow_wheel *wheel);

#endif
