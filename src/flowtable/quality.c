/* The quality of a TCP connection, counted packet by packet. */
#include "quality.h"

#include "nanoseconds.h"
#include "wide.h"

#include "packet/protocols.h"

#include <math.h>
#include <string.h>

/* Longer, in nanoseconds, no round trip is: 18 minutes, so that sums stay within 64 bits. */
#define LONGEST_RTT ((int64_t)1 << 40)

/* --- Round trips ----------------------------------------------------------------------------- */

static void add_sample(struct tcp_quality_way *way, int64_t sent, int64_t acked)
{
    int64_t time = nanoseconds_sub(acked, sent);
    if (time < 0 || time > LONGEST_RTT || way->rtt_count == UINT32_MAX)
        return;
    uint64_t rtt = (uint64_t)time;
    if (way->rtt_count == 0 || rtt < way->rtt_min)
        way->rtt_min = rtt;
    if (rtt > way->rtt_max)
        way->rtt_max = rtt;
    way->rtt_count++;
    way->rtt_sum += rtt;
    wide_add_square(way->rtt_squares, rtt);
}

/* Wait for the ACK of a segment, if there is room. */
static void time_segment(struct tcp_way_track *track, uint32_t end, int64_t time)
{
    if (track->timed_count == TIMED || time == FLOW_NO_TIME)
        return;
    unsigned at = (track->timed_first + track->timed_count) % TIMED;
    track->timed[at] =
        (struct tcp_timed){end, {(uint32_t)(uint64_t)time, (uint32_t)((uint64_t)time >> 32)}};
    track->timed_count++;
}

/* Numbers from there on were sent again or late.  Karn's rule (RFC 6298 section 3): which of them
 * an ACK answers is not known.  Nor do ACKs of later segments tell a round trip, for those wait for
 * what was missing. */
static void drop_timed(struct tcp_way_track *track, uint32_t from)
{
    while (track->timed_count > 0) {
        unsigned last = (track->timed_first + track->timed_count - 1U) % TIMED;
        if (seq_distance(from, track->timed[last].end) <= 0)
            break;
        track->timed_count--;
    }
}

/* An ACK of what the way sent. */
static void take_acked(struct tcp_way_track *track, struct tcp_quality_way *way, uint32_t ack,
                       int64_t time)
{
    while (track->timed_count > 0) {
        const struct tcp_timed *timed = &track->timed[track->timed_first];
        uint32_t end = timed->end;
        if (seq_distance(end, ack) < 0)
            break;
        /* of several segments it is the answer to the last; one in the midst of a segment, or
         * past those that are timed, answers none of them */
        if (end == ack && time != FLOW_NO_TIME)
            add_sample(way, (int64_t)((uint64_t)timed->time[1] << 32 | timed->time[0]), time);
        track->timed_first = (track->timed_first + 1U) % TIMED;
        track->timed_count--;
    }
    if (track->timed_count == 0)
        track->timed_first = 0; /* its memory is at hand */
}

bool tcp_rtt_mean(const struct tcp_quality_way *way, uint64_t *mean)
{
    if (way->rtt_count == 0)
        return false;
    *mean = way->rtt_sum / way->rtt_count;
    return true;
}

bool tcp_rtt_deviation(const struct tcp_quality_way *way, uint64_t *deviation)
{
    if (way->rtt_count < 2)
        return false;
    long double count = (long double)way->rtt_count;
    long double sum = (long double)way->rtt_sum;
    long double squares = (long double)way->rtt_squares[1] * 18446744073709551616.0L +
                          (long double)way->rtt_squares[0];
    long double variance = (squares - sum * sum / count) / (count - 1);
    *deviation = variance > 0 ? (uint64_t)sqrtl(variance) : 0;
    return true;
}

/* --- Sequence numbers ------------------------------------------------------------------------ */

static void remove_hole(struct tcp_way_track *track, unsigned n)
{
    track->hole_count--;
    memmove(&track->holes[n], &track->holes[n + 1],
            (track->hole_count - n) * sizeof(track->holes[0]));
}

/* Numbers that were passed over; the oldest hole gives way. */
static void add_hole(struct tcp_way_track *track, uint32_t start, uint32_t end)
{
    if (track->hole_count == HOLES)
        remove_hole(track, 0);
    track->holes[track->hole_count++] = (struct tcp_range){start, end};
}

static bool is_in_hole(const struct tcp_way_track *track, uint32_t seq)
{
    for (unsigned i = 0; i < track->hole_count; i++)
        if (seq_distance(track->holes[i].start, seq) >= 0 &&
            seq_distance(track->holes[i].end, seq) < 0)
            return true;
    return false;
}

/* Numbers that came late; how many of them were in holes. */
static uint32_t fill_holes(struct tcp_way_track *track, uint32_t start, uint32_t end)
{
    uint32_t filled = 0;
    for (unsigned i = 0; i < track->hole_count;) {
        struct tcp_range *hole = &track->holes[i];
        struct tcp_range old = *hole;
        uint32_t from = seq_distance(start, old.start) > 0 ? old.start : start;
        uint32_t to = seq_distance(end, old.end) > 0 ? end : old.end;
        if (seq_distance(from, to) <= 0) {
            i++;
            continue;
        }
        filled += to - from;
        if (from == old.start && to == old.end) {
            remove_hole(track, i);
            continue;
        }
        if (from == old.start) {
            hole->start = to;
        } else {
            hole->end = from;
            /* a hole in two: where there is no room for another, the later part is forgotten */
            if (to != old.end && track->hole_count < HOLES) {
                memmove(hole + 2, hole + 1, (track->hole_count - i - 1) * sizeof(*hole));
                hole[1] = (struct tcp_range){to, old.end};
                track->hole_count++;
                i++;
            }
        }
        i++;
    }
    return filled;
}

static void restart(struct tcp_way_track *track, uint32_t end)
{
    track->marks |= TRACK_SEQ;
    track->highest = end;
    track->hole_count = 0;
    track->timed_count = 0;
}

/* A segment too far from the others to be theirs.  Only one that follows it shows that it was not
 * forged, but much was not captured. */
static bool is_outlier(struct tcp_way_track *track, uint32_t start, uint32_t end)
{
    bool follows = (track->marks & TRACK_OUTLIER) && track->outlier == start;
    track->marks |= TRACK_OUTLIER;
    track->outlier = end;
    if (!follows)
        return true;
    track->marks &= (uint8_t)~TRACK_OUTLIER;
    restart(track, start);
    return false;
}

/* A segment that takes sequence numbers. */
static void count_numbers(struct tcp_way_track *track, struct tcp_quality_way *way,
                          const struct flow_packet *packet)
{
    uint32_t payload = packet->payload_bytes;
    bool syn = packet->tcp_flags & TCP_SYN;
    bool fin = packet->tcp_flags & TCP_FIN;
    uint32_t start = packet->segment.seq;
    if (payload >= FLOW_FAR)
        return;
    uint32_t end = start + payload + syn + fin;
    if (end == start)
        return;
    if (!(track->marks & TRACK_SEQ))
        restart(track, start);
    int32_t ahead = seq_distance(track->highest, start);
    /* no SYN comes after what a connection has sent */
    if (ahead >= (int32_t)FLOW_FAR || ahead <= -(int32_t)FLOW_FAR || (syn && ahead > 0)) {
        if (is_outlier(track, start, end))
            return;
        ahead = 0;
    }
    if (ahead >= 0) {
        if (ahead > 0)
            add_hole(track, track->highest, start);
        track->highest = end;
        way->unique_bytes += payload;
        time_segment(track, end, packet->time);
        return;
    }
    /* it keeps the connection alive or asks for a window: RFC 9293 sections 3.8.4 and 3.8.6.1 */
    drop_timed(track, start);
    if (payload == 1 && !syn && !fin && end == track->highest)
        return;
    bool is_further = seq_distance(track->highest, end) > 0;
    uint32_t known = is_further ? track->highest : end;
    uint32_t resent_syn = syn && !is_in_hole(track, start);
    uint32_t resent_fin = fin && !is_further && !is_in_hole(track, end - 1);
    uint32_t filled = fill_holes(track, start, known);
    uint32_t resent = known - start - filled;
    uint32_t resent_payload = resent - resent_syn - resent_fin;
    if (is_further)
        track->highest = end;
    way->resent_segments += resent > 0;
    way->resent_bytes += resent_payload;
    way->unique_bytes += payload - resent_payload;
    way->out_of_order += resent == 0;
}

/* --- Packets --------------------------------------------------------------------------------- */

static void count_times(struct tcp_way_track *track, struct tcp_quality_way *way,
                        const struct flow_packet *packet)
{
    int64_t time = packet->time;
    if (time == FLOW_NO_TIME)
        return;
    if (track->last_time != FLOW_NO_TIME && time < track->last_time) {
        track->marks |= TRACK_BACK;
    } else if (track->last_time != FLOW_NO_TIME) {
        int64_t silence = nanoseconds_sub(time, track->last_time);
        if (silence > way->longest_silence)
            way->longest_silence = silence;
    }
    track->last_time = time;
    /* where time has not gone back, the first payload is the earliest */
    if (packet->payload_bytes == 0 ||
        (track->marks & (TRACK_PAYLOAD | TRACK_BACK)) == TRACK_PAYLOAD)
        return;
    track->marks |= TRACK_PAYLOAD;
    if (way->first_payload == FLOW_NO_TIME || time < way->first_payload)
        way->first_payload = time;
}

static int64_t round_trip(int64_t from, int64_t to)
{
    if (from == FLOW_NO_TIME || to == FLOW_NO_TIME || to < from)
        return FLOW_NO_TIME;
    return nanoseconds_sub(to, from);
}

/* The three-way handshake (RFC 9293 section 3.5).  A SYN that was sent twice tells no round trip,
 * by Karn's rule. */
static void count_handshake(struct tcp_track *track, const struct flow_packet *packet)
{
    const struct flow_segment *segment = &packet->segment;
    bool ack = packet->tcp_flags & TCP_ACK;
    if (!(packet->tcp_flags & TCP_SYN)) {
        uint8_t *marks = &track->ways[packet->way].marks;
        if ((*marks & TRACK_SHAKES) && ack && segment->ack == track->syn_ack_end) {
            *marks &= (uint8_t)~TRACK_SHAKES;
            track->quality.client_rtt = round_trip(track->syn_time, packet->time);
            track->handshake = SHAKE_DONE;
        }
    } else if (!ack) {
        if (track->handshake == SHAKE_NONE) {
            track->handshake = SHAKE_SYN;
            track->client_way = packet->way;
            track->syn_time = packet->time;
        } else if (track->handshake == SHAKE_SYN) {
            track->syn_time = FLOW_NO_TIME;
        }
    } else if (track->handshake == SHAKE_SYN_ACK) {
        track->syn_time = FLOW_NO_TIME;
    } else if (track->handshake != SHAKE_DONE) {
        if (track->handshake == SHAKE_SYN && packet->way == track->client_way)
            return;
        if (track->handshake == SHAKE_SYN)
            track->quality.server_rtt = round_trip(track->syn_time, packet->time);
        track->handshake = SHAKE_SYN_ACK;
        track->client_way = !packet->way;
        track->ways[track->client_way].marks |= TRACK_SHAKES;
        track->syn_time = packet->time;
        track->syn_ack_end = segment->seq + 1 + packet->payload_bytes;
    }
}

static void count_syn(struct tcp_way_track *track, struct tcp_quality_way *way,
                      const struct flow_segment *segment)
{
    if (track->marks & TRACK_OPEN)
        return;
    way->options = segment->found & SEGMENT_SYN_OPTIONS;
    way->mss = segment->mss;
    way->scale = segment->scale;
}

static void count_window(struct tcp_quality_way *way, uint16_t window)
{
    if (window < way->window_min)
        way->window_min = window;
    if (window > way->window_max)
        way->window_max = window;
}

static void count_ack(struct tcp_track *track, const struct flow_packet *packet)
{
    const struct flow_segment *segment = &packet->segment;
    struct tcp_way_track *one = &track->ways[packet->way];
    struct tcp_way_track *other = &track->ways[!packet->way];
    struct tcp_quality_way *way = &track->quality.ways[packet->way];
    uint16_t flags = packet->tcp_flags;
    bool outstanding = (other->marks & TRACK_SEQ) && seq_distance(segment->ack, other->highest) > 0;
    /* RFC 5681 section 2 */
    if (packet->payload_bytes == 0 && !(flags & (TCP_SYN | TCP_FIN)) && outstanding &&
        (one->marks & TRACK_ACK) && segment->ack == one->ack && segment->window == one->window)
        way->dup_acks++;
    if (!(one->marks & TRACK_ACK) || seq_distance(one->ack, segment->ack) > 0)
        one->ack = segment->ack;
    one->marks |= TRACK_ACK;
    one->window = segment->window;
    if (segment->sack_blocks > 0) {
        way->sack_blocks += segment->sack_blocks;
        way->dsacks += (segment->found & SEGMENT_DSACK) != 0;
    }
    if (!(flags & TCP_SYN)) {
        if (segment->window == 0 && !(flags & TCP_FIN))
            way->zero_windows++;
        count_window(way, segment->window);
    }
    take_acked(other, &track->quality.ways[!packet->way], segment->ack, packet->time);
}

void tcp_track_begin(struct tcp_track *track)
{
    for (unsigned way = 0; way < 2; way++) {
        track->quality.ways[way].longest_silence = FLOW_NO_TIME;
        track->quality.ways[way].first_payload = FLOW_NO_TIME;
        track->quality.ways[way].window_min = UINT16_MAX;
        track->ways[way].last_time = FLOW_NO_TIME;
    }
    track->quality.server_rtt = FLOW_NO_TIME;
    track->quality.client_rtt = FLOW_NO_TIME;
    track->syn_time = FLOW_NO_TIME;
}

void tcp_track_count(struct tcp_track *track, const struct flow_packet *packet)
{
    struct tcp_way_track *one = &track->ways[packet->way];
    struct tcp_quality_way *way = &track->quality.ways[packet->way];
    uint16_t flags = packet->tcp_flags;
    count_times(one, way, packet);
    if ((flags & (TCP_FIN | TCP_RST)) && !track->quality.closed)
        track->quality.closed = (uint8_t)((flags & TCP_RST ? CLOSED_RST : CLOSED_FIN) |
                                          (packet->way ? CLOSED_WAY1 : 0));
    if (!(packet->segment.found & SEGMENT_READ))
        return;
    /* a RST answers a SYN (RFC 9293 section 3.10.7.1); what it carries is a text, if anything */
    if (flags & TCP_RST) {
        if (flags & TCP_ACK)
            take_acked(&track->ways[!packet->way], &track->quality.ways[!packet->way],
                       packet->segment.ack, packet->time);
        return;
    }
    count_handshake(track, packet);
    if (flags & TCP_SYN)
        count_syn(one, way, &packet->segment);
    else
        one->marks |= TRACK_OPEN;
    count_numbers(one, way, packet);
    if (flags & TCP_ACK)
        count_ack(track, packet);
}

/* --- What it tells --------------------------------------------------------------------------- */

/* Whether a SYN was seen without an option: one such is enough. */
static bool lacks(uint8_t options, uint8_t option)
{
    return (options & SEGMENT_OPTIONS) && !(options & option);
}

bool tcp_agreed(const struct tcp_quality *quality, uint8_t option, bool *agreed)
{
    uint8_t one = quality->ways[0].options, other = quality->ways[1].options;
    *agreed = one & other & option;
    return *agreed || lacks(one, option) || lacks(other, option);
}

bool tcp_window_scale(const struct tcp_quality *quality, unsigned way, uint8_t *scale)
{
    bool agreed = false;
    bool known = tcp_agreed(quality, SEGMENT_SCALE, &agreed);
    *scale = agreed ? quality->ways[way].scale : 0;
    return known;
}

/* --- Parts ----------------------------------------------------------------------------------- */

static void join_ways(struct tcp_quality_way *way, const struct tcp_quality_way *later)
{
    if (later->rtt_count > 0) {
        if (way->rtt_count == 0 || later->rtt_min < way->rtt_min)
            way->rtt_min = later->rtt_min;
        if (later->rtt_max > way->rtt_max)
            way->rtt_max = later->rtt_max;
    }
    way->rtt_count = later->rtt_count > UINT32_MAX - way->rtt_count
                         ? UINT32_MAX
                         : way->rtt_count + later->rtt_count;
    way->rtt_sum += later->rtt_sum;
    wide_add(way->rtt_squares, later->rtt_squares[0], later->rtt_squares[1]);
    way->resent_segments += later->resent_segments;
    way->resent_bytes += later->resent_bytes;
    way->unique_bytes += later->unique_bytes;
    way->out_of_order += later->out_of_order;
    way->dup_acks += later->dup_acks;
    way->sack_blocks += later->sack_blocks;
    way->dsacks += later->dsacks;
    way->zero_windows += later->zero_windows;
    if (later->longest_silence > way->longest_silence)
        way->longest_silence = later->longest_silence;
    if (way->first_payload == FLOW_NO_TIME ||
        (later->first_payload != FLOW_NO_TIME && later->first_payload < way->first_payload))
        way->first_payload = later->first_payload;
    if (later->window_min < way->window_min)
        way->window_min = later->window_min;
    if (later->window_max > way->window_max)
        way->window_max = later->window_max;
    if (!way->options) {
        way->options = later->options;
        way->mss = later->mss;
        way->scale = later->scale;
    }
}

void tcp_track_join(struct tcp_track *track, const struct tcp_track *later)
{
    for (unsigned way = 0; way < 2; way++) {
        join_ways(&track->quality.ways[way], &later->quality.ways[way]);
        if (later->ways[way].marks & ~(TRACK_PAYLOAD | TRACK_BACK))
            track->ways[way] = later->ways[way];
        track->ways[way].marks &= (uint8_t)~TRACK_PAYLOAD; /* the parts' first ones were compared */
    }
    if (track->quality.server_rtt == FLOW_NO_TIME)
        track->quality.server_rtt = later->quality.server_rtt;
    if (track->quality.client_rtt == FLOW_NO_TIME)
        track->quality.client_rtt = later->quality.client_rtt;
    if (!track->quality.closed)
        track->quality.closed = later->quality.closed;
    if (later->handshake != SHAKE_NONE) {
        track->syn_time = later->syn_time;
        track->syn_ack_end = later->syn_ack_end;
        track->handshake = later->handshake;
        track->client_way = later->client_way;
    }
}

/* --- Bytes that are not trusted -------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

bool tcp_quality_is_sound(const struct tcp_quality *quality)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct tcp_quality_way *way = &quality->ways[n];
        if (way->scale > 14 || way->options & ~SEGMENT_SYN_OPTIONS || way->rtt_min > way->rtt_max ||
            way->unused)
            return false;
    }
    return quality->closed <= (CLOSED_RST | CLOSED_WAY1) && quality->closed != CLOSED_WAY1 &&
           (quality->closed & (CLOSED_FIN | CLOSED_RST)) != (CLOSED_FIN | CLOSED_RST) &&
           is_zero(quality->unused, sizeof(quality->unused));
}

bool tcp_track_is_sound(const struct tcp_track *track)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct tcp_way_track *way = &track->ways[n];
        if (way->marks & ~TRACK_MARKS || way->hole_count > HOLES || way->timed_first >= TIMED ||
            way->timed_count > TIMED || !is_zero(way->unused, sizeof(way->unused)) ||
            !is_zero(way->padding, sizeof(way->padding)))
            return false;
    }
    return track->handshake <= SHAKE_DONE && track->client_way <= 1 &&
           is_zero(track->unused, sizeof(track->unused)) && tcp_quality_is_sound(&track->quality);
}
