/* Captures of Juniper's routers: a header (magic, flags, extensions), a cookie whose size depends
 * on the card, and the packet.  The formats are those that tcpdump and Wireshark read. */
#include "juniper.h"

#include "bytes.h"
#include "ethertype.h"
#include "link.h"
#include "protocols.h"

enum { FLAG_IN = 0x01, FLAG_NO_L2 = 0x02, FLAG_EXTENSIONS = 0x80 };

/* Protocols as Junos numbers them. */
enum junos_proto {
    JUNOS_UNKNOWN = 0,
    JUNOS_IP = 2,
    JUNOS_MPLS_IP = 3,
    JUNOS_IP_MPLS = 4,
    JUNOS_MPLS = 5,
    JUNOS_IP6 = 6,
    JUNOS_MPLS_IP6 = 7,
    JUNOS_IP6_MPLS = 8,
    JUNOS_PPP = 200,
    JUNOS_LLC = 202,
    JUNOS_LLC_SNAP = 203,
    JUNOS_ETHER = 204,
    JUNOS_FRELAY = 207,
    JUNOS_CHDLC = 208,
    JUNOS_SERVICE_IP = 0xa248 /* 4 bytes more, then IPv4 */
};

static void decode_proto(const uint8_t *data, uint32_t len, uint32_t at, uint32_t proto,
                         struct plt_layers *out)
{
    switch (proto) {
    case JUNOS_SERVICE_IP:
        link_set_layer3(out, len, at + 4, ETHERTYPE_IP);
        break;
    case JUNOS_IP:
    case JUNOS_MPLS_IP:
        link_set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case JUNOS_IP6:
    case JUNOS_MPLS_IP6:
        link_set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    case JUNOS_MPLS:
    case JUNOS_IP_MPLS:
    case JUNOS_IP6_MPLS:
        plt_decode_ethertype(data, len, at, ETHERTYPE_MPLS, out);
        break;
    case JUNOS_PPP:
        if (link_enter(len, at, LINKTYPE_PPP, out))
            link_hdlc(data, len, at, out);
        break;
    case JUNOS_LLC:
    case JUNOS_LLC_SNAP:
        if (link_enter(len, at, LINKTYPE_ATM_RFC1483, out))
            link_llc(data, len, at, out);
        break;
    case JUNOS_ETHER:
        if (link_enter(len, at, LINKTYPE_ETHERNET, out))
            link_ethernet(data, len, at, out);
        break;
    case JUNOS_FRELAY:
        if (link_enter(len, at, LINKTYPE_FRELAY, out))
            link_frame_relay(data, len, at, out);
        break;
    case JUNOS_CHDLC:
        if (link_enter(len, at, LINKTYPE_C_HDLC, out))
            link_cisco(data, len, at, out);
        break;
    default:
        break;
    }
}

/* Whether a byte begins an IP header: version 4 with a possible length, or version 6. */
static bool begins_ip(const uint8_t *data, uint32_t len, uint32_t at)
{
    return link_has(len, at, 1) && ((data[at] >= 0x45 && data[at] <= 0x4f) || data[at] >> 4 == 6);
}

/* IP at a place, if the byte there begins an IP header. */
static bool decode_ip_at(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    bool found = begins_ip(data, len, at);
    if (found)
        link_ip(data, len, at, out);
    return found;
}

/* Pass the header.  False where nothing is left to do: it was cut, or has a flag that a protocol
 * number of 4 bytes, in the router's byte order, follows in place of a link layer.  Old releases
 * write no header at all. */
static bool pass_header(const uint8_t *data, uint32_t len, uint32_t *at, uint8_t *flags,
                        struct plt_layers *out)
{
    *flags = 0;
    if (!link_has(len, *at, 4))
        return false;
    if (load_be32(data + *at) >> 8 != JUNIPER_MAGIC)
        return true;
    *flags = data[*at + 3];
    if (*flags & FLAG_EXTENSIONS) {
        if (!link_has(len, *at, 6))
            return false;
        *at += 2U + load_be16(data + *at + 4);
    }
    *at += 4;
    if (!(*flags & FLAG_NO_L2))
        return true;
    if (link_has(len, *at, 4)) /* only the low byte counts */
        decode_proto(data, len, *at + 4, data[*at], out);
    if (out->layer3 == PLT_ABSENT)
        decode_ip_at(data, len, *at + 4, out);
    return false;
}

/* The header, then what a protocol number stands for. */
static void decode_after_header(const uint8_t *data, uint32_t len, uint32_t at, uint32_t proto,
                                struct plt_layers *out)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out))
        decode_proto(data, len, at, proto, out);
}

LINK_DECODER(juniper_ethernet)
{
    decode_after_header(data, len, at, JUNOS_ETHER, out);
}

LINK_DECODER(juniper_ppp)
{
    decode_after_header(data, len, at, JUNOS_PPP, out);
}

LINK_DECODER(juniper_frame_relay)
{
    decode_after_header(data, len, at, JUNOS_FRELAY, out);
}

LINK_DECODER(juniper_cisco)
{
    decode_after_header(data, len, at, JUNOS_CHDLC, out);
}

/* An ethertype, mostly PPPoE's, and what it announces. */
LINK_DECODER(juniper_pppoe_atm)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out) && link_has(len, at, 2))
        plt_decode_ethertype(data, len, at + 2, load_be16(data + at), out);
}

/* A protocol and a VLAN, 2 bytes each, little-endian. */
LINK_DECODER(juniper_ggsn)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out) && link_has(len, at, 4))
        decode_proto(data, len, at + 4, load_le16(data + at), out);
}

/* 18 bytes, then IPv4. */
LINK_DECODER(juniper_vp)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out))
        decode_proto(data, len, at + 18, JUNOS_IP, out);
}

/* A header of 12 bytes, 16 where received (as Wireshark reads it) or 8 (as tcpdump does): the size
 * after which an IP header begins. */
LINK_DECODER(juniper_services)
{
    uint8_t flags = 0;
    if (!pass_header(data, len, &at, &flags, out))
        return;
    if (!decode_ip_at(data, len, at + (flags & FLAG_IN ? 16 : 12), out))
        decode_ip_at(data, len, at + 8, out);
}

/* Service, interface, packet type: 8 bytes, then IP. */
LINK_DECODER(juniper_monitor)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out) && !decode_ip_at(data, len, at + 8, out))
        decode_ip_at(data, len, at, out);
}

/* Service, type, lengths, then IP: 6 bytes, 12 more where a key follows. */
LINK_DECODER(juniper_es)
{
    enum { ES_ENCRYPTED_TYPE = 2 };
    uint8_t flags = 0;
    if (!pass_header(data, len, &at, &flags, out) || !link_has(len, at, 6))
        return;
    if (!decode_ip_at(data, len, at + (data[at + 3] == ES_ENCRYPTED_TYPE ? 18 : 6), out))
        decode_ip_at(data, len, at + 6, out);
}

/* --- Cards for ATM --------------------------------------------------------------------------- */

static bool is_ppp_protocol(uint16_t protocol)
{
    switch (protocol) {
    case 0x0021: /* IPv4 */
    case 0x0023: /* OSI */
    case 0x003d: /* multilink */
    case 0x0057: /* IPv6 */
    case 0x0281: /* MPLS */
    case 0x0283:
    case 0x8021: /* control protocols */
    case 0x8023:
    case 0x8057:
    case 0x8281:
    case 0xc021:
    case 0xc023:
    case 0xc223:
        return true;
    default:
        return false;
    }
}

/* After the cookie of an ATM card: RFC 2684's encapsulations, recognised by their first bytes. */
static void decode_atm(const uint8_t *data, uint32_t len, uint32_t at, bool ethernet, bool ppp,
                       struct plt_layers *out)
{
    enum { NLPID_HEADER = 0xfefe03, SNAP_HEADER = 0xaaaa03, UNNUMBERED = 0x03 };
    if (!link_has(len, at, 3)) {
        if (!ethernet)
            decode_ip_at(data, len, at, out);
        return;
    }
    uint32_t start = (uint32_t)load_be16(data + at) << 8 | data[at + 2];
    if (start == NLPID_HEADER)
        plt_decode_nlpid(data, len, at + 3, out);
    else if (start == SNAP_HEADER)
        decode_proto(data, len, at, JUNOS_LLC_SNAP, out);
    else if (ethernet)
        decode_proto(data, len, at, JUNOS_ETHER, out);
    else if (ppp && is_ppp_protocol(load_be16(data + at)))
        decode_proto(data, len, at, JUNOS_PPP, out);
    else if (data[at] == UNNUMBERED)
        plt_decode_nlpid(data, len, at + 1, out);
    else
        decode_ip_at(data, len, at, out);
}

/* A cookie of 4 bytes; 0x80 in its first is a management cell. */
LINK_DECODER(juniper_atm1)
{
    uint8_t flags = 0;
    if (pass_header(data, len, &at, &flags, out) && link_has(len, at, 4) && data[at] != 0x80)
        decode_atm(data, len, at + 4, false, false, out);
}

/* A cookie of 8 bytes: channel, AAL, gap count; what is sent with a gap count is Ethernet. */
LINK_DECODER(juniper_atm2)
{
    enum { GAP_COUNT = 0x3fe, MANAGEMENT = 0x70 };
    uint8_t flags = 0;
    if (!pass_header(data, len, &at, &flags, out) || !link_has(len, at, 8) ||
        data[at + 7] & MANAGEMENT)
        return;
    bool ethernet = !(flags & FLAG_IN) && load_be32(data + at) & GAP_COUNT;
    decode_atm(data, len, at + 8, ethernet, true, out);
}

/* --- Cards for bundles of links -------------------------------------------------------------- */

/* The size of a cookie, by the first of its bytes, of which at least 4 were captured: 8 for
 * adaptive services, with the direction in the fifth byte and the protocol in the sixth, or 4 for
 * link services. */
static uint32_t cookie_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { ADAPTIVE_SERVICES = 0x40, ADAPTIVE_SERVICES_LSQ = 0x47, LINK_SERVICES = 0x54 };
    switch (data[at]) {
    case ADAPTIVE_SERVICES:
    case ADAPTIVE_SERVICES_LSQ:
        return link_has(len, at, 8) ? 8 : 0;
    case LINK_SERVICES:
        return 4;
    default:
        return 0;
    }
}

/* The protocol in a cookie of 8 bytes. */
static uint32_t cookie_proto(const uint8_t *cookie)
{
    switch (cookie[5] & 0xf0) {
    case 0x00:
        return JUNOS_IP;
    case 0x10:
        return JUNOS_IP6;
    case 0x20:
        return JUNOS_MPLS;
    default:
        return JUNOS_UNKNOWN;
    }
}

/* Whether a packet with a cookie of 8 bytes is sent by the routing engine. */
static bool cookie_from_engine(const uint8_t *cookie)
{
    return (cookie[4] & 3) == 3;
}

LINK_DECODER(juniper_mlppp)
{
    uint8_t flags = 0;
    if (!pass_header(data, len, &at, &flags, out) || !link_has(len, at, 4))
        return;
    uint32_t size = cookie_size(data, len, at);
    uint32_t proto = size == 8 ? cookie_proto(data + at) : JUNOS_PPP;
    if (proto == JUNOS_IP && (flags & FLAG_IN) && !cookie_from_engine(data + at))
        proto = JUNOS_PPP; /* a received packet's cookie has no protocol */
    if (size == 0 && is_ppp_protocol(load_be16(data + at + 2)))
        size = 2; /* a bundle's number */
    decode_proto(data, len, at + size, proto, out);
}

/* Multilink Frame Relay: a cookie with a protocol, or a bundle's number, the control byte 3 (two
 * bytes, in some) and an identifier. */
LINK_DECODER(juniper_mlfr)
{
    enum { UNNUMBERED = 0x03 };
    uint8_t flags = 0;
    if (!pass_header(data, len, &at, &flags, out) || !link_has(len, at, 5))
        return;
    uint32_t size = cookie_size(data, len, at);
    if (size == 8) {
        if (!cookie_from_engine(data + at))
            decode_proto(data, len, at + size, cookie_proto(data + at), out);
        return;
    }
    at += size ? size : 2;
    if (link_has(len, at, 3) &&
        (load_be16(data + at) == UNNUMBERED || load_be16(data + at) == UNNUMBERED << 8))
        plt_decode_nlpid(data, len, at + 2, out);
    else if (link_has(len, at, 2) && data[at] == UNNUMBERED)
        plt_decode_nlpid(data, len, at + 1, out);
}
