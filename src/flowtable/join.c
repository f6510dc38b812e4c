/* Two parts of one flow made one, as if their packets had been counted in one flow.
 *
 * What a flow counts adds up.  What depends on the order of packets is one of these:
 *
 * - Where the flow ends.  Whether a later part continues an earlier one depends on its first packet
 *   alone.  But joined they may be longer than the active timeout: the flow would have ended in the
 *   midst of the later part's packets.  The same goes for a SYN in the midst of the later part, if
 *   the earlier one has a FIN, or numbers or ACKs that the SYN's is not before.  What was counted
 *   before and after that point is not known, and so joining is not exact.
 * - TCP's state and round trip: those of the parts join (see EVENT_* and join_handshake).
 * - Retransmissions: segments that end no further than what was sent before.  If the earlier part
 *   went further than the later one's first segments, more of those were retransmissions than the
 *   later part counted: those that don't go beyond the earlier part's highest.  They are in the
 *   later part's log, which has the ends of segments that went further than all before in that
 *   part.  After the first that does go beyond, the counts are right.  Joining is not exact where
 *   the log ends before that, or where numbers are so far apart that the higher is not known. */
#include "join.h"

#include "count.h"
#include "nanoseconds.h"

#include "packet/protocols.h"

/* --- Segments -------------------------------------------------------------------------------- */

/* How much further than a later part an earlier one may be.  What is less than FLOW_FAR from
 * the highest of a part is this much more from that of the whole: merged again and again, all of it
 * stays below the 2**31 that would turn the order around. */
#define MOST_AHEAD ((uint32_t)1 << 24)

struct joined_way {
    uint32_t seq_end;
    uint32_t retransmits; /* to be added to those of both parts */
    bool exact;
};

static struct joined_way join_segments(const struct flow *earlier, const struct flow *later,
                                       const struct flow_log *log, unsigned way)
{
    uint32_t highest = flow_way_of(earlier, way)->seq_end;
    struct joined_way out = {.seq_end = highest, .exact = true};
    bool is_short = later->marks & (way ? MARK_LOG_SHORT_1 : MARK_LOG_SHORT_0);
    if (!(later->events[way] & EVENT_SEQ))
        return out;
    if (earlier->events[way] & EVENT_SEQ) {
        bool further = false;
        bool may_be_syn = later->events[way] & (EVENT_SYN | EVENT_SYN_ACK);
        for (unsigned i = 0; i < log->count && !further; i++) {
            uint32_t below = highest - log->seq_ends[i];
            if (log->way1[i] != way)
                continue;
            further = below >> 31 && below != (uint32_t)1 << 31;
            out.retransmits += !further && log->counts[i];
            if (further && may_be_syn) /* a stray one in the whole */
                out.exact = false;
            may_be_syn = false;
            if (!further && (below >= MOST_AHEAD || (later->events[way] & EVENT_SEQ_FAR)))
                out.exact = false;
        }
        out.exact = out.exact && (further || !is_short);
        if (!further && !is_short)
            return out;
    }
    out.seq_end = flow_way_of(later, way)->seq_end;
    return out;
}

/* --- Flows ----------------------------------------------------------------------------------- */

/* Whether the SYN that a later part begins with is that of another connection than an earlier
 * one's, if so many of the numbers that it took were of data and a FIN. */
static bool first_syn_differs(const struct flow *earlier, const struct flow *later, uint32_t more)
{
    unsigned way = (later->logged & LOGGED_FIRST_WAY1) != 0;
    return (later->marks & MARK_FIRST_SYN) &&
           flow_syn_differs(earlier, way, later->first_seq_end - more);
}

/* Whether a later part had a SYN in its midst that would have begun another flow after the ACKs of
 * the earlier one. */
static bool syn_follows_acks(const struct flow *earlier, const struct flow *later, unsigned way)
{
    return (later->events[way] & EVENT_SYN) && (earlier->events[way] & EVENT_ACK);
}

bool flow_continues(const struct flow_timeouts *timeouts, const struct flow *earlier,
                    const struct flow *later, int64_t clock)
{
    if (flow_is_over(timeouts, earlier, clock))
        return false;
    return !first_syn_differs(earlier, later, 0);
}

bool flow_syn_is_unclear(const struct flow *earlier, const struct flow *later)
{
    unsigned way = (later->logged & LOGGED_FIRST_WAY1) != 0;
    uint64_t payload = flow_way_of(later, way)->payload_bytes;
    uint32_t most = payload < UINT16_MAX ? (uint32_t)payload : UINT16_MAX;
    most += (later->events[way] & EVENT_FIN) != 0;
    return first_syn_differs(earlier, later, 0) != first_syn_differs(earlier, later, most);
}

bool flow_joins_exactly(const struct flow_timeouts *timeouts, const struct flow *earlier,
                        const struct flow *later, const struct flow_log *log)
{
    uint8_t either = earlier->events[0] | earlier->events[1];
    /* one has wrong times: joined, the flow would end later than its parts did */
    if (flow_timeouts_are_set(timeouts) &&
        (earlier->started > later->started || earlier->seen > later->started))
        return false;
    if (timeouts->active != FLOW_NEVER &&
        later->seen > nanoseconds_add(earlier->started, timeouts->active))
        return false;
    if (!flow_has_room(timeouts, earlier, flow_first_time(later), flow_last_time(later)))
        return false;
    /* a later SYN may be another connection's */
    if ((later->marks & MARK_LATER_SYN) &&
        ((either & (EVENT_FIN | EVENT_RST | EVENT_SEQ)) || syn_follows_acks(earlier, later, 0) ||
         syn_follows_acks(earlier, later, 1)))
        return false;
    if (later->end_reason == END_OF_FLOW && !flow_is_closed(later) && (either & EVENT_SEQ))
        return false;
    if (flow_syn_is_unclear(earlier, later))
        return false;
    return join_segments(earlier, later, log, 0).exact &&
           join_segments(earlier, later, log, 1).exact;
}

static void join_handshake(struct flow *earlier, const struct flow *later)
{
    if (earlier->handshake_kind > HANDSHAKE_SYN || later->handshake_kind == HANDSHAKE_NONE)
        return;
    if (earlier->handshake_kind == HANDSHAKE_SYN && later->handshake_kind == HANDSHAKE_SYN_ACK) {
        earlier->handshake_kind = HANDSHAKE_RTT;
        earlier->handshake = flow_handshake_time(later->handshake, earlier->handshake);
    } else {
        earlier->handshake_kind = later->handshake_kind;
        earlier->handshake = later->handshake;
    }
}

static void join_ways(struct flow_way *earlier, const struct flow_way *later)
{
    if (later->packets == 0)
        return;
    bool none = earlier->packets == 0 || earlier->first == FLOW_NO_TIME;
    if (none || (later->first < earlier->first && later->first != FLOW_NO_TIME))
        earlier->first = later->first;
    if (none || later->last > earlier->last)
        earlier->last = later->last;
    earlier->packets += later->packets;
    earlier->bytes += later->bytes;
    earlier->ip_bytes += later->ip_bytes;
    earlier->payload_bytes += later->payload_bytes;
}

/* Add to a flow's log what went further in the later part and does so in the whole. */
static void join_logs(struct flow_logs *logs, struct flow *earlier, const struct flow *later,
                      const struct flow_log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        unsigned way = log->way1[i];
        uint32_t ahead = log->seq_ends[i] - flow_way(earlier, way)->seq_end;
        if (!(earlier->events[way] & EVENT_SEQ) || (ahead != 0 && ahead >> 31 == 0))
            flow_log_append(logs, earlier, log->seq_ends[i], way, log->counts[i]);
    }
    earlier->marks |= later->marks & MARK_LOG_SHORT;
}

void flow_join(struct flow *earlier, struct flow_logs *logs, const struct flow *later,
               const struct flow_log *log)
{
    struct joined_way joined[2] = {join_segments(earlier, later, log, 0),
                                   join_segments(earlier, later, log, 1)};
    join_logs(logs, earlier, later, log);
    for (unsigned way = 0; way < 2; way++) {
        if ((earlier->events[way] & EVENT_FIN) && (later->tcp_flags[!way] & TCP_ACK))
            earlier->events[way] |= EVENT_FIN_ACKED;
        join_ways(flow_way(earlier, way), flow_way_of(later, way));
        flow_way(earlier, way)->seq_end = joined[way].seq_end;
        flow_way(earlier, way)->retransmits +=
            flow_way_of(later, way)->retransmits + joined[way].retransmits;
    }
    for (unsigned way = 0; way < 2; way++) {
        earlier->events[way] |= later->events[way];
        earlier->tcp_flags[way] |= later->tcp_flags[way];
    }
    join_handshake(earlier, later);
    if (later->marks & (MARK_FIRST_SYN | MARK_LATER_SYN))
        earlier->marks |= MARK_LATER_SYN;
}
