/* A packet counted in its flow: the counters of its way, and what of TCP can be followed. */
#include "table.h"

#include "packet/bytes.h"
#include "packet/protocols.h"

/* --- TCP -------------------------------------------------------------------------------------- */

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

static void update_handshake(struct flow *flow, const struct flow_packet *packet)
{
    if (!(packet->tcp_flags & TCP_ACK)) {
        if (flow->handshake_kind > HANDSHAKE_SYN)
            return;
        /* of SYNs that are repeated nobody can tell which was answered (RFC 6298 section 3): most
         * often it is the last */
        flow->handshake_kind = HANDSHAKE_SYN;
        flow->handshake = packet->time;
    } else if (flow->handshake_kind == HANDSHAKE_SYN) {
        flow->handshake_kind = HANDSHAKE_RTT;
        flow->handshake = flow_handshake(packet->time, flow->handshake);
    } else if (flow->handshake_kind == HANDSHAKE_NONE) {
        flow->handshake_kind = HANDSHAKE_SYN_ACK;
        flow->handshake = packet->time;
    }
}

static void update_tcp(struct flow_table *table, struct flow *flow,
                       const struct flow_packet *packet)
{
    unsigned way = packet->way;
    uint16_t flags = packet->tcp_flags;
    uint8_t *events = &flow->events[way];

    flow->tcp_flags[way] |= flags;
    if (flags & TCP_SYN) {
        *events |= flags & TCP_ACK ? EVENT_SYN_ACK : EVENT_SYN;
        if (!(flags & TCP_RST) && packet->time != FLOW_NO_TIME)
            update_handshake(flow, packet);
    } else if (flags & TCP_ACK) {
        *events |= EVENT_ACK;
    }
    if ((flags & TCP_ACK) && (flow->events[!way] & EVENT_FIN))
        flow->events[!way] |= EVENT_FIN_ACKED;
    if (flags & TCP_FIN)
        *events |= EVENT_FIN;
    if (flags & TCP_RST)
        *events |= EVENT_RST;
    if (packet->kind & PACKET_SEGMENT) {
        bool counts = packet->kind & PACKET_COUNTS;
        if (step(flow, way, packet->seq_end))
            flow_log_append(&table->logs, flow, packet->seq_end, way, counts);
        else if (counts)
            flow_way(flow, way)->retransmits++;
    }
}

bool flow_syn_is_new(const struct flow *flow, const struct flow_packet *packet)
{
    unsigned way = packet->way;
    uint32_t first = packet->seq_end - packet->payload_bytes - ((packet->tcp_flags & TCP_FIN) != 0);
    uint32_t behind = flow_way_of(flow, way)->seq_end - first;

    /* a SYN that is repeated has the same number, which those of later segments follow */
    return flow_is_closed(flow) || ((flow->events[way] & EVENT_SEQ) && behind >= FLOW_FAR);
}

bool flow_is_closed(const struct flow *flow)
{
    uint8_t both = flow->events[0] & flow->events[1];
    uint8_t either = flow->events[0] | flow->events[1];

    return (either & EVENT_RST) || (both & EVENT_FIN);
}

const char *flow_state(const struct flow *flow, bool v6)
{
    uint8_t both = flow->events[0] & flow->events[1];
    uint8_t either = flow->events[0] | flow->events[1];

    if (flow_proto(flow, v6) != PROTO_TCP)
        return NULL;
    if (either & EVENT_RST)
        return "reset";
    if (both & EVENT_FIN)
        return both & EVENT_FIN_ACKED ? "closed" : "closing";
    if (either & EVENT_FIN)
        return "fin_wait";
    if (either & EVENT_ACK)
        return "established";
    if (either & EVENT_SYN_ACK)
        return "syn_received";
    return either & EVENT_SYN ? "syn_sent" : NULL;
}

/* --- All ------------------------------------------------------------------------------------- */

/* Forward is the first packet's way (RFC 2722), or that of FlowHome's home_key. */
static unsigned forward_way(const struct natkit_home *home, const struct flow_packet *packet)
{
    if (!home)
        return packet->way;
    struct natkit_key key = flow_key_to(&packet->key, packet->v6, packet->way);
    bool at_home = natkit_at_home(home, packet->v6 ? 6 : 4, natkit_key_dst(&key));
    return at_home ? packet->way : !packet->way;
}

/* What the packet with the lowest number tells of a flow. */
static void set_first(const struct flow_table *table, struct flow *flow,
                      const struct flow_packet *packet)
{
    flow->number = packet->number;
    flow->vlan = packet->vlan;
    flow->marks &= (uint8_t)~MARK_FWD_WAY;
    if (forward_way(table->home, packet))
        flow->marks |= MARK_FWD_WAY;
}

void flow_begin(const struct flow_table *table, struct flow *flow, const struct flow_packet *packet)
{
    set_first(table, flow, packet);
    flow->started = packet->clock;
    if (flow_is_first_syn(packet))
        flow->marks |= MARK_FIRST_SYN;
}

void flow_update(struct flow_table *table, struct flow *flow, const struct flow_packet *packet)
{
    struct flow_way *way = flow_way(flow, packet->way);

    /* a fragment that waited for its first one may have come before all others */
    if (packet->number < flow->number)
        set_first(table, flow, packet);
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
        update_tcp(table, flow, packet);
}
