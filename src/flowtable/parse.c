/* A packet's headers read for its flow. */
#include "parse.h"

#include "packet/bytes.h"
#include "packet/fivetuple.h"
#include "packet/protocols.h"
#include "packet/values.h"

/* --- TCP ------------------------------------------------------------------------------------- */

static void read_tcp(const struct plt_packet *packet, struct flow_packet *out)
{
    const uint8_t *header = transport_bytes(packet, 0, 14);
    if (!header)
        return;
    out->kind = PACKET_TCP;
    out->tcp_flags = load_be16(header + 12) & 0xfff;
    uint32_t takes =
        out->payload_bytes + ((out->tcp_flags & TCP_SYN) != 0) + ((out->tcp_flags & TCP_FIN) != 0);
    if (takes == 0)
        return;
    out->kind |= PACKET_SEGMENT;
    out->seq_end = load_be32(header + 4) + takes;
    /* a byte that comes again keeps a connection alive or asks for a window: RFC 9293 sections
     * 3.8.4 and 3.8.6.1 */
    if (takes > 1 || out->payload_bytes == 0)
        out->kind |= PACKET_COUNTS;
}

/* --- Fragments ------------------------------------------------------------------------------- */

/* Remember the ports of a first fragment. */
static void add_first(struct flow_input *input, const struct fragment_key *key,
                      const struct flow_tuple *tuple)
{
    struct fragment first = {.key = *key,
                             .clock = input->clock.now,
                             .src_port = tuple->src.port,
                             .dst_port = tuple->dst.port,
                             .proto = tuple->proto};
    if (!flow_fragments_add(&input->fragments, &first))
        input->fragments_lost = true;
    flow_fragments_claim(&input->fragments, &first);
}

/* Read a fragment, and give a later one the ports and protocol of the first where that was seen;
 * whether it is to wait for it. */
static bool read_fragment(struct flow_input *input, const struct plt_packet *packet,
                          struct fragment_key *key, struct flow_tuple *tuple)
{
    if (!fragment_key_of(packet, key))
        return false;
    if (input->by_vlan)
        flow_words_set_vlan(key->words, tuple->v6, packet->layers->vlan_id);
    if (packet->tunnel)
        key->tunnel = flow_tunnel_key(flow_tunnel_word(packet->tunnel));
    if (!packet->layers->fragment) {
        add_first(input, key, tuple);
        return false;
    }
    const struct fragment *first = flow_fragments_find(&input->fragments, key, input->clock.now);
    if (first) {
        tuple->proto = first->proto;
        tuple->src.port = first->src_port;
        tuple->dst.port = first->dst_port;
        return false;
    }
    if (!flow_fragments_add_orphan(&input->fragments, key, input->clock.now, input->clock.begin))
        input->fragments_lost = true;
    return true;
}

/* --- Packets --------------------------------------------------------------------------------- */

/* The five-tuple of a packet; false where it belongs to no flow, which is counted. */
static bool read_tuple(struct flow_input *input, const struct plt_packet *packet,
                       struct flow_tuple *out)
{
    struct fivetuple found;
    enum fivetuple_result result = packet_fivetuple(packet, &found);
    bool v6 = packet->layers->version == 6;
    if (result != FIVETUPLE_OK) {
        input->not_ip += result == FIVETUPLE_NOT_IP;
        input->too_short += result != FIVETUPLE_NOT_IP;
        return false;
    }
    out->src = flow_end_load(found.addresses, v6, found.src_port);
    out->dst = flow_end_load(found.addresses + (v6 ? 16 : 4), v6, found.dst_port);
    out->proto = found.proto;
    out->v6 = v6;
    return true;
}

static bool read_packet(struct flow_input *input, const struct plt_packet *packet,
                        struct flow_packet *out)
{
    const struct plt_layers *layers = packet->layers;
    struct flow_tuple tuple;
    struct fragment_key fragment;
    struct plt_payload payload;
    out->number = input->packets++;
    if (plt_time_ns(packet->meta, &out->time))
        flow_clock_advance(&input->clock, out->time);
    else
        out->time = FLOW_NO_TIME;
    if (!read_tuple(input, packet, &tuple))
        return false;
    bool waits = (layers->fragment || layers->more_fragments) &&
                 read_fragment(input, packet, &fragment, &tuple);
    out->v6 = tuple.v6;
    out->way = (uint8_t)flow_key_from_tuple(&tuple, &out->key);
    if (input->by_vlan)
        flow_words_set_vlan(out->key.words, out->v6, layers->vlan_id);
    out->tunnel = flow_tunnel_word(packet->tunnel);
    if (packet->tunnel)
        out->key.tunnel = flow_tunnel_key(out->tunnel);
    out->clock = input->clock.now;
    out->bytes = packet->meta->wire_len;
    out->vlan = layers->vlan_id;
    out->kind = 0;
    out->payload_bytes = 0;
    out->ip_bytes = layers->ip_len;
    if (layers->fragment) {
        uint32_t headers = layers->payload - layers->layer3;
        if (layers->payload != PLT_ABSENT && out->ip_bytes > headers)
            out->payload_bytes = out->ip_bytes - headers;
        if (waits && flow_fragments_hold(&input->fragments, &fragment, out))
            return false;
        input->fragments_lost |= waits;
        if (!fragment_has_payload(tuple.proto))
            out->payload_bytes = 0;
    } else {
        if (packet_payload(packet, &payload))
            out->payload_bytes = payload.len;
        if (tuple.proto == PROTO_TCP)
            read_tcp(packet, out);
        if (input->segments && (out->kind & PACKET_TCP))
            flow_segment_read(packet, &out->segment);
    }
    return true;
}

bool flow_input_packet(struct flow_input *input, const struct plt_packet *packet,
                       struct flow_packet *out)
{
    struct plt_packet inner = *packet;
    struct innermost room;
    if (input->decap && tunnel_innermost(&inner, &input->ports, &room))
        return read_packet(input, &inner, out);
    return read_packet(input, packet, out);
}
