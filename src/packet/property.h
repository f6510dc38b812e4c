/* The properties of a packet that every packet and layer object has as an attribute, and that have
 * a column each.  The attribute, the column and both docstrings come from the property's row.  No
 * Python here. */
#ifndef PLT_PACKET_PROPERTY_H
#define PLT_PACKET_PROPERTY_H

#include "block.h"
#include "kind.h"
#include "packet.h"

enum property_id {
    PROPERTY_TIME,
    PROPERTY_SECONDS,
    PROPERTY_TS_SEC,
    PROPERTY_ERF_TIME,
    PROPERTY_WIRE_LEN,
    PROPERTY_CAPTURE_LEN,
    PROPERTY_LINKTYPE,
    PROPERTY_ETHERTYPE,
    PROPERTY_NUMBER,
    PROPERTY_VLAN_ID,
    PROPERTY_VLAN_PCP,
    PROPERTY_INNER_VLAN_ID,
    PROPERTY_INNER_VLAN_PCP,
    PROPERTY_DIRECTION,
    PROPERTY_PROTO,
    PROPERTY_COMMUNITY_ID,
    PROPERTY_VERSION,
    PROPERTY_TRAFFIC_CLASS,
    PROPERTY_DSCP,
    PROPERTY_ECN,
    PROPERTY_HOP_LIMIT,
    PROPERTY_HDR_LEN,
    PROPERTY_PKT_LEN,
    PROPERTY_SRC_PREFIX,
    PROPERTY_DST_PREFIX,
    PROPERTY_SRC_PORT,
    PROPERTY_DST_PORT,
    PROPERTY_PAYLOAD_LEN,
    PROPERTY_LAYER2_SRC,
    PROPERTY_LAYER2_DST,
    PROPERTY_SENDER_MAC,
    PROPERTY_SENDER_PREFIX,
    PROPERTY_TARGET_MAC,
    PROPERTY_TARGET_PREFIX,
    PROPERTY_MSS,
    PROPERTY_WSCALE,
    PROPERTY_SACK_OK,
    PROPERTY_TS_VAL,
    PROPERTY_TS_ECR,
    PROPERTY_TUNNEL_KIND,
    PROPERTY_TUNNEL_ID,
    PROPERTY_TUNNEL_DEPTH,
    PROPERTY_TUNNEL_SRC,
    PROPERTY_TUNNEL_DST
};

/* The values of property_value() for a block of packets. */
typedef void property_fill(const struct packet_block *block, struct block_values *out);

struct property {
    const char *name;
    const char *doc;
    const char *unit; /* of its column's values; NULL for what has none */
    uint8_t id;       /* enum property_id */
    uint8_t kind;     /* enum column_kind, of its column */
    bool needs_layers;
    bool can_be_missing;
    bool of_tunnel;      /* tunnels have to be looked for */
    bool is_mac;         /* a number of 48 bits whose text is a MAC address */
    property_fill *fill; /* made from the row; not for addresses and texts */
};

/* The rows: X(name, what it is, what the attribute's docstring adds, the rest of the row).  Neither
 * text ends with a full stop.
 *
 * From the source: an object made from bytes has none of these.  The first two have getters
 * of their own, for a type or a range that a column can't hold. */
#define TIME_PROPERTIES(X)                                                                         \
    X(time, "Arrival time", ", a naive datetime in local time, exact to the microsecond",          \
      .id = PROPERTY_TIME, .unit = "ns", .kind = KIND_TIME, .can_be_missing = true)                \
    X(time_ns, "Arrival time in nanoseconds since the epoch, exact to the trace's clock", "",      \
      .id = PROPERTY_TIME, .unit = "ns", .kind = KIND_INT64, .can_be_missing = true)
#define SOURCE_PROPERTIES(X)                                                                       \
    X(seconds, "Arrival time in seconds since the epoch, a float", "", .id = PROPERTY_SECONDS,     \
      .unit = "s", .kind = KIND_FLOAT64)                                                           \
    X(ts_sec, "Arrival time in whole seconds since the epoch", "", .id = PROPERTY_TS_SEC,          \
      .unit = "s", .kind = KIND_INT64)                                                             \
    X(erf_time,                                                                                    \
      "Arrival time as ERF has it: 64 bits, seconds in the upper 32, binary fraction below", "",   \
      .id = PROPERTY_ERF_TIME, .unit = "2**-32 s", .kind = KIND_UINT64)                            \
    X(wire_len, "Length on the wire in bytes, as libtrace defines it: for Ethernet with the FCS",  \
      "", .id = PROPERTY_WIRE_LEN, .unit = "bytes", .kind = KIND_UINT32, .can_be_missing = true)   \
    X(number, "Number of the packet in its trace, from 1 on, whatever a filter lets through",      \
      "; None for one of no trace", .id = PROPERTY_NUMBER, .kind = KIND_UINT64,                    \
      .can_be_missing = true)

/* Of the packet of the trace, however deep in it the object is. */
#define PACKET_PROPERTIES(X)                                                                       \
    X(capture_len, "Number of bytes captured of the packet", "", .id = PROPERTY_CAPTURE_LEN,       \
      .unit = "bytes", .kind = KIND_UINT32)                                                        \
    X(linktype, "Link type, one of TRACE_TYPE_*; -1 where libtrace has no name for it", "",        \
      .id = PROPERTY_LINKTYPE, .kind = KIND_INT16, .needs_layers = true)                           \
    X(vlan_id, "VLAN identifier of the outermost tag (IEEE 802.1Q), 0 without a tag", "",          \
      .id = PROPERTY_VLAN_ID, .kind = KIND_UINT16, .needs_layers = true)                           \
    X(vlan_pcp, "Priority code point of the outermost VLAN tag, 0 to 7 (IEEE 802.1Q)",             \
      "; None without a tag", .id = PROPERTY_VLAN_PCP, .kind = KIND_UINT8, VLAN_VALUE)             \
    X(inner_vlan_id, "VLAN identifier of the tag after the outermost one (IEEE 802.1ad)",          \
      "; None without one", .id = PROPERTY_INNER_VLAN_ID, .kind = KIND_UINT16, VLAN_VALUE)         \
    X(inner_vlan_pcp, "Priority code point of the VLAN tag after the outermost one, 0 to 7",       \
      "; None without one", .id = PROPERTY_INNER_VLAN_PCP, .kind = KIND_UINT8, VLAN_VALUE)         \
    X(direction, "TRACE_DIR_OUTGOING, _INCOMING or _OTHER; -1 where unknown", "",                  \
      .id = PROPERTY_DIRECTION, .kind = KIND_INT8)

/* From the layers: a packet within another has its own. */
#define LAYER_PROPERTIES(X)                                                                        \
    X(ethertype, "Ethertype of layer 3, after VLAN tags, labels and PPPoE; 0 where unknown", "",   \
      .id = PROPERTY_ETHERTYPE, .kind = KIND_UINT16, .needs_layers = true)                         \
    X(proto, "IP protocol of the transport, after IPv6 extension headers; 0 where unknown", "",    \
      .id = PROPERTY_PROTO, .kind = KIND_UINT8, .needs_layers = true)                              \
    X(community_id, "Community ID of the packet's flow, version 1, as Zeek and Suricata have it",  \
      "; None where there is none, and for later fragments", .id = PROPERTY_COMMUNITY_ID,          \
      .kind = KIND_TEXT, .needs_layers = true, .can_be_missing = true)

/* From the IP header, IPv4's or IPv6's; the last two have getters of their own. */
#define IP_PROPERTIES(X)                                                                           \
    X(version, "IP version: 4 or 6", "", .id = PROPERTY_VERSION, .kind = KIND_UINT8, IP_VALUE)     \
    X(traffic_class, "DSCP and ECN, 8 bits (RFC 2474, RFC 3168)", "; settable, 0 to 255",          \
      .id = PROPERTY_TRAFFIC_CLASS, .kind = KIND_UINT8, IP_VALUE)                                  \
    X(dscp, "Differentiated services codepoint, 0 to 63 (RFC 2474)", "", .id = PROPERTY_DSCP,      \
      .kind = KIND_UINT8, IP_VALUE)                                                                \
    X(ecn, "Explicit congestion notification, 0 to 3 (RFC 3168)", "", .id = PROPERTY_ECN,          \
      .kind = KIND_UINT8, IP_VALUE)                                                                \
    X(hop_limit, "Hop limit, IPv4's time to live", "; settable, 1 to 255",                         \
      .id = PROPERTY_HOP_LIMIT, .kind = KIND_UINT8, IP_VALUE)                                      \
    X(ttl, "Time to live, IPv6's hop limit", "; settable, 1 to 255", .id = PROPERTY_HOP_LIMIT,     \
      .kind = KIND_UINT8, IP_VALUE)                                                                \
    X(hdr_len, "IPv4 header length in units of 4 bytes", "; None for IPv6",                        \
      .id = PROPERTY_HDR_LEN, .unit = "4 bytes", .kind = KIND_UINT8, IP_VALUE)                     \
    X(pkt_len, "IPv4 total length in bytes", "; None for IPv6", .id = PROPERTY_PKT_LEN,            \
      .unit = "bytes", .kind = KIND_UINT16, IP_VALUE)
#define ADDRESS_PROPERTIES(X)                                                                      \
    X(src_prefix, "Source address",                                                                \
      ", an IPprefix without length; settable to one of the same version",                         \
      .id = PROPERTY_SRC_PREFIX, .kind = KIND_ADDRESS, IP_VALUE)                                   \
    X(dst_prefix, "Destination address",                                                           \
      ", an IPprefix without length; settable to one of the same version",                         \
      .id = PROPERTY_DST_PREFIX, .kind = KIND_ADDRESS, IP_VALUE)

/* Columns that are not attributes of every object: short names, and transport header values. */
#define COLUMN_PROPERTIES(X)                                                                       \
    X(ts, "Arrival time, as time", "", .id = PROPERTY_TIME, .unit = "ns", .kind = KIND_TIME,       \
      .can_be_missing = true)                                                                      \
    X(src, "Source address, as src_prefix", "", .id = PROPERTY_SRC_PREFIX, .kind = KIND_ADDRESS,   \
      IP_VALUE)                                                                                    \
    X(dst, "Destination address, as dst_prefix", "", .id = PROPERTY_DST_PREFIX,                    \
      .kind = KIND_ADDRESS, IP_VALUE)                                                              \
    X(src_port, "Source port of TCP, UDP, SCTP, DCCP or UDP-Lite", "", .id = PROPERTY_SRC_PORT,    \
      .kind = KIND_UINT16, IP_VALUE)                                                               \
    X(dst_port, "Destination port of TCP, UDP, SCTP, DCCP or UDP-Lite", "",                        \
      .id = PROPERTY_DST_PORT, .kind = KIND_UINT16, IP_VALUE)                                      \
    X(payload_len, "Bytes that TCP or UDP carries, by the headers' lengths", "",                   \
      .id = PROPERTY_PAYLOAD_LEN, .unit = "bytes", .kind = KIND_UINT32, IP_VALUE)

/* Of the tunnel that the innermost packet is directly in.  Their names begin with "tunnel.". */
#define TUNNEL_PROPERTIES(X)                                                                       \
    X(kind, "Kind of the tunnel that the innermost packet is in: vxlan, gre, ...", "",             \
      .id = PROPERTY_TUNNEL_KIND, .kind = KIND_TEXT, .can_be_missing = true, TUNNEL_VALUE)         \
    X(id, "Id of that tunnel: network, key, TEID, session", "", .id = PROPERTY_TUNNEL_ID,          \
      .kind = KIND_UINT32, .can_be_missing = true, TUNNEL_VALUE)                                   \
    X(depth, "Number of tunnels that the innermost packet is in", "", .id = PROPERTY_TUNNEL_DEPTH, \
      .kind = KIND_UINT8, TUNNEL_VALUE)                                                            \
    X(src, "Source address of that tunnel, in the IP header around it", "",                        \
      .id = PROPERTY_TUNNEL_SRC, .kind = KIND_ADDRESS, .can_be_missing = true, TUNNEL_VALUE)       \
    X(dst, "Destination address of that tunnel, in the IP header around it", "",                   \
      .id = PROPERTY_TUNNEL_DST, .kind = KIND_ADDRESS, .can_be_missing = true, TUNNEL_VALUE)

#define TUNNEL_VALUE .needs_layers = true, .of_tunnel = true

/* Of single headers.  X(what the column's name begins with, its identifier, the attribute, ...). */
#define LAYER2_PROPERTIES(X)                                                                       \
    X(layer2, src, src_mac, "Source MAC address of an Ethernet header, as text", MAC_MORE,         \
      .id = PROPERTY_LAYER2_SRC, MAC_VALUE)                                                        \
    X(layer2, dst, dst_mac, "Destination MAC address of an Ethernet header, as text", MAC_MORE,    \
      .id = PROPERTY_LAYER2_DST, MAC_VALUE)
#define ARP_PROPERTIES(X)                                                                          \
    X(arp, sender_mac, sender_mac, "Hardware address of the sender, where it is a MAC address",    \
      ARP_MORE, .id = PROPERTY_SENDER_MAC, MAC_VALUE)                                              \
    X(arp, sender_prefix, sender_prefix, "Protocol address of the sender, where it is IPv4's",     \
      ARP_MORE, .id = PROPERTY_SENDER_PREFIX, .kind = KIND_ADDRESS, IP_VALUE)                      \
    X(arp, target_mac, target_mac, "Hardware address of the target, where it is a MAC address",    \
      ARP_MORE, .id = PROPERTY_TARGET_MAC, MAC_VALUE)                                              \
    X(arp, target_prefix, target_prefix, "Protocol address of the target, where it is IPv4's",     \
      ARP_MORE, .id = PROPERTY_TARGET_PREFIX, .kind = KIND_ADDRESS, IP_VALUE)
#define TCP_PROPERTIES(X)                                                                          \
    X(tcp, mss, mss, "Maximum segment size option (RFC 9293 section 3.7.1)", OPTION_MORE,          \
      .id = PROPERTY_MSS, .unit = "bytes", .kind = KIND_UINT16, IP_VALUE)                          \
    X(tcp, wscale, wscale, "Shift of the window scale option (RFC 7323 section 2.2)", OPTION_MORE, \
      .id = PROPERTY_WSCALE, .kind = KIND_UINT8, IP_VALUE)                                         \
    X(tcp, sack_ok, sack_ok, "Whether there is a SACK-permitted option (RFC 2018 section 2)",      \
      "; None where the options were cut before it", .id = PROPERTY_SACK_OK, .kind = KIND_BOOL,    \
      IP_VALUE)                                                                                    \
    X(tcp, ts_val, ts_val, "TSval of the timestamps option (RFC 7323 section 3.2)", OPTION_MORE,   \
      .id = PROPERTY_TS_VAL, .kind = KIND_UINT32, IP_VALUE)                                        \
    X(tcp, ts_ecr, ts_ecr, "TSecr of the timestamps option (RFC 7323 section 3.2)", OPTION_MORE,   \
      .id = PROPERTY_TS_ECR, .kind = KIND_UINT32, IP_VALUE)

#define HEADER_PROPERTIES(X) LAYER2_PROPERTIES(X) ARP_PROPERTIES(X) TCP_PROPERTIES(X)

#define MAC_VALUE   .kind = KIND_TEXT, .needs_layers = true, .can_be_missing = true, .is_mac = true
#define MAC_MORE    "; None of other link types"
#define ARP_MORE    "; None of any other length"
#define OPTION_MORE "; None without that option"
#define VLAN_VALUE  .needs_layers = true, .can_be_missing = true

#define ALL_PROPERTIES(X)                                                                          \
    TIME_PROPERTIES(X)                                                                             \
    SOURCE_PROPERTIES(X)                                                                           \
    PACKET_PROPERTIES(X)                                                                           \
    LAYER_PROPERTIES(X)                                                                            \
    IP_PROPERTIES(X)                                                                               \
    ADDRESS_PROPERTIES(X)                                                                          \
    COLUMN_PROPERTIES(X)

#define IP_VALUE .needs_layers = true, .can_be_missing = true

#define DECLARE_PROPERTY(id, ...) extern const struct property property_##id;
ALL_PROPERTIES(DECLARE_PROPERTY)
#undef DECLARE_PROPERTY
#define DECLARE_TUNNEL_PROPERTY(id, ...) extern const struct property property_tunnel_##id;
TUNNEL_PROPERTIES(DECLARE_TUNNEL_PROPERTY)
#undef DECLARE_TUNNEL_PROPERTY
#define DECLARE_HEADER_PROPERTY(header, id, ...)                                                   \
    extern const struct property property_##header##_##id;
HEADER_PROPERTIES(DECLARE_HEADER_PROPERTY)
#undef DECLARE_HEADER_PROPERTY

/* All properties; ends with NULL. */
extern const struct property *const all_properties[];

/* VALUE_NONE: such a packet has no such value (IPv6 no pkt_len); VALUE_MISSING: too little was
 * captured, the packet has no such header, or the value does not fit its column. */
enum value_state { VALUE_MISSING, VALUE_NONE, VALUE_PRESENT };

/* The value of a property but for addresses and texts: the bits of its column's kind; a MAC address
 * as a number. */
enum value_state property_value(enum property_id id, const struct plt_packet *packet,
                                uint64_t *value);
/* Where a property is in IP headers of a version, and how many bytes it takes there; false where it
 * is no part of them. */
bool property_place(enum property_id id, uint8_t version, uint32_t *at, uint32_t *need);
/* What the values of a property for a block of packets need. */
enum block_need property_need(enum property_id id);
/* What tells the value of a property, in words. */
const char *property_source(enum property_id id);
/* Where a packet's IP header has the bytes of an IP property (an address: 4 or 16 of them),
 * PLT_ABSENT where they were not all captured or there is no IP header. */
uint32_t property_ip_at(enum property_id id, const struct plt_layers *layers, uint32_t len);
/* The address of a property of KIND_ADDRESS, and its size; NULL where it is missing. */
const uint8_t *property_address(enum property_id id, const struct plt_packet *packet,
                                uint32_t *size);
/* The addresses of a block of packets: 16 bytes for each, an IPv4 address in the first 4, zeroes
 * where there is none. */
void property_addresses(enum property_id id, const struct packet_block *block, uint8_t *addresses,
                        struct block_versions *out);
/* The text of a property of KIND_TEXT, which may be in `room`; NULL where it is missing. */
enum { PROPERTY_TEXT_ROOM = 32 };
const char *property_text(enum property_id id, const struct plt_packet *packet,
                          char room[PROPERTY_TEXT_ROOM]);

#endif
