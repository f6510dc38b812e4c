/* Which header of a tunnel a packet has, and whether there is a packet in it. */
#include "tunnel.h"

#include "bytes.h"
#include "decode.h"
#include "ethertype.h"
#include "linktypes.h"
#include "meta.h"
#include "protocols.h"
#include "values.h"

#include <stddef.h>
#include <string.h>

/* --- Kinds ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool id_is_mutual;
} kinds[] = {[TUNNEL_NONE] = {"", false},
#define KIND_ROW(id, text, mutual) [TUNNEL_##id] = {(text), (mutual)},
             TUNNEL_KINDS(KIND_ROW)
#undef KIND_ROW
};

/* The assigned ports, and 8472, Linux's for VXLAN before there was one. */
static const struct {
    uint16_t port;
    uint8_t kind;
    encapsulation_reader *read;
} udp_tunnels[] = {
    {4789, TUNNEL_VXLAN, encapsulation_vxlan},
    {8472, TUNNEL_VXLAN, encapsulation_vxlan},
    {4790, TUNNEL_VXLAN_GPE, encapsulation_vxlan_gpe},
    {6081, TUNNEL_GENEVE, encapsulation_geneve},
    {2152, TUNNEL_GTP, encapsulation_gtp},
    {3544, TUNNEL_TEREDO, encapsulation_teredo},
    {1701, TUNNEL_L2TP, encapsulation_l2tp},
    {4754, TUNNEL_GRE, encapsulation_gre}, /* RFC 8086 */
    {6635, TUNNEL_MPLS, encapsulation_mpls},
    {4341, TUNNEL_LISP, encapsulation_lisp},
    {6080, TUNNEL_GUE, encapsulation_gue},
    {5247, TUNNEL_CAPWAP, encapsulation_capwap},
    {12222, TUNNEL_LWAPP, encapsulation_lwapp},
    {37008, TUNNEL_TZSP, encapsulation_tzsp},
};

enum { UDP_TUNNELS = sizeof(udp_tunnels) / sizeof(udp_tunnels[0]) };

const char *tunnel_kind_name(enum tunnel_kind kind)
{
    return kinds[kind].name;
}

enum tunnel_kind tunnel_kind_of_name(const char *name)
{
    for (int kind = TUNNEL_NONE + 1; kind < TUNNEL_COUNT; kind++)
        if (strcmp(kinds[kind].name, name) == 0)
            return (enum tunnel_kind)kind;
    return TUNNEL_NONE;
}

bool tunnel_kind_id_is_mutual(enum tunnel_kind kind)
{
    return kinds[kind].id_is_mutual;
}

static encapsulation_reader *reader_of_kind(uint8_t kind)
{
    for (size_t i = 0; i < UDP_TUNNELS; i++)
        if (udp_tunnels[i].kind == kind)
            return udp_tunnels[i].read;
    return NULL;
}

bool tunnel_kind_has_port(enum tunnel_kind kind)
{
    return reader_of_kind((uint8_t)kind) != NULL;
}

static encapsulation_reader *reader_of_port(uint16_t port, const struct tunnel_ports *ports)
{
    for (unsigned i = 0; ports && i < ports->count; i++)
        if (ports->rows[i].port == port)
            return reader_of_kind(ports->rows[i].kind);
    for (size_t i = 0; i < UDP_TUNNELS; i++)
        if (udp_tunnels[i].port == port)
            return udp_tunnels[i].read;
    return NULL;
}

static encapsulation_reader *reader_of_proto(uint8_t proto)
{
    switch (proto) {
    case PROTO_IPIP:
    case PROTO_IPV6:
    case PROTO_IPIP_ENCAPSULATION:
        return encapsulation_ip;
    case PROTO_GRE:
        return encapsulation_gre;
    case PROTO_ETHERIP:
        return encapsulation_etherip;
    case PROTO_ETHERNET:
        return encapsulation_ethernet;
    case PROTO_L2TP:
        return encapsulation_l2tp3;
    case PROTO_MPLS_IN_IP:
        return encapsulation_mpls;
    case PROTO_NSH:
        return encapsulation_nsh;
    case PROTO_PIM:
        return encapsulation_pim;
    default:
        return NULL;
    }
}

/* --- The header of a tunnel ------------------------------------------------------------------ */

/* What an IP packet carries: a stretch of its bytes, and how long that was on the wire. */
struct load {
    uint32_t at;
    uint32_t end; /* of what was captured */
    uint64_t len; /* at least what was captured */
};

/* Of a packet with a transport; false where that begins after the IP packet's end. */
static bool find_load(const struct plt_packet *packet, struct load *out)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t before = layers->transport - layers->layer3;
    uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
    if (layers->transport > end)
        return false;
    *out = (struct load){.at = layers->transport, .end = end, .len = end - layers->transport};
    if (layers->ip_len > before && layers->ip_len - before > out->len)
        out->len = layers->ip_len - before;
    return true;
}

/* Pass the authentication headers (RFC 4302 section 2) that a load begins with: the protocol of
 * what follows them, where that is in the load.  Those of IPv6 are extension headers, passed
 * already. */
static uint8_t pass_authentication(const uint8_t *data, struct load *load)
{
    enum { MOST_HEADERS = 4 };
    uint8_t proto = PROTO_AH;
    for (int n = 0; proto == PROTO_AH && n < MOST_HEADERS && load->end - load->at >= 2; n++) {
        uint32_t size = (data[load->at + 1] + 2U) * 4;
        if (size > load->end - load->at)
            return PROTO_NO_NEXT_HEADER;
        proto = data[load->at];
        load->at += size;
        load->len -= size;
    }
    return proto;
}

/* The reader of the header that a packet's transport is, or that follows authentication, and the
 * bytes that it is to read. */
static encapsulation_reader *find_header(const struct plt_packet *packet,
                                         const struct tunnel_ports *ports, struct load *load)
{
    struct plt_payload payload;
    if (packet->layers->proto != PROTO_UDP) {
        uint8_t proto = packet->layers->proto;
        if (!find_load(packet, load))
            return NULL;
        return reader_of_proto(proto == PROTO_AH ? pass_authentication(packet->data, load) : proto);
    }
    const uint8_t *header = transport_bytes(packet, 0, 4);
    if (!header)
        return NULL;
    encapsulation_reader *read = reader_of_port(load_be16(header + 2), ports);
    if (!read)
        read = reader_of_port(load_be16(header), ports);
    if (!read || !packet_payload(packet, &payload) || payload.at > payload.end)
        return NULL;
    *load = (struct load){.at = payload.at, .end = payload.end, .len = payload.len};
    return read;
}

static uint8_t kind_of_ip(uint8_t outer, uint8_t first)
{
    if (outer == 4)
        return first >> 4 == 6 ? TUNNEL_6IN4 : TUNNEL_IPIP;
    return first >> 4 == 6 ? TUNNEL_6IN6 : TUNNEL_4IN6;
}

/* --- The packet in it ------------------------------------------------------------------------ */

static bool is_mpls(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_MPLS || ethertype == ETHERTYPE_MPLS_MULTICAST;
}

/* End a load that follows the header of an encapsulation before layer 3 by the length in that.  Of
 * those headers PPPoE's has one (RFC 2516 section 4): after a short frame comes padding.  A length
 * that holds no PPP protocol, or is more than there was, is malformed. */
static void end_below(const uint8_t *data, const struct plt_layers *layers, struct load *load)
{
    enum { PPP_PROTOCOL = 2 };
    if (layers->below != TUNNEL_PPPOE)
        return;
    uint32_t told = load_be16(data + load->at - 2);
    if (told < PPP_PROTOCOL || told >= load->len)
        return;
    load->len = told;
    if (told < load->end - load->at)
        load->end = load->at + told;
}

/* The link type of what is carried; one without a link layer moves on to its IP header, past tags.
 * False where it is no packet that could be looked into. */
static bool find_linktype(const uint8_t *data, struct load *load,
                          const struct encapsulation *header, uint32_t *dlt)
{
    struct plt_layers layers = {.layer3 = PLT_ABSENT};
    uint16_t ethertype = header->ethertype;
    switch ((enum carried)header->carries) {
    case CARRIES_NOTHING:
    case CARRIES_UNKNOWN:
        return false;
    case CARRIES_IP:
        *dlt = LINKTYPE_RAW;
        return true;
    case CARRIES_ETHERNET:
        *dlt = LINKTYPE_ETHERNET;
        return true;
    case CARRIES_PPP:
        *dlt = LINKTYPE_PPP;
        return true;
    case CARRIES_80211:
        *dlt = LINKTYPE_IEEE802_11;
        return true;
    case CARRIES_ETHERTYPE:
        break;
    }
    /* labels are a header of their own, but where they are the tunnel's */
    if (is_mpls(ethertype) && header->kind != TUNNEL_MPLS) {
        *dlt = LINKTYPE_MPLS;
        return true;
    }
    if (ethertype == ETHERTYPE_PPPOE_SESSION) {
        *dlt = LINKTYPE_PPP_ETHER;
        return true;
    }
    *dlt = LINKTYPE_RAW;
    plt_decode_ethertype(data, load->end, load->at, ethertype, &layers);
    uint32_t at = layers.below == TUNNEL_NONE ? layers.layer3 : layers.below_at;
    if (layers.below != TUNNEL_NONE)
        *dlt = layers.below_dlt;
    else if (layers.ethertype != ETHERTYPE_IP && layers.ethertype != ETHERTYPE_IP6)
        return false;
    if (at >= load->end)
        return false;
    load->len -= at - load->at;
    load->at = at;
    end_below(data, &layers, load);
    return true;
}

/* RFC 1661 section 2: the last bit of the protocol is 1, that before the last byte 0. */
static bool is_ppp(const uint8_t *data, uint32_t len)
{
    enum { ALL_STATIONS = 0xff03 };
    if (len >= 2 && load_be16(data) == ALL_STATIONS) {
        data += 2;
        len -= 2;
    }
    return len >= 2 && !(data[0] & 1) && (data[1] & 1);
}

static bool is_sound_ip(const struct inner_packet *inner, bool is_certain)
{
    const struct plt_record *record = &inner->record;
    const struct plt_layers *layers = &inner->layers;
    if (layers->version == 0 || !layers->told_len)
        return false;
    if (layers->version == 6)
        return true;
    return (record->data[layers->layer3] & 0x0f) >= IP_HEADER / 4 &&
           (is_certain || looks_like_ip(record->data, record->len, layers->layer3));
}

/* Whether the layers that were found in an inner packet can be those of one. */
static bool is_sound(const struct inner_packet *inner, bool is_certain)
{
    const struct plt_record *record = &inner->record;
    const struct plt_layers *layers = &inner->layers;
    if (layers->ethertype == ETHERTYPE_IP || layers->ethertype == ETHERTYPE_IP6)
        return is_sound_ip(inner, is_certain);
    if (layers->below != TUNNEL_NONE)
        return true;
    switch (record->meta.dlt) {
    case LINKTYPE_ETHERNET:
        return record->len > ETHERNET_HEADER && layers->layer3 != PLT_ABSENT &&
               (layers->ethertype >= ETHERTYPE_LEAST ||
                layers->ethertype <= record->meta.wire_len - ETHERNET_HEADER);
    case LINKTYPE_PPP:
        return is_ppp(record->data, record->len);
    case LINKTYPE_IEEE802_11: /* as its tunnel's header was read */
        return true;
    default:
        return false;
    }
}

/* A first fragment carries a part of the inner packet: its length is as its header says. */
static void set_length(struct inner_packet *inner, uint64_t len, bool is_part)
{
    const struct plt_layers *layers = &inner->layers;
    struct plt_meta *meta = &inner->record.meta;
    meta->wire_len = len;
    if (layers->told_len && meta->dlt == LINKTYPE_RAW)
        meta->wire_len = layers->ip_len;
    else if (layers->told_len && is_part && (uint64_t)layers->layer3 + layers->ip_len > len)
        meta->wire_len = (uint64_t)layers->layer3 + layers->ip_len;
    if (meta->dlt == LINKTYPE_RAW && meta->wire_len < inner->record.len)
        inner->record.len = (uint32_t)meta->wire_len;
    meta->capture_len = inner->record.len;
}

/* Read the packet that a load of at least a byte is; false where it is none. */
static bool read_inner(const struct plt_packet *outer, const struct load *load, uint32_t dlt,
                       bool is_certain, struct inner_packet *out)
{
    enum { LONGEST_IP = 65535 };
    bool is_part = outer->layers->more_fragments && outer->layers->below == TUNNEL_NONE;
    struct plt_meta *meta = &out->record.meta;
    out->record = (struct plt_record){
        .data = outer->data + load->at, .len = load->end - load->at, .meta = *outer->meta};
    meta->dlt = dlt;
    meta->linktype = PLT_LINKTYPE_OF_DLT;
    meta->fcs = 0;
    meta->fcs_counted = true; /* there is none to be counted */
    meta->wire_len = is_part ? load->len + LONGEST_IP : load->len;
    record_layers(&out->record, &out->layers);
    if (!is_sound(out, is_certain))
        return false;
    meta->direction = (int8_t)plt_direction(outer->data, outer->len, outer->meta);
    set_length(out, load->len, is_part);
    if (out->record.len < load->end - load->at) /* no layer is where the packet has ended */
        record_layers(&out->record, &out->layers);
    return true;
}

/* An encapsulation before layer 3, which decoding found.  A frame check sequence is not in it. */
static bool enter_below(const struct plt_packet *outer, struct inner_packet *out)
{
    const struct plt_layers *layers = outer->layers;
    uint32_t at = layers->below_at;
    uint64_t wire = plt_wire(outer->meta, outer->len);
    if (wire == WIRE_UNKNOWN)
        wire = outer->len;
    if (at >= outer->len || at >= wire)
        return false;
    uint32_t end = outer->len < wire ? outer->len : (uint32_t)wire;
    struct load load = {.at = at, .end = end, .len = wire - at};
    end_below(outer->data, layers, &load);
    out->tunnel = (struct tunnel){.kind = layers->below, .has_id = true, .id = layers->below_id};
    return read_inner(outer, &load, layers->below_dlt, true, out);
}

bool tunnel_enter(const struct plt_packet *outer, const struct tunnel_ports *ports,
                  struct inner_packet *out)
{
    const struct plt_layers *layers = outer->layers;
    struct encapsulation header;
    struct load load;
    uint32_t dlt = 0;
    if (layers->below != TUNNEL_NONE)
        return enter_below(outer, out);
    if (layers->version == 0 || layers->transport == PLT_ABSENT)
        return false;
    encapsulation_reader *read = find_header(outer, ports, &load);
    if (!read)
        return false;
    read(outer->data + load.at, load.end - load.at, &header);
    if (header.at >= load.end - load.at)
        return false;
    load.at += header.at;
    load.len -= header.at;
    if (!find_linktype(outer->data, &load, &header, &dlt) ||
        !read_inner(outer, &load, dlt, header.is_certain, out))
        return false;
    uint32_t src = layers->layer3 + (layers->version == 4 ? 12 : 8);
    out->tunnel = (struct tunnel){.kind = header.kind,
                                  .has_id = header.has_id,
                                  .version = layers->version,
                                  .id = header.id,
                                  .src = outer->data + src,
                                  .dst = outer->data + src + (layers->version == 4 ? 4 : 16)};
    if (read == encapsulation_ip)
        out->tunnel.kind = kind_of_ip(layers->version, outer->data[load.at]);
    return true;
}

bool tunnel_enter_all(struct plt_packet *packet, const struct tunnel_ports *ports,
                      struct innermost *room)
{
    unsigned depth = packet->depth;
    struct inner_packet *inner = &room->packets[0];
    while (packet->depth < TUNNEL_MOST_DEPTH && tunnel_enter(packet, ports, inner)) {
        *packet = (struct plt_packet){.data = inner->record.data,
                                      .len = inner->record.len,
                                      .layers = &inner->layers,
                                      .meta = &inner->record.meta,
                                      .tunnel = &inner->tunnel,
                                      .depth = packet->depth + 1};
        inner = inner == &room->packets[0] ? &room->packets[1] : &room->packets[0];
    }
    return packet->depth > depth;
}
