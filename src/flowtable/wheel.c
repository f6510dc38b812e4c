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

/* Put those of the far ones away anew that have a flow: for as many there is room. */
static void leave_far(struct flow_wheel *wheel, struct flow_set *set)
{
    size_t count = wheel->far.count;
    wheel->far.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct flow_at_time one = wheel->far.all[i];
        if (flow_at(&set->pool, one.ref)->marks & MARK_LIVE)
            (void)flow_heap_add(&wheel->far, one.time, one.ref);
        else
            flow_set_free_slot(set, one.ref);
    }
}

void flow_wheel_leave(struct flow_wheel *wheel, struct flow_set *set)
{
    if (++wheel->empty <= MOST_EMPTY || wheel->empty <= set->index.count)
        return;
    wheel->empty = 0;
    leave_far(wheel, set);
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

/* Put a flow away until its time is up, where there is memory for it. */
static void put_away(struct flow_wheel *wheel, struct flow_set *set, flow_ref ref)
{
    int64_t end = flow_end_time(&wheel->timeouts, flow_at(&set->pool, ref));
    if (!flow_heap_add(&wheel->far, end, ref))
        flow_wheel_add(wheel, &set->pool, ref);
}

/* The clock has come to a flow, which ends if its time is up. */
static void look_at(struct flow_wheel *wheel, struct flow_set *set, flow_ref ref, int64_t clock)
{
    const struct flow *flow = flow_at(&set->pool, ref);
    int64_t end = flow_end_time(&wheel->timeouts, flow);
    if (!(flow->marks & MARK_LIVE))
        free_empty(wheel, set, ref);
    else if (clock > end)
        flow_set_end(set, ref, flow_end_reason(&wheel->timeouts, flow));
    else if (bucket_of(wheel, end) - wheel->position < WHEEL_BUCKETS)
        flow_wheel_add(wheel, &set->pool, ref);
    else
        put_away(wheel, set, ref);
}

static void empty_bucket(struct flow_wheel *wheel, struct flow_set *set, uint64_t bucket,
                         int64_t clock)
{
    flow_ref *head = &wheel->buckets[bucket % WHEEL_BUCKETS];
    flow_ref ref = *head;
    *head = 0;
    while (ref) {
        flow_ref next = flow_at(&set->pool, ref)->next;
        if (next)
            prefetch(&flow_at(&set->pool, next)->seen);
        look_at(wheel, set, ref, clock);
        ref = next;
    }
}

static void look_at_far(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    for (flow_ref ref; (ref = flow_heap_take(&wheel->far, clock)) != 0;)
        look_at(wheel, set, ref, clock);
}

static void put_bucket_away(struct flow_wheel *wheel, struct flow_set *set, uint64_t bucket)
{
    flow_ref *head = &wheel->buckets[bucket % WHEEL_BUCKETS];
    flow_ref ref = *head;
    *head = 0;
    while (ref) {
        flow_ref next = flow_at(&set->pool, ref)->next;
        if (flow_at(&set->pool, ref)->marks & MARK_LIVE)
            put_away(wheel, set, ref);
        else
            free_empty(wheel, set, ref);
        ref = next;
    }
}

/* The clock goes back: first all that was over ends. */
static void turn_back(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    flow_wheel_unsettle(wheel);
    if (!flow_timeouts_are_set(&wheel->timeouts))
        return;
    uint64_t from = wheel->position;
    empty_bucket(wheel, set, from, wheel->clock);
    look_at_far(wheel, set, wheel->clock);
    set_position(wheel, bucket_of(wheel, clock));
    /* that bucket would be looked at each time that the clock goes back */
    put_bucket_away(wheel, set, from);
    uint64_t back = from - wheel->position;
    uint64_t near = back < WHEEL_BUCKETS ? WHEEL_BUCKETS - back : 0;
    for (uint64_t ahead = near; ahead < WHEEL_BUCKETS; ahead++)
        put_bucket_away(wheel, set, from + ahead);
}

void flow_wheel_turn(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    if (clock < wheel->clock)
        turn_back(wheel, set, clock);
    wheel->clock = clock;
    if (clock <= wheel->due) /* without timeouts all is */
        return;
    uint64_t from = wheel->position;
    uint64_t to = bucket_of(wheel, clock);
    if (to - from > WHEEL_BUCKETS)
        from = to - WHEEL_BUCKETS;
    set_position(wheel, to);
    for (; from < to; from++)
        empty_bucket(wheel, set, from, clock);
    look_at_far(wheel, set, clock);
}

void flow_wheel_settle(struct flow_wheel *wheel, struct flow_set *set, int64_t clock)
{
    if (wheel->settled == clock || !flow_timeouts_are_set(&wheel->timeouts))
        return;
    flow_wheel_turn(wheel, set, clock);
    empty_bucket(wheel, set, wheel->position, clock);
    look_at_far(wheel, set, clock);
    wheel->settled = clock;
}

void flow_wheel_unsettle(struct flow_wheel *wheel)
{
    wheel->settled = INT64_MIN;
}

/* What ended in place is known to the wheel alone. */
static void free_if_empty(struct flow_wheel *wheel, struct flow_set *set, flow_ref ref)
{
    if (!(flow_at(&set->pool, ref)->marks & MARK_LIVE))
        free_empty(wheel, set, ref);
}

void flow_wheel_empty(struct flow_wheel *wheel, struct flow_set *set)
{
    for (size_t i = 0; i < WHEEL_BUCKETS; i++)
        for (flow_ref ref = wheel->buckets[i]; ref;) {
            flow_ref next = flow_at(&set->pool, ref)->next;
            free_if_empty(wheel, set, ref);
            ref = next;
        }
    for (size_t i = 0; i < wheel->far.count; i++)
        free_if_empty(wheel, set, wheel->far.all[i].ref);
    memset(wheel->buckets, 0, sizeof(wheel->buckets));
    flow_wheel_clear(wheel);
}

void flow_wheel_clear(struct flow_wheel *wheel)
{
    flow_heap_clear(&wheel->far);
}
