/* Merging: the flows of a later table added to those of an earlier one, as if the packets of the
 * later had been read on in the earlier.
 *
 * A flow of the later table that continues one of the earlier is joined with it: see join.c, which
 * says where that is not exact.  Nor is the merging exact for these:
 *
 * - Fragments whose first one is in the earlier table, and those that wait in it for one in the
 *   later; with timeouts, any that wait.
 * - First packets and statistics: fragments that wait in the earlier table, for these are counted
 *   in the order in which their flows get them.
 * - TCP quality: any flow of a TCP connection that goes on across the border.
 * - Time: a later table that begins before the earlier one's end, where there are timeouts, one
 *   whose clock went back, or would have, and one that begins with packets without a time. */
#include "merge.h"

#include "hash.h"
#include "join.h"

#include "common/prefetch.h"

#include <stdlib.h>
#include <string.h>

/* --- Tables ---------------------------------------------------------------------------------- */

/* A flow of the later table, its key's hash in the earlier one's index. */
struct item {
    uint64_t hash;
    flow_ref from;
};

/* A merging.  First all flows are looked at, which may be given up; then all memory is reserved
 * that adding them may need, so that nothing can fail after that. */
struct merging {
    struct flow_table *table;
    const struct flow_table *other;
    struct item *items; /* owned: those that ended first, so that of a key the earlier come first */
    size_t count;
    size_t found;    /* those whose key has a flow in the table */
    size_t to_index; /* new keys */
};

enum { AHEAD = 64, STRETCH = 1 << 16 };

/* All flows of the later table; false when out of memory. */
static bool list_items(struct merging *merging)
{
    const struct flow_table *other = merging->other;
    const struct flow_pool *pool = &other->set.pool;
    struct item *items =
        malloc((size_t)(other->set.index.count + other->set.ended + 1) * sizeof(*items));
    size_t count = 0;
    merging->items = items;
    if (!items)
        return false;
    for (flow_ref ref = other->set.ended_first; ref; ref = flow_at(pool, ref)->next)
        items[count++].from = ref;
    for (flow_ref ref = flow_pool_next(pool, 0); ref; ref = flow_pool_next(pool, ref))
        if (flow_at(pool, ref)->marks & MARK_LIVE)
            items[count++].from = ref;
    merging->count = count;
    return true;
}

static void prefetch_flow(const struct flow_table *table, flow_ref ref)
{
    const uint8_t *flow = (const uint8_t *)flow_at(&table->set.pool, ref);
    prefetch(flow + offsetof(struct flow, key));
    prefetch(flow);
    prefetch(flow + sizeof(struct flow) - 1);
}

/* Have the memory ready of a block of flows and of what they may join. */
static void prefetch_items(struct merging *merging, size_t from, size_t end, bool hashed)
{
    const struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    for (size_t i = from; i < end; i++) {
        struct item *item = &merging->items[i];
        bool v6 = flow_ref_is_6(item->from);
        if (i + AHEAD < merging->count)
            prefetch_flow(other, merging->items[i + AHEAD].from);
        if (!hashed) {
            struct flow_key key = flow_key_of(flow_at(&other->set.pool, item->from), v6);
            item->hash = hash_key(&table->set.index.hash, &key, v6);
        }
        flow_index_prefetch(&table->set.index, item->hash);
    }
    for (size_t i = from; i < end; i++) {
        flow_ref guess = flow_index_guess(&table->set.index, merging->items[i].hash);
        if (guess)
            prefetch_flow(table, guess);
    }
}

static flow_ref find_item(const struct merging *merging, const struct item *item)
{
    bool v6 = flow_ref_is_6(item->from);
    struct flow_key key = flow_key_of(flow_at(&merging->other->set.pool, item->from), v6);
    return flow_set_find(&merging->table->set, &key, item->hash, v6);
}

/* Whether the clock goes back where the later table begins. */
static bool is_late(const struct flow_table *table, const struct flow_table *other)
{
    return table->input.clock.now != FLOW_NO_TIME && other->input.clock.earliest != FLOW_NO_TIME &&
           nanoseconds_sub(table->input.clock.now, other->input.clock.earliest) > FLOW_LATE;
}

/* Whether the clock of the later table is that which it would have had. */
static bool times_are_exact(const struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *fragments = &other->input.fragments;
    if (other->input.clock.now == FLOW_NO_TIME)
        return !flow_timeouts_are_set(&table->wheel.timeouts) && fragments->count == 0 &&
               fragments->orphan_count == 0;
    if (other->input.clock.went_back || is_late(table, other))
        return false;
    /* packets without a time came first: the clock would have been that of the earlier table */
    if (other->input.clock.earliest == FLOW_NO_TIME && table->input.clock.now != FLOW_NO_TIME)
        return false;
    if (other->input.clock.begin >= table->input.clock.now)
        return true;
    return table->wheel.timeouts.idle == FLOW_NEVER && table->wheel.timeouts.active == FLOW_NEVER &&
           fragments->count == 0 && fragments->orphan_count == 0;
}

/* Whether none of those that wait in the earlier table could have met its first one. */
static bool waiting_are_exact(const struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *earlier = &table->input.fragments;
    const struct flow_fragments *later = &other->input.fragments;
    uint64_t waiting = flow_fragments_held(earlier);
    if (waiting == 0)
        return true;
    if (table->set.pool.has_statistics || table->set.pool.early > 0)
        return false;
    if (waiting + flow_fragments_held(later) >= HELD)
        return false;
    if (flow_timeouts_are_set(&table->wheel.timeouts) || later->count > FRAGMENTS ||
        waiting + later->orphan_count >= HELD || (later->orphans_lost & ORPHANS_FULL))
        return false;
    for (uint64_t i = earlier->held_first; i != earlier->held_end; i++) {
        const struct held_fragment *held = &earlier->held[i % HELD];
        if (!held->found && flow_fragments_followed(later, &held->key, earlier->wait, held->clock))
            return false;
    }
    return true;
}

static bool fragments_are_exact(const struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *later = &other->input.fragments;
    if (!waiting_are_exact(table, other))
        return false;
    if (table->input.fragments.count == 0)
        return true;
    for (uint32_t i = 0; i < later->orphan_count; i++)
        if (flow_fragments_find(&table->input.fragments, &later->orphans[i].key,
                                later->orphans[i].clock))
            return false;
    /* first ones of before the clock went back came at later times than those of its end */
    bool overlap =
        other->input.clock.begin < table->input.clock.now || table->input.clock.went_back;
    return !(later->orphans_lost & (overlap ? ORPHANS_FULL | ORPHANS_LATE : ORPHANS_FULL));
}

/* Whether it is known if a flow has room for the SYN that a later part's flow begins with: that
 * came at its part's clock, or before, where other packets of its flow have earlier times. */
static bool room_is_known(const struct flow_timeouts *timeouts, const struct flow *one,
                          const struct flow *later)
{
    int64_t first = flow_first_time(later);
    int64_t last = flow_last_time(later);
    int64_t most = later->started < last ? later->started : last;
    return first == later->started || flow_is_closed(one) ||
           flow_has_room(timeouts, one, first, most);
}

/* Look at a flow; whether it can be joined exactly. */
static bool look_at(struct merging *merging, const struct item *item)
{
    const struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    const struct flow_timeouts *timeouts = &table->wheel.timeouts;
    const struct flow *flow = flow_at(&other->set.pool, item->from);
    flow_ref ref = find_item(merging, item);
    struct flow_log log;
    merging->found += ref != 0;
    merging->to_index += !ref && flow->end_reason == END_NONE;
    if (!ref || flow->marks & MARK_AGAIN)
        return true; /* if again, it meets what the flow before it in its table has become */
    const struct flow *one = flow_at(&table->set.pool, ref);
    if (!flow_continues(timeouts, one, flow, flow->started))
        return flow_is_over(timeouts, one, flow->started) ||
               (!flow_syn_is_unclear(one, flow) && room_is_known(timeouts, one, flow));
    /* what the first segments of the later part were, new or sent again, is not known in it */
    if (flow_set_track(&table->set, ref) && flow_set_track(&other->set, item->from))
        return false;
    flow_log_read(&other->set.logs, flow, &log);
    return flow_joins_exactly(timeouts, one, flow, &log);
}

/* Look at all flows; false when it was given up. */
static bool look_at_all(struct merging *merging, const struct flow_patience *patience, bool *exact)
{
    for (size_t at = 0; at < merging->count; at += AHEAD) {
        size_t end = merging->count - at < AHEAD ? merging->count : at + AHEAD;
        prefetch_items(merging, at, end, false);
        for (size_t i = at; i < end; i++)
            *exact &= look_at(merging, &merging->items[i]);
        if (end % STRETCH == 0 && !patience->lasts(patience->context))
            return false;
    }
    return true;
}

/* Room for all that may be new, so that adding can't fail half-way; false when out of memory.  A
 * flow that meets another may need a place for that, which ends, and one for itself. */
static bool reserve(const struct merging *merging)
{
    const struct flow_table *other = merging->other;
    size_t count[2] = {merging->found, merging->found};
    for (size_t i = 0; i < merging->count; i++)
        count[flow_ref_is_6(merging->items[i].from)]++;
    return flow_set_reserve(&merging->table->set, count, merging->to_index) &&
           flow_fragments_reserve(&merging->table->input.fragments,
                                  other->input.fragments.count > 0,
                                  other->input.fragments.orphan_count > 0,
                                  flow_fragments_held(&other->input.fragments) > 0);
}

/* Copy a flow of another table to a place in this one. */
static void copy_flow(struct flow_table *table, struct flow *place, const struct flow *flow,
                      const struct flow_log *log, uint64_t first_number)
{
    memcpy(place, flow, sizeof(*place));
    place->next = 0;
    place->log = 0;
    place->logged = 0;
    place->first_seq_end = 0;
    place->marks &= (uint8_t)~MARK_LOG_SHORT;
    place->number += first_number;
    if (place->started < table->input.clock.now)
        place->started = table->input.clock.now;
    if (place->seen < table->input.clock.now)
        place->seen = table->input.clock.now;
    for (unsigned i = 0; i < log->count; i++)
        flow_log_append(&table->set.logs, place, log->seq_ends[i], log->way1[i], log->counts[i]);
    place->marks |= flow->marks & MARK_LOG_SHORT;
}

/* Give a flow the track of a later part, or join it with that. */
static void add_track(struct flow_set *set, flow_ref ref, const struct tcp_track *later)
{
    struct flow *flow = flow_at(&set->pool, ref);
    bool v6 = flow_ref_is_6(ref);
    bool joins = flow_set_track(set, ref) != NULL;
    if (!later)
        return;
    struct tcp_track *track = flow_set_make_track(set, flow, v6);
    if (joins)
        tcp_track_join(track, later);
    else
        *track = *later;
}

/* Join with a flow what a later part has beside its own, before that is joined. */
static void join_more(struct flow_set *set, flow_ref ref, const struct flow_set *other,
                      flow_ref from)
{
    bool v6 = flow_ref_is_6(ref);
    const struct flow *flow = flow_at(&set->pool, ref);
    const struct flow *later = flow_at(&other->pool, from);
    if (set->pool.early > 0)
        early_join(flow_early_at(&set->pool, flow, v6), set->pool.early, flow,
                   flow_early_at(&other->pool, later, v6), later);
    if (set->pool.has_statistics)
        flow_statistics_join(flow_statistics_at(&set->pool, flow, v6),
                             flow_statistics_at(&other->pool, later, v6));
}

/* Why the flow that a later part was joined with has ended, where that part has. */
static uint8_t joined_reason(const struct flow_timeouts *timeouts, const struct flow *one,
                             uint8_t reason)
{
    /* it began no later than its part, but what made that too long may have been late */
    if (reason == END_ACTIVE && !flow_is_closed(one))
        return END_ACTIVE;
    return reason == END_ACTIVE || reason == END_IDLE ? flow_end_reason(timeouts, one) : reason;
}

/* Why a flow that a later part's flow does not continue has ended.  Where that begins with the SYN
 * of another connection, this packet alone decides, as it does in one table. */
static uint8_t earlier_reason(const struct flow_timeouts *timeouts, const struct flow *one,
                              const struct flow *later, int64_t clock)
{
    if (flow_is_over(timeouts, one, clock))
        return flow_end_reason(timeouts, one);
    int64_t first = flow_first_time(later);
    int64_t last = flow_continues(timeouts, one, later, clock) ? flow_last_time(later) : first;
    bool has_room = flow_has_room(timeouts, one, first, last);
    return has_room || flow_is_closed(one) ? END_OF_FLOW : END_ACTIVE;
}

static bool add_flow(const struct merging *merging, const struct item *item, uint64_t first_number)
{
    struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    const struct flow_timeouts *timeouts = &table->wheel.timeouts;
    const struct flow *flow = flow_at(&other->set.pool, item->from);
    bool v6 = flow_ref_is_6(item->from);
    struct flow_key key = flow_key_of(flow, v6);
    uint64_t hash = item->hash;
    int64_t clock = flow->started > table->input.clock.now ? flow->started : table->input.clock.now;
    flow_ref ref = flow_set_find(&table->set, &key, hash, v6);
    struct flow *one = ref ? flow_at(&table->set.pool, ref) : NULL;
    struct flow_log log;
    flow_log_read(&other->set.logs, flow, &log);
    if (one && flow_has_room(timeouts, one, flow_first_time(flow), flow_last_time(flow)) &&
        flow_continues(timeouts, one, flow, clock)) {
        join_more(&table->set, ref, &other->set, item->from);
        flow_join(one, &table->set.logs, flow, &log);
        add_track(&table->set, ref, flow_set_track(&other->set, item->from));
        bool earlier = one->seen > flow->seen && one->seen > table->input.clock.now;
        one->seen = flow->seen > table->input.clock.now ? flow->seen : table->input.clock.now;
        if (flow->end_reason != END_NONE)
            return flow_table_end(table, ref, joined_reason(timeouts, one, flow->end_reason));
        return !earlier || flow_table_put_earlier(table, ref);
    }
    if (one && !flow_table_end(table, ref, earlier_reason(timeouts, one, flow, clock)))
        return false;
    bool ended = flow->end_reason != END_NONE;
    ref =
        ended ? flow_set_take_slot(&table->set, v6) : flow_set_insert(&table->set, &key, hash, v6);
    if (!ref)
        return false;
    struct flow *place = flow_at(&table->set.pool, ref);
    join_more(&table->set, ref, &other->set, item->from);
    copy_flow(table, place, flow, &log, first_number);
    flow_set_key(place, &key, v6);
    if (place->marks & MARK_TUNNELS)
        flow_tail(place, v6)->tunnel = flow_tunnel(flow, v6);
    add_track(&table->set, ref, flow_set_track(&other->set, item->from));
    if (one)
        place->marks |= MARK_AGAIN;
    if (ended)
        flow_set_add_ended(&table->set, ref, flow->end_reason);
    else
        flow_wheel_add(&table->wheel, &table->set.pool, ref);
    return true;
}

/* Those that wait in the later table, for which there is room. */
static void add_held(struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *later = &other->input.fragments;
    for (uint64_t i = later->held_first; i != later->held_end; i++) {
        struct held_fragment held = later->held[i % HELD];
        held.number += table->input.packets;
        if (held.clock < table->input.clock.now)
            held.clock = table->input.clock.now;
        if (!held.found)
            flow_fragments_add_held(&table->input.fragments, &held);
    }
}

/* Have room for them: the earlier table's give way.  False when out of memory. */
static bool reserve_held(struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *earlier = &table->input.fragments;
    const struct flow_fragments *later = &other->input.fragments;
    uint64_t more = flow_fragments_held(later);
    return flow_fragments_held(earlier) + more < HELD || flow_table_catch_up(table, true);
}

static bool add_fragments(struct flow_table *table, const struct flow_table *other)
{
    const struct flow_fragments *later = &other->input.fragments;
    uint64_t from = later->count > FRAGMENTS ? later->count - FRAGMENTS : 0;
    for (; from < later->count; from++)
        if (!flow_fragments_add(&table->input.fragments, &later->ring[from % FRAGMENTS]))
            return false;
    for (uint32_t i = 0; i < later->orphan_count; i++)
        if (!flow_fragments_add_orphan(&table->input.fragments, &later->orphans[i].key,
                                       later->orphans[i].clock, table->input.clock.begin))
            return false;
    table->input.fragments.orphans_lost |= later->orphans_lost;
    return true;
}

/* All of the later table, for which there is room. */
static bool add_all(struct merging *merging)
{
    struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    uint64_t first_number = table->input.packets;
    bool enough = true;
    for (size_t at = 0; at < merging->count && enough; at += AHEAD) {
        size_t end = merging->count - at < AHEAD ? merging->count : at + AHEAD;
        prefetch_items(merging, at, end, true);
        for (size_t i = at; i < end && enough; i++)
            enough = add_flow(merging, &merging->items[i], first_number);
    }
    if (table->input.clock.now == FLOW_NO_TIME) {
        table->input.clock.begin = other->input.clock.begin;
        table->input.clock.earliest =
            table->input.packets == 0 ? other->input.clock.earliest : FLOW_NO_TIME;
    }
    enough = enough && add_fragments(table, other);
    add_held(table, other);
    table->input.clock.went_back |= other->input.clock.went_back || is_late(table, other);
    if (other->input.clock.earliest < table->input.clock.earliest &&
        other->input.clock.earliest != FLOW_NO_TIME)
        table->input.clock.earliest = other->input.clock.earliest;
    input_count(&table->input.packets, (int64_t)other->input.packets);
    input_count(&table->input.not_ip, (int64_t)other->input.not_ip);
    input_count(&table->input.too_short, (int64_t)other->input.too_short);
    table->set.handed_out += other->set.handed_out;
    if (other->input.clock.now > table->input.clock.now)
        table->input.clock.now = other->input.clock.now;
    flow_wheel_unsettle(&table->wheel);
    return enough;
}

enum flow_merge_result flow_table_merge(struct flow_table *table, const struct flow_table *other,
                                        bool only_exact, const struct flow_patience *patience)
{
    struct merging merging = {.table = table, .other = other};
    bool exact = true;
    bool enough = true;
    if (other->input.packets == 0)
        return MERGE_EXACT;
    if (table->input.packets > 0)
        exact = times_are_exact(table, other) && fragments_are_exact(table, other) &&
                other->set.handed_out == 0;
    if (only_exact && !exact)
        return MERGE_INEXACT;
    if (!reserve_held(table, other) || !list_items(&merging))
        return MERGE_NO_MEMORY;
    bool lasts = look_at_all(&merging, patience, &exact);
    if (lasts && (exact || !only_exact))
        enough = reserve(&merging) && add_all(&merging);
    free(merging.items);
    if (!lasts)
        return MERGE_GIVEN_UP;
    if (!enough)
        return MERGE_NO_MEMORY;
    return exact ? MERGE_EXACT : MERGE_INEXACT;
}
