/* A table's clock: the time of a trace, by its packets. */
#ifndef PLT_FLOWTABLE_CLOCK_H
#define PLT_FLOWTABLE_CLOCK_H

#include "flow.h"
#include "nanoseconds.h"

/* A packet may be so late, in nanoseconds; where it is later, what came before it had wrong times,
 * or the clock was set: from there on its time counts. */
#define FLOW_LATE ((int64_t)60 * 1000000000)

/* Each time is FLOW_NO_TIME before the first packet that has one. */
struct flow_clock {
    int64_t begin;    /* of the first packet */
    int64_t earliest; /* of all packets; FLOW_NO_TIME too where some came before the first time */
    int64_t now;      /* the latest, since it last went back */
    bool went_back;   /* it did, by more than FLOW_LATE */
};

#define FLOW_CLOCK_NEW                                                                             \
    ((struct flow_clock){.begin = FLOW_NO_TIME, .earliest = FLOW_NO_TIME, .now = FLOW_NO_TIME})

/* A packet came at that time, the first of all or not. */
static inline void flow_clock_advance(struct flow_clock *clock, int64_t time, bool is_first)
{
    if (clock->now == FLOW_NO_TIME) {
        clock->begin = clock->now = time;
        clock->earliest = is_first ? time : FLOW_NO_TIME;
    } else if (time > clock->now) {
        clock->now = time;
    } else if (nanoseconds_sub(clock->now, time) > FLOW_LATE) {
        clock->now = time;
        clock->went_back = true;
    }
    if (time < clock->earliest)
        clock->earliest = time;
}

#endif
