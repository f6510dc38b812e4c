/* Merging: the flows of a later table added to those of an earlier one, as if the packets of the
 * later had been read on in the earlier.
 *
 * What a flow counts adds up.  What depends on the order of packets is one of these:
 *
 * - Where a flow ends.  Whether a later flow continues an earlier one is told by its first packet
 *   alone.  But where the two make one that is longer than the active timeout, it would have ended
 *   in the midst of the later one's packets; and where a SYN is in the midst of the later one, and
 *   in the earlier one a FIN or numbers that the SYN's does not follow, too: what was counted of
 *   each part is not known, and so the merging is not exact.
 * - TCP's state and round trip: those of the parts join (see EVENT_* and join_handshake).
 * - What was retransmitted: that ends no further than what was sent before.  Where the earlier part
 *   was further than the later one's first segments are, more of those were retransmissions than
 * the later part knows.  They are in its log, which has the ends of segments that went further than
 * all before in that part, in their order: those that don't go beyond the earlier part's highest
 * count. From the first that does the two are the same.  The merging is not exact where the log
 * ends before that, and where numbers are so far apart that it is open which is higher.
 * - Fragments whose first one the earlier table knows, or that wait in it for one that is in the
 *   later: not exact.  Nor, where time matters, are those that wait at all.
 * - Time: a later table that begins before the earlier one's end is not exact where time matters,
 *   nor is one whose clock went back, or would have.
 */
#include "merge.h"

#include "hash.h"

#include "packet/protocols.h"

#include <stdlib.h>
#include <string.h>

/* --- Segments --------------------------------------------------------------------------------- */

/* How much further than a later part an earlier one may be.  What is less than FLOW_FAR from the
 * highest of a part is this much more from that of the whole: merged again and again, all of it
 * stays below the 2**31 that would turn the order around. */
#define MOST_AHEAD ((uint32_t)1 << 24)

struct joined_way {
    uint32_t seq_end;
    uint32_t retransmits; /* to be added to those of both parts */
    bool exact;
};

static struct joined_way join_segments(const struct flow *one, const struct flow *other,
                                       const struct flow_log *log, unsigned way)
{
    uint32_t highest = flow_way_of(one, way)->seq_end;
    struct joined_way out = {.seq_end = highest, .exact = true};
    bool is_short = other->marks & (way ? MARK_LOG_SHORT_1 : MARK_LOG_SHORT_0);

    if (!(other->events[way] & EVENT_SEQ))
        return out;
    if (one->events[way] & EVENT_SEQ) {
        bool further = false;
        for (unsigned i = 0; i < log->count && !further; i++) {
            uint32_t below = highest - log->seq_ends[i];
            if (log->way1[i] != way)
                continue;
            further = below >> 31 && below != (uint32_t)1 << 31;
            out.retransmits += !further && log->counts[i];
            if (!further && (below >= MOST_AHEAD || (other->events[way] & EVENT_SEQ_FAR)))
                out.exact = false;
        }
        out.exact = out.exact && (further || !is_short);
        if (!further && !is_short)
            return out;
    }
    out.seq_end = flow_way_of(other, way)->seq_end;
    return out;
}

/* --- Flows ------------------------------------------------------------------------------------ */

/* How far a SYN that a flow begins with is from what an earlier part sent: 0 where it is within
 * that, or nothing is known of it; see flow_syn_is_new(). */
static uint32_t syn_ahead(const struct flow *one, const struct flow *other)
{
    unsigned way = (other->logged & LOGGED_FIRST_WAY1) != 0;
    uint32_t ahead = other->first_seq_end - flow_way_of(one, way)->seq_end;

    return (one->events[way] & EVENT_SEQ) && -ahead >= FLOW_FAR ? ahead : 0;
}

/* Whether a flow with the same key is a part of the flow `one`. */
static bool continues(const struct flow_table *table, const struct flow *one,
                      const struct flow *other, int64_t clock)
{
    if (flow_is_over(&table->wheel.timeouts, one, clock))
        return false;
    return !((other->marks & MARK_FIRST_SYN) && (flow_is_closed(one) || syn_ahead(one, other) > 0));
}

/* Whether that SYN may be a repeated one, with data (RFC 7413) where the former had none. */
static bool syn_is_unclear(const struct flow *one, const struct flow *other)
{
    uint32_t ahead = other->marks & MARK_FIRST_SYN ? syn_ahead(one, other) : 0;

    return ahead > 0 && ahead <= UINT16_MAX;
}

/* Whether joining the two gives what one table would have. */
static bool joins_exactly(const struct flow_table *table, const struct flow *one,
                          const struct flow *other, const struct flow_logs *logs)
{
    uint8_t either = one->events[0] | one->events[1];
    struct flow_log log;

    /* of a time that was wrong: it ends later than its parts */
    if (flow_timeouts_are_set(&table->wheel.timeouts) &&
        (one->started > other->started || one->seen > other->started))
        return false;
    if (table->wheel.timeouts.active != FLOW_NEVER &&
        other->seen > nanoseconds_add(one->started, table->wheel.timeouts.active))
        return false;
    if (!flow_has_room(&table->wheel.timeouts, one, flow_first_time(other), flow_last_time(other)))
        return false;
    /* a later SYN may be another connection's */
    if ((other->marks & MARK_LATER_SYN) && (either & (EVENT_FIN | EVENT_RST | EVENT_SEQ)))
        return false;
    if (other->end_reason == END_OF_FLOW && !flow_is_closed(other) && (either & EVENT_SEQ))
        return false;
    flow_log_read(logs, other, &log);
    return join_segments(one, other, &log, 0).exact && join_segments(one, other, &log, 1).exact;
}

static void join_handshake(struct flow *one, const struct flow *other)
{
    if (one->handshake_kind > HANDSHAKE_SYN || other->handshake_kind == HANDSHAKE_NONE)
        return;
    if (one->handshake_kind == HANDSHAKE_SYN && other->handshake_kind == HANDSHAKE_SYN_ACK) {
        one->handshake_kind = HANDSHAKE_RTT;
        one->handshake = flow_handshake_time(other->handshake, one->handshake);
    } else {
        one->handshake_kind = other->handshake_kind;
        one->handshake = other->handshake;
    }
}

static void join_ways(struct flow_way *one, const struct flow_way *other)
{
    if (other->packets == 0)
        return;
    bool none = one->packets == 0 || one->first == FLOW_NO_TIME;
    if (none || (other->first < one->first && other->first != FLOW_NO_TIME))
        one->first = other->first;
    if (none || other->last > one->last)
        one->last = other->last;
    one->packets += other->packets;
    one->bytes += other->bytes;
    one->ip_bytes += other->ip_bytes;
    one->payload_bytes += other->payload_bytes;
}

/* Add to a flow's log what went further in the later part and does so in the whole. */
static void join_logs(struct flow_table *table, struct flow *one, const struct flow *other,
                      const struct flow_log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        unsigned way = log->way1[i];
        uint32_t ahead = log->seq_ends[i] - flow_way(one, way)->seq_end;
        if (!(one->events[way] & EVENT_SEQ) || (ahead != 0 && ahead >> 31 == 0))
            flow_log_append(&table->set.logs, one, log->seq_ends[i], way, log->counts[i]);
    }
    one->marks |= other->marks & MARK_LOG_SHORT;
}

static void join(struct flow_table *table, struct flow *one, const struct flow *other,
                 const struct flow_log *log)
{
    struct joined_way joined[2] = {join_segments(one, other, log, 0),
                                   join_segments(one, other, log, 1)};

    join_logs(table, one, other, log);
    for (unsigned way = 0; way < 2; way++) {
        if ((one->events[way] & EVENT_FIN) && (other->tcp_flags[!way] & TCP_ACK))
            one->events[way] |= EVENT_FIN_ACKED;
        join_ways(flow_way(one, way), flow_way_of(other, way));
        flow_way(one, way)->seq_end = joined[way].seq_end;
        flow_way(one, way)->retransmits +=
            flow_way_of(other, way)->retransmits + joined[way].retransmits;
    }
    for (unsigned way = 0; way < 2; way++) {
        one->events[way] |= other->events[way];
        one->tcp_flags[way] |= other->tcp_flags[way];
    }
    join_handshake(one, other);
    if (other->marks & (MARK_FIRST_SYN | MARK_LATER_SYN))
        one->marks |= MARK_LATER_SYN;
}

/* --- Tables ----------------------------------------------------------------------------------- */

/* A flow of the later table, its key's hash in the earlier one's index. */
struct item {
    uint64_t hash;
    flow_ref from;
};

/* A merging.  First it is looked at what there is to do, which may be given up; then the memory
 * that it may take is got; and when that is there nothing can go wrong any more. */
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

    __builtin_prefetch(flow + offsetof(struct flow, key));
    __builtin_prefetch(flow);
    __builtin_prefetch(flow + sizeof(struct flow) - 1);
}

/* Have the memory ready of a block of flows and of what they may join. */
static void look_ahead(struct merging *merging, size_t from, size_t end, bool hashed)
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
            item->hash = hash_key(table->set.index.seed, &key, v6);
        }
        flow_index_prefetch(&table->set.index, item->hash);
    }
    for (size_t i = from; i < end; i++) {
        flow_ref guess = flow_index_guess(&table->set.index, merging->items[i].hash);
        if (guess)
            prefetch_flow(table, guess);
    }
}

static flow_ref find(const struct merging *merging, const struct item *item)
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
    bool overlap = other->input.clock.begin < table->input.clock.now;
    return !(later->orphans_lost & (overlap ? ORPHANS_FULL | ORPHANS_LATE : ORPHANS_FULL));
}

/* Look at a flow; whether it can be joined exactly. */
static bool look_at(struct merging *merging, const struct item *item)
{
    const struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    const struct flow *flow = flow_at(&other->set.pool, item->from);
    flow_ref ref = find(merging, item);

    merging->found += ref != 0;
    merging->to_index += !ref && flow->end_reason == END_NONE;
    if (!ref || flow->marks & MARK_AGAIN)
        return true; /* if again, it meets what the flow before it in its table has become */
    const struct flow *one = flow_at(&table->set.pool, ref);
    if (continues(table, one, flow, flow->started))
        return joins_exactly(table, one, flow, &other->set.logs);
    return flow_is_over(&table->wheel.timeouts, one, flow->started) || flow_is_closed(one) ||
           !syn_is_unclear(one, flow);
}

/* Look at all flows; false when it was given up. */
static bool look_at_all(struct merging *merging, const struct flow_patience *patience, bool *exact)
{
    for (size_t at = 0; at < merging->count; at += AHEAD) {
        size_t end = merging->count - at < AHEAD ? merging->count : at + AHEAD;
        look_ahead(merging, at, end, false);
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

static bool add_flow(const struct merging *merging, const struct item *item, uint64_t first_number)
{
    struct flow_table *table = merging->table;
    const struct flow_table *other = merging->other;
    const struct flow *flow = flow_at(&other->set.pool, item->from);
    bool v6 = flow_ref_is_6(item->from);
    struct flow_key key = flow_key_of(flow, v6);
    uint64_t hash = item->hash;
    int64_t clock = flow->started > table->input.clock.now ? flow->started : table->input.clock.now;
    flow_ref ref = flow_set_find(&table->set, &key, hash, v6);
    struct flow *one = ref ? flow_at(&table->set.pool, ref) : NULL;
    struct flow_log log;

    flow_log_read(&other->set.logs, flow, &log);
    bool has_room = one && flow_has_room(&table->wheel.timeouts, one, flow_first_time(flow),
                                         flow_last_time(flow));
    if (has_room && continues(table, one, flow, clock)) {
        join(table, one, flow, &log);
        one->seen = flow->seen > table->input.clock.now ? flow->seen : table->input.clock.now;
        if (flow->end_reason == END_NONE)
            return true;
        bool by_time = flow->end_reason == END_IDLE || flow->end_reason == END_ACTIVE;
        return flow_table_end(
            table, ref, by_time ? flow_end_reason(&table->wheel.timeouts, one) : flow->end_reason);
    }
    if (one) {
        uint8_t reason = flow_is_over(&table->wheel.timeouts, one, clock)
                             ? flow_end_reason(&table->wheel.timeouts, one)
                         : has_room || flow_is_closed(one) ? END_OF_FLOW
                                                           : END_ACTIVE;
        if (!flow_table_end(table, ref, reason))
            return false;
    }
    bool ended = flow->end_reason != END_NONE;
    ref =
        ended ? flow_set_take_slot(&table->set, v6) : flow_set_insert(&table->set, &key, hash, v6);
    if (!ref)
        return false;
    struct flow *place = flow_at(&table->set.pool, ref);
    copy_flow(table, place, flow, &log, first_number);
    flow_set_key(place, &key, v6);
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
        look_ahead(merging, at, end, true);
        for (size_t i = at; i < end && enough; i++)
            enough = add_flow(merging, &merging->items[i], first_number);
    }
    if (table->input.clock.now == FLOW_NO_TIME) {
        table->input.clock.begin = other->input.clock.begin;
        table->input.clock.earliest = other->input.clock.earliest;
    }
    enough = enough && add_fragments(table, other);
    add_held(table, other);
    table->input.clock.went_back |= other->input.clock.went_back || is_late(table, other);
    if (other->input.clock.earliest < table->input.clock.earliest &&
        other->input.clock.earliest != FLOW_NO_TIME)
        table->input.clock.earliest = other->input.clock.earliest;
    table->input.packets += other->input.packets;
    table->input.not_ip += other->input.not_ip;
    table->input.too_short += other->input.too_short;
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
