/* A packet's headers read for its flow. */
#include "parse.h"

#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/fivetuple.h"
#include "packet/protocols.h"
#include "packet/straight.h"
#include "packet/values.h"

/* --- TCP ------------------------------------------------------------------------------------- */

static inline void read_tcp(const struct plt_transport *tcp, struct flow_packet *out)
{
    const uint8_t *header = tcp->bytes;
    if (tcp->captured < 14)
        return;
    out->kind = PACKET_TCP;
    out->tcp_flags = load_be16(header + 12) & 0xfff;
    uint32_t takes =
        out->payload_bytes + ((out->tcp_flags & TCP_SYN) != 0) + ((out->tcp_flags & TCP_FIN) != 0);
    out->seq_end = load_be32(header + 4) + takes;
    if (takes > 0)
        out->kind |= PACKET_SEGMENT;
    /* a byte that comes again keeps a connection alive or asks for a window: RFC 9293 sections
     * 3.8.4 and 3.8.6.1 */
    if (takes > 1 || (takes == 1 && out->payload_bytes == 0))
        out->kind |= PACKET_COUNTS;
}

/* What the transport of a packet tells of it, unless that is a later fragment. */
static inline void read_transport(const struct flow_input *input,
                                  const struct plt_transport *transport, uint8_t proto,
                                  struct flow_packet *out)
{
    uint32_t header = 0;
    out->kind = 0;
    out->payload_bytes = 0;
    if (!transport_split(transport, proto, &header, &out->payload_bytes))
        out->payload_bytes = 0;
    if (proto == PROTO_TCP)
        read_tcp(transport, out);
    if (input->segments && (out->kind & PACKET_TCP))
        flow_segment_read(transport, &out->segment);
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
        input_count(result == FIVETUPLE_NOT_IP ? &input->not_ip : &input->too_short, 1);
        return false;
    }
    out->src = flow_end_load(found.addresses, v6, found.src_port);
    out->dst = flow_end_load(found.addresses + (v6 ? 16 : 4), v6, found.dst_port);
    out->proto = found.proto;
    out->v6 = v6;
    return true;
}

/* A packet's number and time. */
static inline void begin_packet(struct flow_input *input, const struct plt_meta *meta,
                                struct flow_packet *out)
{
    out->number = input->packets;
    input_count(&input->packets, 1);
    out->bytes = meta->wire_len;
    if (plt_time_ns(meta, &out->time))
        flow_clock_advance(&input->clock, out->time, out->number == 0);
    else
        out->time = FLOW_NO_TIME;
    out->clock = input->clock.now;
}

static bool read_packet(struct flow_input *input, const struct plt_packet *packet,
                        struct flow_packet *out)
{
    const struct plt_layers *layers = packet->layers;
    struct flow_tuple tuple;
    struct fragment_key fragment;
    begin_packet(input, packet->meta, out);
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
    out->vlan = layers->vlan_id;
    out->ip_bytes = layers->ip_len;
    if (layers->fragment) {
        out->kind = 0;
        out->payload_bytes = 0;
        uint32_t headers = layers->payload - layers->layer3;
        if (layers->payload != PLT_ABSENT && out->ip_bytes > headers)
            out->payload_bytes = out->ip_bytes - headers;
        if (waits && flow_fragments_hold(&input->fragments, &fragment, out))
            return false;
        input->fragments_lost |= waits;
        if (!fragment_has_payload(tuple.proto))
            out->payload_bytes = 0;
    } else {
        struct plt_transport transport = packet_transport(packet);
        read_transport(input, &transport, tuple.proto, out);
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

/* --- Records --------------------------------------------------------------------------------- */

/* The key of a packet on the straight path, and its way. */
static inline void read_straight_key(const struct plt_layers *layers, const uint8_t *ip,
                                     const struct plt_transport *transport, struct flow_packet *out)
{
    bool has_ports = proto_has_ports(layers->proto) && transport->captured >= 4;
    uint32_t ports = has_ports ? load_be32(transport->bytes) : 0;
    if (layers->version == 4) {
        uint64_t from = (uint64_t)load_be32(ip + 12) << 16 | ports >> 16;
        uint64_t to = (uint64_t)load_be32(ip + 16) << 16 | (ports & UINT16_MAX);
        out->way = (uint8_t)flow_key_from_ends4(from, to, layers->proto, &out->key);
        return;
    }
    struct flow_tuple tuple = {.src = flow_end_load(ip + 8, true, (uint16_t)(ports >> 16)),
                               .dst = flow_end_load(ip + 24, true, (uint16_t)ports),
                               .proto = layers->proto,
                               .v6 = true};
    out->way = (uint8_t)flow_key_from_tuple(&tuple, &out->key);
}

/* A record on the straight path, where no fragment is and all of the IP header was captured: from
 * its bytes to what counts of it at once.  False, and nothing is done, for any other, and for what
 * may be a tunnel. */
static inline bool read_straight(struct flow_input *input, const struct plt_record *record,
                                 struct flow_packet *out)
{
    struct plt_layers layers;
    if (!decode_straight(record->data, record->len, &record->meta, &layers) ||
        (input->decap && layers.proto != PROTO_TCP))
        return false;
    struct plt_transport transport = {.bytes = record->data + layers.transport,
                                      .captured = layers.ip_end - layers.transport,
                                      .len = layers.ip_len - (layers.transport - layers.layer3)};
    begin_packet(input, &record->meta, out);
    read_straight_key(&layers, record->data + layers.layer3, &transport, out);
    out->v6 = layers.version == 6;
    out->tunnel = 0;
    out->vlan = layers.vlan_id;
    out->ip_bytes = layers.ip_len;
    if (input->by_vlan)
        flow_words_set_vlan(out->key.words, out->v6, layers.vlan_id);
    read_transport(input, &transport, layers.proto, out);
    return true;
}

bool flow_input_record(struct flow_input *input, const struct plt_record *record,
                       struct flow_packet *out)
{
    struct plt_layers layers;
    if (read_straight(input, record, out))
        return true;
    record_layers(record, &layers);
    struct plt_packet packet = {
        .data = record->data, .len = record->len, .layers = &layers, .meta = &record->meta};
    return flow_input_packet(input, &packet, out);
}
