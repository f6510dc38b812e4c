/* The value of each property of a packet. */
#include "property.h"

#include "bytes.h"
#include "communityid.h"
#include "linktypes.h"
#include "meta.h"
#include "protocols.h"
#include "tcpoptions.h"
#include "tunnel.h"
#include "values.h"

#include <string.h>

_Static_assert((int)PROPERTY_TEXT_ROOM >= (int)COMMUNITY_ID_ROOM, "an ID does not fit");

const char *property_source(enum property_id id)
{
    switch (id) {
    case PROPERTY_ETHERTYPE:
    case PROPERTY_VLAN_ID:
    case PROPERTY_VLAN_PCP:
    case PROPERTY_INNER_VLAN_ID:
    case PROPERTY_INNER_VLAN_PCP:
    case PROPERTY_LAYER2_SRC:
    case PROPERTY_LAYER2_DST:
        return "link layer";
    case PROPERTY_SENDER_MAC:
    case PROPERTY_SENDER_PREFIX:
    case PROPERTY_TARGET_MAC:
    case PROPERTY_TARGET_PREFIX:
        return "ARP packet (RFC 826)";
    case PROPERTY_MSS:
    case PROPERTY_WSCALE:
    case PROPERTY_SACK_OK:
    case PROPERTY_TS_VAL:
    case PROPERTY_TS_ECR:
        return "TCP options";
    case PROPERTY_VERSION:
    case PROPERTY_TRAFFIC_CLASS:
    case PROPERTY_DSCP:
    case PROPERTY_ECN:
    case PROPERTY_HOP_LIMIT:
    case PROPERTY_SRC_PREFIX:
    case PROPERTY_DST_PREFIX:
        return "IPv4 (RFC 791) or IPv6 (RFC 8200) header";
    case PROPERTY_COMMUNITY_ID:
        return "IP and transport headers";
    case PROPERTY_PROTO:
        return "IPv4 (RFC 791) header, IPv6 (RFC 8200) and extension headers";
    case PROPERTY_HDR_LEN:
    case PROPERTY_PKT_LEN:
        return "IPv4 header (RFC 791)";
    case PROPERTY_SRC_PORT:
    case PROPERTY_DST_PORT:
        return "transport header";
    case PROPERTY_PAYLOAD_LEN:
        return "lengths in the IP and transport headers";
    default:
        return "record of the trace";
    }
}

/* --- Time ------------------------------------------------------------------------------------ */

static enum value_state time_value(const struct plt_meta *meta, uint64_t *value)
{
    int64_t time = 0;
    bool fits = plt_time_ns(meta, &time);
    *value = (uint64_t)time;
    return fits ? VALUE_PRESENT : VALUE_MISSING;
}

static enum value_state seconds_value(const struct plt_meta *meta, uint64_t *value)
{
    double seconds = (double)meta->sec + meta->nsec * 1e-9;
    memcpy(value, &seconds, sizeof(*value));
    return VALUE_PRESENT;
}

/* --- The IP header --------------------------------------------------------------------------- */

/* Where the headers have them (RFC 791 section 3.1, RFC 8200 section 3). */
static const struct {
    uint8_t at4, at6;
    uint8_t need4, need6; /* bytes; 0: this version has none */
} ip_places[] = {
    [PROPERTY_VERSION] = {0, 0, 1, 1},       [PROPERTY_TRAFFIC_CLASS] = {1, 0, 1, 2},
    [PROPERTY_DSCP] = {1, 0, 1, 2},          [PROPERTY_ECN] = {1, 0, 1, 2},
    [PROPERTY_HOP_LIMIT] = {8, 7, 1, 1},     [PROPERTY_HDR_LEN] = {0, 0, 1, 0},
    [PROPERTY_PKT_LEN] = {2, 0, 2, 0},       [PROPERTY_SRC_PREFIX] = {12, 8, 4, 16},
    [PROPERTY_DST_PREFIX] = {16, 24, 4, 16},
};

bool property_place(enum property_id id, uint8_t version, uint32_t *at, uint32_t *need)
{
    if ((size_t)id >= sizeof(ip_places) / sizeof(ip_places[0]))
        return false;
    *at = version == 4 ? ip_places[id].at4 : ip_places[id].at6;
    *need = version == 4 ? ip_places[id].need4 : ip_places[id].need6;
    return *need > 0;
}

uint32_t property_ip_at(enum property_id id, const struct plt_layers *layers, uint32_t len)
{
    bool is_ip4 = layers->version == 4;
    uint32_t at = is_ip4 ? ip_places[id].at4 : ip_places[id].at6;
    uint32_t need = is_ip4 ? ip_places[id].need4 : ip_places[id].need6;
    if (layers->version == 0 || len - layers->layer3 < at + need)
        return PLT_ABSENT;
    return layers->layer3 + at;
}

/* RFC 3168 section 5: the codepoint is the upper 6 bits, the congestion notification the lower 2.
 */
static uint64_t traffic_class_part(enum property_id id, unsigned octet)
{
    return id == PROPERTY_DSCP ? octet >> 2 : id == PROPERTY_ECN ? octet & 3 : octet;
}

static enum value_state ip_value(enum property_id id, const struct plt_packet *packet,
                                 uint64_t *value)
{
    uint8_t version = packet->layers->version;
    uint32_t at = property_ip_at(id, packet->layers, packet->len);
    if (at == PLT_ABSENT)
        return VALUE_MISSING;
    const uint8_t *bytes = packet->data + at;
    if (id == PROPERTY_VERSION)
        *value = *bytes >> 4;
    else if (id == PROPERTY_TRAFFIC_CLASS || id == PROPERTY_DSCP || id == PROPERTY_ECN)
        *value = traffic_class_part(id, version == 6 ? load_be16(bytes) >> 4 & 0xff : *bytes);
    else if (version == 6 && ip_places[id].need6 == 0)
        return VALUE_NONE;
    else if (id == PROPERTY_PKT_LEN)
        *value = load_be16(bytes);
    else
        *value = id == PROPERTY_HDR_LEN ? *bytes & 0x0f : *bytes;
    return VALUE_PRESENT;
}

/* --- The transport header -------------------------------------------------------------------- */

static enum value_state port_value(uint32_t offset, const struct plt_packet *packet,
                                   uint64_t *value)
{
    const uint8_t *bytes =
        proto_has_ports(packet->layers->proto) ? transport_bytes(packet, offset, 2) : NULL;
    if (!bytes)
        return VALUE_MISSING;
    *value = load_be16(bytes);
    return VALUE_PRESENT;
}

static enum value_state payload_value(const struct plt_packet *packet, uint64_t *value)
{
    struct plt_payload payload;
    if (!packet_payload(packet, &payload))
        return VALUE_MISSING;
    *value = payload.len;
    return VALUE_PRESENT;
}

/* --- Tags, MAC addresses and ARP ------------------------------------------------------------- */

static enum value_state vlan_value(enum property_id id, const struct plt_layers *layers,
                                   uint64_t *value)
{
    unsigned tag = id == PROPERTY_VLAN_PCP ? 0 : 1;
    if (layers->vlans <= tag)
        return VALUE_NONE;
    *value = id == PROPERTY_INNER_VLAN_ID ? layers->vlan_tags[tag] & 0xfff
                                          : layers->vlan_tags[tag] >> 13;
    return VALUE_PRESENT;
}

/* Bytes of an ARP packet, which begins with the types and lengths of both addresses (RFC 826):
 * hardware and protocol address of the sender, then those of the target. */
static enum value_state arp_bytes(enum property_id id, const struct plt_packet *packet,
                                  const uint8_t **bytes)
{
    enum { FIXED = 8, MAC = 6, IP4 = 4 };
    const struct plt_layers *layers = packet->layers;
    if (layers->ethertype != ETHERTYPE_ARP || layers->layer3 == PLT_ABSENT)
        return VALUE_NONE;
    uint32_t captured = packet->len - layers->layer3;
    const uint8_t *header = packet->data + layers->layer3;
    if (captured < FIXED)
        return VALUE_MISSING;
    bool is_mac = id == PROPERTY_SENDER_MAC || id == PROPERTY_TARGET_MAC;
    bool is_target = id == PROPERTY_TARGET_MAC || id == PROPERTY_TARGET_PREFIX;
    uint32_t hardware = header[4];
    uint32_t protocol = header[5];
    if (is_mac ? hardware != MAC : protocol != IP4 || load_be16(header + 2) != ETHERTYPE_IP)
        return VALUE_NONE;
    uint32_t at = FIXED + (is_target ? hardware + protocol : 0) + (is_mac ? 0 : hardware);
    if (captured < at + (is_mac ? MAC : IP4))
        return VALUE_MISSING;
    *bytes = header + at;
    return VALUE_PRESENT;
}

/* The addresses of an Ethernet header: the destination's first. */
static enum value_state ethernet_bytes(enum property_id id, const struct plt_packet *packet,
                                       const uint8_t **bytes)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t at = id == PROPERTY_LAYER2_DST ? 0 : 6;
    if (layers->linktype != LIBTRACE_TYPE_ETH || layers->layer2 == PLT_ABSENT)
        return VALUE_NONE;
    if (packet->len - layers->layer2 < at + 6)
        return VALUE_MISSING;
    *bytes = packet->data + layers->layer2 + at;
    return VALUE_PRESENT;
}

static enum value_state mac_bytes(enum property_id id, const struct plt_packet *packet,
                                  const uint8_t **bytes)
{
    bool of_ethernet = id == PROPERTY_LAYER2_SRC || id == PROPERTY_LAYER2_DST;
    return of_ethernet ? ethernet_bytes(id, packet, bytes) : arp_bytes(id, packet, bytes);
}

static enum value_state mac_value(enum property_id id, const struct plt_packet *packet,
                                  uint64_t *value)
{
    const uint8_t *bytes = NULL;
    enum value_state state = mac_bytes(id, packet, &bytes);
    if (state == VALUE_PRESENT)
        *value = (uint64_t)load_be16(bytes) << 32 | load_be32(bytes + 2);
    return state;
}

/* --- TCP options ----------------------------------------------------------------------------- */

static enum value_state option_value(enum property_id id, const struct plt_packet *packet,
                                     uint64_t *value)
{
    const uint8_t *bytes = NULL;
    if (packet->layers->proto != PROTO_TCP)
        return VALUE_NONE;
    switch (id) {
    case PROPERTY_MSS:
        bytes = tcp_option_find(packet, TCP_OPTION_MSS, 2);
        *value = bytes ? load_be16(bytes) : 0;
        break;
    case PROPERTY_WSCALE:
        bytes = tcp_option_find(packet, TCP_OPTION_SCALE, 1);
        *value = bytes ? *bytes : 0;
        break;
    case PROPERTY_SACK_OK:
        bytes = tcp_option_find(packet, TCP_OPTION_SACK_OK, 0);
        *value = bytes != NULL;
        return bytes || tcp_options_whole(packet) ? VALUE_PRESENT : VALUE_NONE;
    default:
        bytes = tcp_option_find(packet, TCP_OPTION_TIMESTAMPS, 8);
        *value = bytes ? load_be32(bytes + (id == PROPERTY_TS_VAL ? 0 : 4)) : 0;
    }
    return bytes ? VALUE_PRESENT : VALUE_NONE;
}

/* --- All of them ----------------------------------------------------------------------------- */

static inline enum value_state value_of(enum property_id id, const struct plt_packet *packet,
                                        uint64_t *value)
{
    const struct plt_meta *meta = packet->meta;
    const struct plt_layers *layers = packet->layers;
    const uint8_t *bytes = NULL;
    switch (id) {
    case PROPERTY_TIME:
        return time_value(meta, value);
    case PROPERTY_SECONDS:
        return seconds_value(meta, value);
    case PROPERTY_TS_SEC:
        *value = (uint64_t)meta->sec;
        return VALUE_PRESENT;
    case PROPERTY_ERF_TIME:
        *value = plt_erf_time(meta);
        return VALUE_PRESENT;
    case PROPERTY_WIRE_LEN:
        *value = meta->wire_len;
        return meta->wire_len <= UINT32_MAX ? VALUE_PRESENT : VALUE_MISSING;
    case PROPERTY_CAPTURE_LEN:
        *value = meta->capture_len;
        return VALUE_PRESENT;
    case PROPERTY_LINKTYPE:
        *value = (uint64_t)layers->linktype;
        return VALUE_PRESENT;
    case PROPERTY_ETHERTYPE:
        *value = layers->ethertype;
        return VALUE_PRESENT;
    case PROPERTY_VLAN_ID:
        *value = layers->vlan_id;
        return VALUE_PRESENT;
    case PROPERTY_NUMBER:
        *value = meta->number;
        return meta->number ? VALUE_PRESENT : VALUE_NONE;
    case PROPERTY_VLAN_PCP:
    case PROPERTY_INNER_VLAN_ID:
    case PROPERTY_INNER_VLAN_PCP:
        return vlan_value(id, layers, value);
    case PROPERTY_DIRECTION:
        *value = (uint64_t)plt_direction(packet->data, packet->len, meta);
        return VALUE_PRESENT;
    case PROPERTY_PROTO:
        *value = layers->proto;
        return VALUE_PRESENT;
    case PROPERTY_VERSION:
    case PROPERTY_TRAFFIC_CLASS:
    case PROPERTY_DSCP:
    case PROPERTY_ECN:
    case PROPERTY_HOP_LIMIT:
    case PROPERTY_HDR_LEN:
    case PROPERTY_PKT_LEN:
        return ip_value(id, packet, value);
    case PROPERTY_SRC_PORT:
        return port_value(0, packet, value);
    case PROPERTY_DST_PORT:
        return port_value(2, packet, value);
    case PROPERTY_PAYLOAD_LEN:
        return payload_value(packet, value);
    case PROPERTY_LAYER2_SRC:
    case PROPERTY_LAYER2_DST:
    case PROPERTY_SENDER_MAC:
    case PROPERTY_TARGET_MAC:
        return mac_value(id, packet, value);
    case PROPERTY_SENDER_PREFIX: /* for the state: property_address() has them */
    case PROPERTY_TARGET_PREFIX:
        return arp_bytes(id, packet, &bytes);
    case PROPERTY_MSS:
    case PROPERTY_WSCALE:
    case PROPERTY_SACK_OK:
    case PROPERTY_TS_VAL:
    case PROPERTY_TS_ECR:
        return option_value(id, packet, value);
    case PROPERTY_TUNNEL_ID:
        *value = packet->tunnel ? packet->tunnel->id : 0;
        return packet->tunnel && packet->tunnel->has_id ? VALUE_PRESENT : VALUE_MISSING;
    case PROPERTY_TUNNEL_KIND: /* as a number: property_text() has its name */
        *value = packet->tunnel ? packet->tunnel->kind : TUNNEL_NONE;
        return packet->tunnel ? VALUE_PRESENT : VALUE_MISSING;
    case PROPERTY_TUNNEL_DEPTH:
        *value = packet->depth;
        return VALUE_PRESENT;
    case PROPERTY_SRC_PREFIX:
    case PROPERTY_DST_PREFIX:
    case PROPERTY_COMMUNITY_ID:
    case PROPERTY_TUNNEL_SRC:
    case PROPERTY_TUNNEL_DST:
        break;
    }
    return VALUE_MISSING;
}

enum value_state property_value(enum property_id id, const struct plt_packet *packet,
                                uint64_t *value)
{
    return value_of(id, packet, value);
}

const uint8_t *property_address(enum property_id id, const struct plt_packet *packet,
                                uint32_t *size)
{
    const struct tunnel *tunnel = packet->tunnel;
    if (id == PROPERTY_TUNNEL_SRC || id == PROPERTY_TUNNEL_DST) {
        if (!tunnel || tunnel->version == 0)
            return NULL;
        *size = tunnel->version == 4 ? 4 : 16;
        return id == PROPERTY_TUNNEL_SRC ? tunnel->src : tunnel->dst;
    }
    if (id == PROPERTY_SENDER_PREFIX || id == PROPERTY_TARGET_PREFIX) {
        const uint8_t *bytes = NULL;
        *size = 4;
        return arp_bytes(id, packet, &bytes) == VALUE_PRESENT ? bytes : NULL;
    }
    uint32_t at = property_ip_at(id, packet->layers, packet->len);
    *size = packet->layers->version == 4 ? 4 : 16;
    return at == PLT_ABSENT ? NULL : packet->data + at;
}

const char *property_text(enum property_id id, const struct plt_packet *packet,
                          char room[PROPERTY_TEXT_ROOM])
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = NULL;
    if (id == PROPERTY_TUNNEL_KIND)
        return packet->tunnel ? tunnel_kind_name((enum tunnel_kind)packet->tunnel->kind) : NULL;
    if (id == PROPERTY_COMMUNITY_ID)
        return packet_community_id(packet, packet->community_seed, room) ? room : NULL;
    if (mac_bytes(id, packet, &bytes) != VALUE_PRESENT)
        return NULL;
    char *out = room;
    for (unsigned i = 0; i < 6; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
        *out++ = ':';
    }
    out[-1] = 0;
    return room;
}

/* --- Of a block of packets ------------------------------------------------------------------- */

/* The values of the IP header, without a branch on the version. */
static inline void fill_ip(enum property_id id, const struct packet_block *block,
                           struct block_values *out)
{
    const uint32_t at4 = ip_places[id].at4;
    const uint32_t at6 = ip_places[id].at6;
    const uint32_t need4 = ip_places[id].need4;
    const uint32_t need6 = ip_places[id].need6;
    for (size_t i = 0; i < block->count; i++) {
        bool is_ip4 = block->version[i] == 4;
        uint32_t need = is_ip4 ? need4 : need6;
        uint32_t at = is_ip4 ? at4 : at6;
        bool present = (need > 0) & (block->ip.room[i] >= at + need);
        const uint8_t *bytes = present ? block->ip.at[i] + at : block_zeroes;
        uint32_t value = bytes[0];
        if (id == PROPERTY_VERSION)
            value >>= 4;
        else if (id == PROPERTY_HDR_LEN)
            value &= 0x0f;
        else if (id == PROPERTY_PKT_LEN)
            value = value << 8 | bytes[1];
        else if (id == PROPERTY_TRAFFIC_CLASS && present && !is_ip4)
            value = (value << 4 | bytes[1] >> 4) & 0xff;
        out->values[i] = value;
        out->absent[i] = !present;
    }
}

static inline void fill_port(uint32_t offset, const struct packet_block *block,
                             struct block_values *out)
{
    if (block->least_transport >= offset + 2) {
        for (size_t i = 0; i < block->count; i++) {
            uint32_t present = proto_has_ports(block->proto[i]);
            out->values[i] = load_be16(block->transport.at[i] + offset) & (0 - present);
            out->absent[i] = !present;
        }
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        bool present = proto_has_ports(block->proto[i]) & (block->transport.room[i] >= offset + 2);
        const uint8_t *bytes = present ? block->transport.at[i] + offset : block_zeroes;
        out->values[i] = load_be16(bytes);
        out->absent[i] = !present;
    }
}

/* What needs no more than a source states. */
static inline void fill_meta(enum property_id id, const struct packet_block *block,
                             struct block_values *out)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct plt_packet packet = {.meta = block->metas[i]};
        uint64_t value = 0;
        bool present = value_of(id, &packet, &value) == VALUE_PRESENT;
        out->values[i] = present ? value : 0;
        out->absent[i] = !present;
    }
}

static inline void fill_protocol(const struct packet_block *block, struct block_values *out)
{
    for (size_t i = 0; i < block->count; i++) {
        out->values[i] = block->proto[i];
        out->absent[i] = 0;
    }
}

static inline void fill_any(enum property_id id, const struct packet_block *block,
                            struct block_values *out)
{
    for (size_t i = 0; i < block->count; i++) {
        uint64_t value = 0;
        bool present = value_of(id, &block->packets[i], &value) == VALUE_PRESENT;
        out->values[i] = present ? value : 0;
        out->absent[i] = !present;
    }
}

enum block_need property_need(enum property_id id)
{
    switch (id) {
    case PROPERTY_TIME:
    case PROPERTY_SECONDS:
    case PROPERTY_TS_SEC:
    case PROPERTY_ERF_TIME:
    case PROPERTY_WIRE_LEN:
    case PROPERTY_CAPTURE_LEN:
    case PROPERTY_NUMBER:
        return BLOCK_METAS;
    case PROPERTY_PROTO:
    case PROPERTY_VERSION:
    case PROPERTY_TRAFFIC_CLASS:
    case PROPERTY_HOP_LIMIT:
    case PROPERTY_HDR_LEN:
    case PROPERTY_PKT_LEN:
    case PROPERTY_SRC_PREFIX:
    case PROPERTY_DST_PREFIX:
    case PROPERTY_SRC_PORT:
    case PROPERTY_DST_PORT:
        return BLOCK_HEADERS;
    default:
        return BLOCK_PACKETS;
    }
}

/* One loop for each property: id is known where this is inlined. */
static inline void fill(enum property_id id, const struct packet_block *block,
                        struct block_values *out)
{
    if (property_need(id) == BLOCK_METAS) {
        fill_meta(id, block, out);
        return;
    }
    switch (id) {
    case PROPERTY_VERSION:
    case PROPERTY_TRAFFIC_CLASS:
    case PROPERTY_HOP_LIMIT:
    case PROPERTY_HDR_LEN:
    case PROPERTY_PKT_LEN:
        fill_ip(id, block, out);
        break;
    case PROPERTY_SRC_PORT:
        fill_port(0, block, out);
        break;
    case PROPERTY_DST_PORT:
        fill_port(2, block, out);
        break;
    case PROPERTY_PROTO:
        fill_protocol(block, out);
        break;
    default:
        fill_any(id, block, out);
    }
}

static void any_addresses(enum property_id id, const struct packet_block *block, uint8_t *addresses,
                          struct block_versions *out)
{
    memset(addresses, 0, block->count * 16);
    for (size_t i = 0; i < block->count; i++) {
        uint32_t size = 0;
        const uint8_t *address = property_address(id, &block->packets[i], &size);
        if (address)
            memcpy(addresses + i * 16, address, size);
        out->versions[i] = !address ? 0 : size == 4 ? 4 : 6;
        out->absent[i] = !address;
    }
}

/* Where all packets have an IP header with room for that of IPv6: 16 bytes are taken from each,
 * and of IPv4 all but 4 cleared. */
static void whole_addresses(enum property_id id, const struct packet_block *block,
                            uint8_t *addresses, struct block_versions *out)
{
    static const uint8_t kept[2][16] = {{0xff, 0xff, 0xff, 0xff},
                                        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    const uint32_t places[] = {ip_places[id].at4, ip_places[id].at6};
    for (size_t i = 0; i < block->count; i++) {
        bool is_ip6 = block->version[i] == 6;
        uint64_t words[2] = {0};
        uint64_t masks[2] = {0};
        memcpy(words, block->ip.at[i] + places[is_ip6], sizeof(words));
        memcpy(masks, kept[is_ip6], sizeof(masks));
        words[0] &= masks[0];
        words[1] &= masks[1];
        memcpy(addresses + i * 16, words, sizeof(words));
    }
    memcpy(out->versions, block->version, block->count);
    memset(out->absent, 0, block->count);
}

void property_addresses(enum property_id id, const struct packet_block *block, uint8_t *addresses,
                        struct block_versions *out)
{
    if (id != PROPERTY_SRC_PREFIX && id != PROPERTY_DST_PREFIX) {
        any_addresses(id, block, addresses, out);
        return;
    }
    if (block->least_ip >= IP6_HEADER) {
        whole_addresses(id, block, addresses, out);
        return;
    }
    /* of IPv4 and of IPv6 */
    const uint32_t places[] = {ip_places[id].at4, ip_places[id].at6};
    const uint32_t ends[] = {places[0] + 4, places[1] + 16};
    for (size_t i = 0; i < block->count; i++) {
        uint8_t version = block->version[i];
        bool is_ip6 = version == 6;
        bool present = block->ip.room[i] >= ends[is_ip6];
        const uint8_t *bytes = block_choose(block->ip.at[i] + places[is_ip6], present);
        const uint8_t *rest = block_choose(bytes + 4, is_ip6 & present);
        memcpy(addresses + i * 16, bytes, 4);
        memcpy(addresses + i * 16 + 4, rest, 12);
        out->versions[i] = (uint8_t)(version * present);
        out->absent[i] = !present;
    }
}

/* --- The rows -------------------------------------------------------------------------------- */

#define DEFINE_ROW(row, column, what, ...)                                                         \
    static void fill_##row(const struct packet_block *block, struct block_values *out)             \
    {                                                                                              \
        static const struct property made_from = {__VA_ARGS__};                                    \
        fill((enum property_id)made_from.id, block, out);                                          \
    }                                                                                              \
    const struct property property_##row = {                                                       \
        .name = column, .doc = what ".", .fill = fill_##row, __VA_ARGS__};

#define DEFINE_PROPERTY(id, text, more, ...) DEFINE_ROW(id, #id, text, __VA_ARGS__)
ALL_PROPERTIES(DEFINE_PROPERTY)

#define DEFINE_TUNNEL_PROPERTY(id, text, more, ...)                                                \
    DEFINE_ROW(tunnel_##id, "tunnel." #id, text, __VA_ARGS__)
TUNNEL_PROPERTIES(DEFINE_TUNNEL_PROPERTY)

#define DEFINE_HEADER_PROPERTY(header, id, attribute, text, more, ...)                             \
    DEFINE_ROW(header##_##id, #header "." #id, text, __VA_ARGS__)
HEADER_PROPERTIES(DEFINE_HEADER_PROPERTY)

#define HEADER_PROPERTY_POINTER(header, id, ...) &property_##header##_##id,
#define TUNNEL_PROPERTY_POINTER(id, ...)         &property_tunnel_##id,
#define PROPERTY_POINTER(id, ...)                &property_##id,
const struct property *const all_properties[] = {ALL_PROPERTIES(PROPERTY_POINTER) HEADER_PROPERTIES(
    HEADER_PROPERTY_POINTER) TUNNEL_PROPERTIES(TUNNEL_PROPERTY_POINTER) NULL};
