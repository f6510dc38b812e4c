/* When flows end: their timeouts, and the wheel that finds those whose time is up.
 *
 * Time is a trace's: the latest that a packet had.  It goes back where a packet is very late, as
 * after a wrong time far in the future: there a flow ends too where it would be longer than the
 * active timeout with the packet that comes.  A flow is in the wheel's bucket for a time when it
 * may be over, no later than it is.  Packets don't move it: when the clock comes to the bucket,
 * flows that had more packets since go into the bucket of their new time, and those that are there
 * for a later turn of the wheel stay.  So a packet costs one such move at most, and touches no
 * other flow. */
#include "table.h"

#include <string.h>

int64_t flow_time_add(int64_t time, int64_t more)
{
    int64_t sum = 0;

    if (__builtin_add_overflow(time, more, &sum))
        return more > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

int64_t flow_time_sub(int64_t time, int64_t less)
{
    int64_t difference = 0;

    if (__builtin_sub_overflow(time, less, &difference))
        return less < 0 ? INT64_MAX : INT64_MIN;
    return difference;
}

int64_t flow_handshake(int64_t answer, int64_t syn)
{
    int64_t time = 0;

    return __builtin_sub_overflow(answer, syn, &time) ? -1 : time;
}

/* --- A flow's time ---------------------------------------------------------------------------- */

static int64_t idle_end(const struct flow_table *table, const struct flow *flow)
{
    return table->idle == FLOW_NEVER ? FLOW_NEVER : flow_time_add(flow->seen, table->idle);
}

static int64_t active_end(const struct flow_table *table, const struct flow *flow)
{
    return table->active == FLOW_NEVER ? FLOW_NEVER : flow_time_add(flow->started, table->active);
}

/* The last nanosecond at which a packet still belongs to it. */
static int64_t end_of(const struct flow_table *table, const struct flow *flow)
{
    int64_t idle = idle_end(table, flow);
    int64_t active = active_end(table, flow);

    return idle <= active ? idle : active;
}

bool flow_is_over(const struct flow_table *table, const struct flow *flow, int64_t clock)
{
    return clock > end_of(table, flow);
}

int64_t flow_first(const struct flow *flow)
{
    int64_t one = flow->way0.packets ? flow->way0.first : FLOW_NO_TIME;
    int64_t other = flow->way1.packets ? flow->way1.first : FLOW_NO_TIME;

    if (one == FLOW_NO_TIME || other == FLOW_NO_TIME)
        return one == FLOW_NO_TIME ? other : one;
    return one < other ? one : other;
}

int64_t flow_last(const struct flow *flow)
{
    int64_t one = flow->way0.packets ? flow->way0.last : FLOW_NO_TIME;
    int64_t other = flow->way1.packets ? flow->way1.last : FLOW_NO_TIME;

    return one > other ? one : other;
}

bool flow_has_room(const struct flow_table *table, const struct flow *flow, int64_t first,
                   int64_t last)
{
    if (table->active == FLOW_NEVER || first == FLOW_NO_TIME)
        return true;
    int64_t begin = flow_first(flow);
    int64_t end = flow_last(flow);
    return begin == FLOW_NO_TIME ||
           flow_time_sub(last > end ? last : end, first < begin ? first : begin) <= table->active;
}

uint8_t flow_end_reason(const struct flow_table *table, const struct flow *flow)
{
    if (flow_is_closed(flow))
        return END_OF_FLOW;
    return idle_end(table, flow) <= active_end(table, flow) ? END_IDLE : END_ACTIVE;
}

/* --- The wheel -------------------------------------------------------------------------------- */

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

void flow_wheel_init(struct flow_table *table, int64_t idle, int64_t active)
{
    struct flow_wheel *wheel = &table->wheel;
    int64_t shorter = idle < active ? idle : active;

    table->idle = idle;
    table->active = active;
    wheel->settled = table->clock;
    wheel->clock = table->clock;
    wheel->due = FLOW_NEVER;
    if (shorter == FLOW_NEVER)
        return;
    /* the wheel's turn is longer than a flow's time */
    while ((uint64_t)shorter >> wheel->shift > WHEEL_BUCKETS - 2)
        wheel->shift++;
    set_position(wheel, bucket_of(wheel, table->clock));
}

bool flow_wheel_is_on(const struct flow_table *table)
{
    return table->idle != FLOW_NEVER || table->active != FLOW_NEVER;
}

void flow_wheel_add(struct flow_table *table, flow_ref ref)
{
    struct flow_wheel *wheel = &table->wheel;
    struct flow *flow = flow_at(table, ref);
    int64_t end = end_of(table, flow);

    if (end == FLOW_NEVER)
        return;
    flow_ref *bucket = &wheel->buckets[bucket_of(wheel, end) % WHEEL_BUCKETS];
    flow->next = *bucket;
    *bucket = ref;
}

static void empty_bucket(struct flow_table *table, uint64_t bucket, int64_t clock)
{
    flow_ref *head = &table->wheel.buckets[bucket % WHEEL_BUCKETS];
    flow_ref ref = *head;

    *head = 0;
    while (ref) {
        struct flow *flow = flow_at(table, ref);
        flow_ref next = flow->next;
        if (next)
            __builtin_prefetch(&flow_at(table, next)->seen);
        if (!(flow->marks & MARK_LIVE))
            flow_pool_free(table, ref);
        else if (flow_is_over(table, flow, clock))
            flow_table_end(table, ref, flow_end_reason(table, flow));
        else
            flow_wheel_add(table, ref);
        ref = next;
    }
}

/* The clock goes back: first all that was over ends. */
static void turn_back(struct flow_table *table, int64_t clock)
{
    struct flow_wheel *wheel = &table->wheel;

    wheel->settled = INT64_MIN;
    if (!flow_wheel_is_on(table))
        return;
    empty_bucket(table, wheel->position, wheel->clock);
    set_position(wheel, bucket_of(wheel, clock));
}

void flow_wheel_turn(struct flow_table *table, int64_t clock)
{
    struct flow_wheel *wheel = &table->wheel;
    if (clock < wheel->clock)
        turn_back(table, clock);
    wheel->clock = clock;
    if (clock <= wheel->due || !flow_wheel_is_on(table))
        return;
    uint64_t from = wheel->position;
    uint64_t to = bucket_of(wheel, clock);
    if (to - from > WHEEL_BUCKETS)
        from = to - WHEEL_BUCKETS;
    set_position(wheel, to);
    for (; from < to; from++)
        empty_bucket(table, from, clock);
}

void flow_wheel_settle(struct flow_table *table)
{
    struct flow_wheel *wheel = &table->wheel;
    if (wheel->settled == table->clock || !flow_wheel_is_on(table))
        return;
    flow_wheel_turn(table, table->clock);
    empty_bucket(table, wheel->position, table->clock);
    wheel->settled = table->clock;
}
