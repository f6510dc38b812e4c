/* One packet counted in its flow: the counters of its way, and what of TCP can be followed. */
#include "count.h"

#include "packet/protocols.h"

/* --- TCP ------------------------------------------------------------------------------------- */

/* One segment more that way; whether it went further than all before. */
static bool step(struct flow *flow, unsigned way, uint32_t end)
{
    uint32_t *highest = &flow_way(flow, way)->seq_end;
    uint32_t ahead = end - *highest;
    uint32_t behind = *highest - end;
    if (!(flow->events[way] & EVENT_SEQ)) {
        flow->events[way] |= EVENT_SEQ;
        *highest = end;
        return true;
    }
    if (ahead >= FLOW_FAR && behind >= FLOW_FAR)
        flow->events[way] |= EVENT_SEQ_FAR;
    if (ahead == 0 || ahead >> 31)
        return false;
    *highest = end;
    return true;
}

static void count_handshake(struct flow *flow, const struct flow_packet *packet)
{
    if (!(packet->tcp_flags & TCP_ACK)) {
        if (flow->handshake_kind > HANDSHAKE_SYN)
            return;
        /* which of several SYNs was answered is not known (RFC 6298 section 3): most often it is
         * the last */
        flow->handshake_kind = HANDSHAKE_SYN;
        flow->handshake = packet->time;
    } else if (flow->handshake_kind == HANDSHAKE_SYN) {
        flow->handshake_kind = HANDSHAKE_RTT;
        flow->handshake = flow_handshake_time(packet->time, flow->handshake);
    } else if (flow->handshake_kind == HANDSHAKE_NONE) {
        flow->handshake_kind = HANDSHAKE_SYN_ACK;
        flow->handshake = packet->time;
    }
}

/* Whether a SYN begins after what its end has sent, as no connection's own does. */
static bool is_stray_syn(const struct flow *flow, const struct flow_packet *packet)
{
    uint32_t takes = packet->payload_bytes + 1 + ((packet->tcp_flags & TCP_FIN) != 0);
    uint32_t ahead = packet->seq_end - takes - flow_way_of(flow, packet->way)->seq_end;
    return (flow->events[packet->way] & EVENT_SEQ) && ahead != 0 && ahead >> 31 == 0;
}

static void count_tcp(struct flow *flow, struct flow_logs *logs, const struct flow_packet *packet)
{
    unsigned way = packet->way;
    uint16_t flags = packet->tcp_flags;
    uint8_t *events = &flow->events[way];
    flow->tcp_flags[way] |= flags;
    if ((flags & TCP_ACK) && (flow->events[!way] & EVENT_FIN))
        flow->events[!way] |= EVENT_FIN_ACKED;
    if (flags & TCP_FIN)
        *events |= EVENT_FIN;
    if (flags & TCP_RST)
        *events |= EVENT_RST;
    if (flags & TCP_SYN) {
        *events |= flags & TCP_ACK ? EVENT_SYN_ACK : EVENT_SYN;
        if (!(flags & TCP_RST) && packet->time != FLOW_NO_TIME)
            count_handshake(flow, packet);
        if (is_stray_syn(flow, packet)) {
            *events |= EVENT_SEQ_FAR;
            return;
        }
    } else if (flags & TCP_ACK) {
        *events |= EVENT_ACK;
    }
    if (packet->kind & PACKET_SEGMENT) {
        bool counts = packet->kind & PACKET_COUNTS;
        if (step(flow, way, packet->seq_end)) {
            if (!flow_log_is_short(flow, way))
                flow_log_append(logs, flow, packet->seq_end, way, counts);
        } else if (counts) {
            flow_way(flow, way)->retransmits++;
        }
    }
}

/* How far before the end of the first segment of its way a SYN may be: twice what a segment has.
 * One of the SYN and its repetition may have data (RFC 7413), and a segment may have come before
 * it. */
#define SYN_NEAR ((uint32_t)1 << 17)

bool flow_syn_differs(const struct flow *flow, unsigned way, uint32_t next)
{
    bool is_first = way == ((flow->logged & LOGGED_FIRST_WAY1) != 0);
    uint32_t known = is_first ? flow->first_seq_end : flow_way_of(flow, way)->seq_end;
    if (flow_is_closed(flow))
        return true;
    if (!(flow->events[way] & EVENT_SEQ))
        return flow->events[way] & EVENT_ACK; /* no SYN comes after the ACK of its answer */
    /* a SYN that is repeated has the same number; that of another connection is any
     * (RFC 9293 section 3.4.1) */
    return known - next > SYN_NEAR;
}

bool flow_syn_is_new(const struct flow *flow, const struct flow_packet *packet)
{
    uint32_t next = packet->seq_end - packet->payload_bytes - ((packet->tcp_flags & TCP_FIN) != 0);
    return flow_syn_differs(flow, packet->way, next);
}

/* --- Packets --------------------------------------------------------------------------------- */

/* Forward is the first packet's way (RFC 2722), or that into the home network. */
static unsigned forward_way(const struct flow_home *home, const struct flow_packet *packet)
{
    if (!home->contains)
        return packet->way;
    struct flow_tuple tuple = flow_key_to_tuple(&packet->key, packet->v6, packet->way);
    uint8_t address[16] = {0};
    flow_end_store(&tuple.dst, packet->v6, address);
    return home->contains(home->context, packet->v6, address) ? packet->way : !packet->way;
}

/* What the packet with the lowest number tells of a flow. */
static void set_first(struct flow *flow, const struct flow_home *home,
                      const struct flow_packet *packet)
{
    flow->number = packet->number;
    flow->vlan = packet->vlan;
    if (flow->marks & MARK_TUNNELS)
        flow_tail(flow, packet->v6)->tunnel = packet->tunnel;
    flow->marks &= (uint8_t)~MARK_FWD_WAY;
    if (forward_way(home, packet))
        flow->marks |= MARK_FWD_WAY;
}

void flow_begin(struct flow *flow, const struct flow_home *home, const struct flow_packet *packet)
{
    set_first(flow, home, packet);
    flow->started = packet->clock;
    if (flow_packet_is_first_syn(packet))
        flow->marks |= MARK_FIRST_SYN;
}

void flow_count(struct flow *flow, struct flow_logs *logs, const struct flow_home *home,
                const struct flow_packet *packet)
{
    struct flow_way *way = flow_way(flow, packet->way);
    /* a fragment that waited for its first one may have come before all others */
    if (packet->number < flow->number)
        set_first(flow, home, packet);
    if (way->packets == 0 || way->first == FLOW_NO_TIME) {
        way->first = packet->time;
        way->last = packet->time;
    } else if (packet->time > way->last) {
        way->last = packet->time;
    } else if (packet->time < way->first && packet->time != FLOW_NO_TIME) {
        way->first = packet->time;
    }
    way->packets++;
    way->bytes += packet->bytes;
    way->ip_bytes += packet->ip_bytes;
    way->payload_bytes += packet->payload_bytes;
    flow->seen = packet->clock;
    if (packet->kind & PACKET_TCP)
        count_tcp(flow, logs, packet);
}
