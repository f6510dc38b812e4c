/* The wheel: flows found when their time is up. */
#include "wheel.h"

#include "common/prefetch.h"

#include <string.h>

/* So many empty slots stay in the buckets, however few flows there are. */
enum { MOST_EMPTY = 1024 };

/* The number of the bucket that a time is in, counted from the beginning of time. */
static uint64_t bucket_of(const struct flow_wheel *wheel, int64_t time)
{
    return ((uint64_t)time ^ (uint64_t)1 << 63) >> wheel->shift;
}

static void set_position(struct flow_wheel *wheel, uint64_t position)
{
    uint64_t last = (position << wheel->shift) + (((uint64_t)1 << wheel->shift) - 1);
    wheel->position = position;
    wheel->due = (int64_t)(last ^ (uint64_t)1 << 63);
}

void flow_wheel_init(struct flow_wheel *wheel, struct flow_timeouts timeouts, int64_t clock)
{
    int64_t shorter = flow_timeouts_shorter(&timeouts);
    *wheel = (struct flow_wheel){
        .timeouts = timeouts, .due = FLOW_NEVER, .settled = clock, .clock = clock};
    if (shorter == FLOW_NEVER)
        return;
    /* the wheel's turn is longer than a flow's time */
    while ((uint64_t)shorter >> wheel->shift > WHEEL_BUCKETS - 2)
        wheel->shift++;
    set_position(wheel, bucket_of(wheel, clock));
}

void flow_wheel_add(struct flow_wheel *wheel, const struct flow_pool *pool, flow_ref ref)
{
    struct flow *flow = flow_at(pool, ref);
    if (!flow_timeouts_are_set(&wheel->timeouts))
        return;
    int64_t end = flow_end_time(&wheel->timeouts, flow);
    flow_ref *bucket = &wheel->buckets[bucket_of(wheel, end) % WHEEL_BUCKETS];
    flow->next = *bucket;
    *bucket = ref;
}

void flow_wheel_leave(struct flow_wheel *wheel, struct flow_set *set)
{
    if (++wheel->empty <= MOST_EMPTY || wheel->empty <= set->index.count)
        return;
    wheel->empty = 0;
    for (size_t i = 0; i < WHEEL_BUCKETS; i++)
        for (flow_ref *at = &wheel->buckets[i]; *at;) {
            flow_ref ref = *at;
            struct flow *flow = flow_at(&set->pool, ref);
            if (flow->marks & MARK_LIVE) {
                at = &flow->next;
            } else {
                *at = flow->next;
                flow_set_free_slot(set, ref);
            }
        }
}

static void free_empty(struct flow_wheel *wheel, struct flow_set *set, flow_ref ref)
{
    flow_set_free_slot(set, ref);
    wheel->empty--;
}

static void empty_bucket(struct flow_wheel *wheel, struct flow_set *set, uint64_t bucket,
                         int64_t clock)
{
    flow_ref *head = &wheel->buckets[bucket % WHEEL_BUCKETS];
    flow_ref ref = *head;
    *head = 0;
    while (ref) {
        struct flow *flow = flow_at(&set->pool, ref);
        flow_ref next = flow->next;
        if (next)
            prefetch(&flow_at(&set->pool, next)->seen);
        if (!(flow->marks & MARK_LIVE))
            free_empty(wheel, set, ref);
        else if (flow_is_over(&wheel->timeouts, flow, clock))
            flow_set_end(set, ref, flow_end_reason(&wheel->timeouts, flow));
        else
            flow_wheel_add(wheel, &set->pool, ref);
        ref = next;
    }
}

/* The clock goes back: first all that was over ends. */
static void turn_back(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    flow_wheel_unsettle(wheel);
    if (!flow_timeouts_are_set(&wheel->timeouts))
        return;
    empty_bucket(wheel, set, wheel->position, wheel->clock);
    set_position(wheel, bucket_of(wheel, clock));
}

void flow_wheel_turn(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    if (clock < wheel->clock)
        turn_back(wheel, set, clock);
    wheel->clock = clock;
    if (clock <= wheel->due || !flow_timeouts_are_set(&wheel->timeouts))
        return;
    uint64_t from = wheel->position;
    uint64_t to = bucket_of(wheel, clock);
    if (to - from > WHEEL_BUCKETS)
        from = to - WHEEL_BUCKETS;
    set_position(wheel, to);
    for (; from < to; from++)
        empty_bucket(wheel, set, from, clock);
}

void flow_wheel_settle(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    if (wheel->settled == clock || !flow_timeouts_are_set(&wheel->timeouts))
        return;
    flow_wheel_turn(wheel, set, clock);
    empty_bucket(wheel, set, wheel->position, clock);
    wheel->settled = clock;
}

void flow_wheel_unsettle(struct flow_wheel *wheel)
{
    wheel->settled = INT64_MIN;
}

void flow_wheel_empty(struct flow_wheel *wheel, struct flow_set *set)
{
    for (size_t i = 0; i < WHEEL_BUCKETS; i++)
        for (flow_ref ref = wheel->buckets[i]; ref;) {
            flow_ref next = flow_at(&set->pool, ref)->next;
            /* what ended in place is known to the wheel alone */
            if (!(flow_at(&set->pool, ref)->marks & MARK_LIVE))
                free_empty(wheel, set, ref);
            ref = next;
        }
    memset(wheel->buckets, 0, sizeof(wheel->buckets));
}
