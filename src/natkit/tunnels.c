/* Packets within packets: where the inner one begins, a function and a row for each encapsulation.
 */
#include "anonymise.h"

#include "bytes.h"
#include "protocols.h"

#define ANY (-1)

static bool has(const struct stretch *in, uint32_t at, uint32_t need)
{
    return at <= in->len && in->len - at >= need;
}

static uint16_t sum_of(const uint8_t *data, uint32_t size)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < size; i += 2)
        total += load_be16(data + i);
    total = (total & 0xffff) + (total >> 16);
    return (uint16_t)((total & 0xffff) + (total >> 16));
}

/* Whether an IP header may be at a place.  A port may be an application's own that day: what it
 * sends must not be taken for addresses. */
static bool looks_like_ip(const struct stretch *in, uint32_t at)
{
    if (!has(in, at, 1))
        return false;
    const uint8_t *ip = in->data + at;
    uint32_t header = (ip[0] & 0x0fU) * 4;
    if (ip[0] >> 4 == 6)
        return true;
    if (ip[0] >> 4 != 4 || header < IP_HEADER)
        return false;
    /* a checksum of 0 is one that hardware is to fill in */
    return !has(in, at, header) || load_be16(ip + 10) == 0 || sum_of(ip, header) == 0xffff;
}

/* Whether an Ethernet header with a payload that we know may be at a place. */
static bool looks_like_ethernet(const struct stretch *in, uint32_t at)
{
    if (!has(in, at, 15))
        return false;
    switch (load_be16(in->data + at + 12)) {
    case ETHERTYPE_IP:
        return in->data[at + 14] >> 4 == 4;
    case ETHERTYPE_IP6:
        return in->data[at + 14] >> 4 == 6;
    case ETHERTYPE_ARP:
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
        return true;
    default:
        return false;
    }
}

static uint64_t inner_ip(struct anonymising *self, const struct stretch *in, uint32_t at,
                         const char *name, const struct place *place)
{
    return looks_like_ip(in, at) ? natkit_inner(self, in, at, INNER_IP, place)
                                 : natkit_unknown(self, in, at, name, -1);
}

/* --- Below IP -------------------------------------------------------------------------------- */

/* What a header says by its "next protocol" follows: RFC 8300 section 2.2, and VXLAN-GPE
 * (draft-ietf-nvo3-vxlan-gpe section 3.2). */
static uint64_t next_protocol(struct anonymising *self, const struct stretch *in, uint32_t at,
                              uint8_t next, const char *name, const struct place *place)
{
    switch (next) {
    case 1:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_IP, place);
    case 2:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_IP6, place);
    case 3:
        return natkit_inner(self, in, at, INNER_ETHERNET, place);
    case 4:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_NSH, place);
    case 5:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_MPLS, place);
    default:
        return natkit_unknown(self, in, at, name, next);
    }
}

uint64_t natkit_quiet(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    (void)self;
    (void)in;
    (void)place;
    return 0;
}

/* RFC 8300 section 2.2 */
uint64_t natkit_nsh(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (!has(in, 0, 4))
        return 0;
    uint32_t size = (in->data[1] & 0x3fU) * 4;
    if (size < 8)
        return natkit_unknown(self, in, 0, "NSH", ANY);
    return next_protocol(self, in, size, in->data[3], "NSH", place);
}

/* --- Above IP -------------------------------------------------------------------------------- */

uint64_t natkit_ipip(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    return natkit_inner(self, in, 0, INNER_IP, place);
}

/* RFC 4023 section 3, RFC 7510 */
uint64_t natkit_mpls(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    return natkit_inner_ethertype(self, in, 0, ETHERTYPE_MPLS, place);
}

/* RFC 3378: version 3 in the first four bits, then a whole frame. */
uint64_t natkit_etherip(struct anonymising *self, const struct stretch *in,
                        const struct place *place)
{
    if (in->len > 0 && in->data[0] >> 4 != 3)
        return natkit_unknown(self, in, 0, "EtherIP", ANY);
    return natkit_inner(self, in, 2, INNER_ETHERNET, place);
}

/* RFC 4302 section 2; its integrity check value can't be made right without the key. */
uint64_t natkit_ah(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    struct place within = *place;

    if (!has(in, 0, 2))
        return 0;
    uint32_t size = (in->data[1] + 2U) * 4;
    if (size >= in->len)
        return 0;
    if (within.depth++ > NATKIT_MAX_DEPTH)
        return natkit_unknown(self, in, size, "nesting", ANY);
    return natkit_transport(self, &(struct stretch){in->data + size, in->len - size}, in->data[0],
                            &within);
}

/* RFC 2004: what the IP header was changed from; the transport's checksum is over that. */
uint64_t natkit_minimal(struct anonymising *self, const struct stretch *in,
                        const struct place *place)
{
    struct place within = *place;
    bool has_source = in->len >= 2 && in->data[1] & 0x80;
    uint32_t size = has_source ? 12 : 8;
    uint64_t change = 0;

    if (place->version != 4)
        return natkit_unknown(self, in, 0, "minimal encapsulation", ANY);
    if (place->reversed ? self->src : self->dst)
        change = natkit_replace(self, in, 4, 4);
    within.pseudo = change + place->src;
    if (has_source) {
        within.src = 0;
        if (place->reversed ? self->dst : self->src)
            within.src = natkit_replace(self, in, 8, 4);
        within.pseudo = change + within.src;
        change += within.src;
    }
    change += natkit_adjust(in, 2, change);
    if (in->len <= size)
        return change;
    if (within.depth++ > NATKIT_MAX_DEPTH)
        return change + natkit_unknown(self, in, size, "nesting", ANY);
    return change + natkit_transport(self, &(struct stretch){in->data + size, in->len - size},
                                     in->data[0], &within);
}

/* --- GRE ------------------------------------------------------------------------------------- */

/* ERSPAN I has no header; II (draft-foschiano-erspan section 4.2) is told by GRE's sequence number.
 */
static uint64_t rewrite_erspan(struct anonymising *self, const struct stretch *in, uint32_t at,
                               bool sequenced, const struct place *place)
{
    if (sequenced && has(in, at, 1) && in->data[at] >> 4 != 1)
        return natkit_unknown(self, in, at, "ERSPAN", ANY);
    return natkit_inner(self, in, sequenced ? at + 8 : at, INNER_ETHERNET, place);
}

/* Section 4.3 there. */
static uint64_t rewrite_erspan3(struct anonymising *self, const struct stretch *in, uint32_t at,
                                const struct place *place)
{
    if (!has(in, at, 12))
        return 0;
    uint32_t size = in->data[at + 11] & 1 ? 20 : 12; /* a subheader of the platform's own */
    uint32_t kind = load_be16(in->data + at + 10) >> 10 & 0x1f;
    if (in->data[at] >> 4 == 2 && kind == 0)
        return natkit_inner(self, in, at + size, INNER_ETHERNET, place);
    if (in->data[at] >> 4 == 2 && kind == 2)
        return inner_ip(self, in, at + size, "ERSPAN", place);
    return natkit_unknown(self, in, at + size, "ERSPAN", ANY);
}

/* WCCP: of version 2 with 4 bytes before the packet (draft-mclaggan-wccp-v2rev1 section 4.12). */
static uint64_t rewrite_wccp(struct anonymising *self, const struct stretch *in, uint32_t at,
                             const struct place *place)
{
    return inner_ip(self, in, looks_like_ip(in, at) ? at : at + 4, "WCCP", place);
}

/* RFC 2784, RFC 2890, and RFC 2637's enhanced GRE of version 1. */
uint64_t natkit_gre(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len < 4)
        return 0;
    uint16_t flags = load_be16(in->data);
    uint16_t protocol = load_be16(in->data + 2);
    bool has_checksum = flags & 0x8000;
    uint32_t version = flags & 7;
    if (flags & 0x4000 || version > 1) /* RFC 1701's routing; a later version */
        return natkit_unknown(self, in, 4, "GRE", ANY);
    uint32_t header = 4;
    for (uint16_t flag = 0x8000; flag >= 0x1000; flag >>= 1) /* checksum, key, sequence number */
        header += flags & flag ? 4 : 0;
    if (version == 1 && flags & 0x80) /* acknowledgment */
        header += 4;
    uint64_t change = 0;
    switch (protocol) {
    case ETHERTYPE_TRANSPARENT_ETHERNET: /* RFC 1701; NVGRE, RFC 7637 */
        change = natkit_inner(self, in, header, INNER_ETHERNET, place);
        break;
    case ETHERTYPE_PPP:
        change = natkit_inner(self, in, header, INNER_PPP, place);
        break;
    case 0x88be:
        change = rewrite_erspan(self, in, header, flags & 0x1000, place);
        break;
    case 0x22eb:
        change = rewrite_erspan3(self, in, header, place);
        break;
    case 0x883e:
        change = rewrite_wccp(self, in, header, place);
        break;
    default:
        change = natkit_inner_ethertype(self, in, header, protocol, place);
    }
    return has_checksum ? change + natkit_adjust(in, 4, change) : change;
}

/* --- L2TP ------------------------------------------------------------------------------------ */

/* RFC 3931 section 4.1.1: nothing tells the sizes of the cookie and of the sublayer's header. */
static uint64_t rewrite_session(struct anonymising *self, const struct stretch *in, uint32_t at,
                                const struct place *place)
{
    for (uint32_t more = 0; more <= 12; more += 4)
        if (looks_like_ethernet(in, at + more))
            return natkit_inner(self, in, at + more, INNER_ETHERNET, place);
    return natkit_unknown(self, in, at, "L2TPv3", ANY);
}

uint64_t natkit_l2tp3(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len < 4)
        return 0;
    if (load_be32(in->data) == 0)
        return natkit_unknown(self, in, 4, "L2TP control", ANY);
    return rewrite_session(self, in, 4, place);
}

/* RFC 2661 section 3.1 */
static uint64_t rewrite_l2tp(struct anonymising *self, const struct stretch *in,
                             const struct place *place)
{
    enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200 };
    uint32_t at = 2;

    if (!has(in, 0, 2))
        return 0;
    uint16_t flags = load_be16(in->data);
    if (flags & CONTROL)
        return natkit_unknown(self, in, 2, "L2TP control", ANY);
    if ((flags & 0x0f) == 3)
        return rewrite_session(self, in, 8, place);
    if ((flags & 0x0f) != 2)
        return natkit_unknown(self, in, 0, "L2TP", ANY);
    at += flags & LENGTH ? 2 : 0;
    at += 4; /* tunnel and session */
    at += flags & SEQUENCE ? 4 : 0;
    if (flags & OFFSET) {
        if (!has(in, at, 2))
            return 0;
        at += 2U + load_be16(in->data + at);
    }
    return natkit_inner(self, in, at, INNER_PPP, place);
}

/* --- Tunnels over UDP ------------------------------------------------------------------------ */

/* RFC 7348 section 5; with a next protocol where bit P says so. */
static uint64_t rewrite_vxlan(struct anonymising *self, const struct stretch *in,
                              const struct place *place)
{
    enum { HAS_PROTOCOL = 0x04, HAS_ID = 0x08 };

    if (!has(in, 0, 8))
        return natkit_unknown(self, in, 0, "VXLAN", ANY);
    if (in->data[0] & HAS_PROTOCOL)
        return next_protocol(self, in, 8, in->data[3], "VXLAN-GPE", place);
    if (!(in->data[0] & HAS_ID) || in->data[7] != 0)
        return natkit_unknown(self, in, 0, "VXLAN", ANY);
    return natkit_inner(self, in, 8, INNER_ETHERNET, place);
}

static uint64_t rewrite_vxlan_gpe(struct anonymising *self, const struct stretch *in,
                                  const struct place *place)
{
    if (!has(in, 0, 8) || !(in->data[0] & 0x0c))
        return natkit_unknown(self, in, 0, "VXLAN-GPE", ANY);
    return rewrite_vxlan(self, in, place);
}

/* RFC 8926 section 3.4 */
static uint64_t rewrite_geneve(struct anonymising *self, const struct stretch *in,
                               const struct place *place)
{
    if (!has(in, 0, 8) || in->data[0] >> 6 != 0)
        return natkit_unknown(self, in, 0, "Geneve", ANY);
    uint32_t at = 8 + (in->data[0] & 0x3fU) * 4;
    uint16_t protocol = load_be16(in->data + 2);
    if (protocol == ETHERTYPE_TRANSPARENT_ETHERNET)
        return natkit_inner(self, in, at, INNER_ETHERNET, place);
    return natkit_inner_ethertype(self, in, at, protocol, place);
}

/* 3GPP TS 29.281 section 5: extension headers are counted in words, and end with the next's type.
 */
static uint64_t rewrite_gtp(struct anonymising *self, const struct stretch *in,
                            const struct place *place)
{
    enum { MORE = 0x07, HAS_EXTENSION = 0x04, ECHO_REQUEST = 1, ECHO_RESPONSE = 2 };
    enum { SUPPORTED_EXTENSIONS = 31, END_MARKER = 254, PACKET = 255 };
    uint32_t at = 8;

    if (!has(in, 0, 8) || in->data[0] >> 4 != 3)
        return natkit_unknown(self, in, 0, "GTP", ANY);
    uint8_t type = in->data[1];
    if (type == ECHO_REQUEST || type == ECHO_RESPONSE || type == SUPPORTED_EXTENSIONS ||
        type == END_MARKER)
        return 0;
    if (type != PACKET)
        return natkit_unknown(self, in, 8, "GTP-U message", type);
    if (in->data[0] & MORE) {
        uint8_t next = has(in, 0, 12) && in->data[0] & HAS_EXTENSION ? in->data[11] : 0;
        at = 12;
        while (next != 0 && has(in, at, 1) && in->data[at] > 0) {
            at += in->data[at] * 4U;
            next = at <= in->len ? in->data[at - 1] : 0;
        }
        if (next != 0)
            return natkit_unknown(self, in, 8, "GTP-U extension", next);
    }
    return inner_ip(self, in, at, "GTP-U payload", place);
}

/* RFC 4380 section 5.1.1: authentication and an origin indication may precede the packet. */
static uint64_t rewrite_teredo(struct anonymising *self, const struct stretch *in,
                               const struct place *place)
{
    uint64_t change = 0;
    uint32_t at = 0;

    if (has(in, 0, 4) && load_be16(in->data) == 1)
        at = 4U + in->data[2] + in->data[3] + 8 + 1;
    if (has(in, at, 8) && load_be16(in->data + at) == 0) {
        if (self->signalling)
            change = natkit_replace_inverted(self, in, at + 4);
        at += 8;
    }
    return change + inner_ip(self, in, at, "Teredo", place);
}

/* RFC 9300 section 5.3 */
static uint64_t rewrite_lisp(struct anonymising *self, const struct stretch *in,
                             const struct place *place)
{
    return inner_ip(self, in, 8, "LISP", place);
}

/* TZSP: tagged fields until the one that ends them, then what the header says. */
static uint64_t rewrite_tzsp(struct anonymising *self, const struct stretch *in,
                             const struct place *place)
{
    enum { PADDING = 0, END = 1, ETHERNET = 1, WITH_PACKET = 0, TO_SEND = 1 };
    uint32_t at = 4;

    if (!has(in, 0, 4) || in->data[0] != 1 || in->data[1] > TO_SEND)
        return natkit_unknown(self, in, 0, "TZSP", ANY);
    while (has(in, at, 2) && in->data[at] != END)
        at += in->data[at] == PADDING ? 1 : 2U + in->data[at + 1];
    if (load_be16(in->data + 2) != ETHERNET)
        return natkit_unknown(self, in, at, "TZSP", ANY);
    return natkit_inner(self, in, at + 1, INNER_ETHERNET, place);
}

/* RFC 3948: ESP, or IKE after four zeroes; a byte of 0xff keeps a NAT's state. */
static uint64_t rewrite_nat_traversal(struct anonymising *self, const struct stretch *in,
                                      const struct place *place)
{
    (void)place;
    if (in->len == 1 && in->data[0] == 0xff)
        return 0;
    return natkit_unknown(self, in, 0, has(in, 0, 4) && load_be32(in->data) == 0 ? "IKE" : "ESP",
                          ANY);
}

/* --- Rows ------------------------------------------------------------------------------------ */

static const struct natkit_row ethertypes[] = {
    {ETHERTYPE_ARP, "ARP", natkit_arp},
    {ETHERTYPE_REVERSE_ARP, "RARP", natkit_arp},
    {ETHERTYPE_NSH, "NSH", natkit_nsh},
    {0x8808, "MAC control", natkit_quiet}, /* IEEE 802.3 annex 31 */
    {0x8809, "slow protocols", natkit_quiet},
    {0x8863, "PPPoE discovery", natkit_quiet}, /* RFC 2516 */
    {0x888e, "EAPOL", natkit_quiet},           /* IEEE 802.1X */
    {0x88cc, "LLDP", NULL},
    {0x88f7, "PTP", natkit_quiet}, /* IEEE 1588 annex F */
    {0x9000, "loopback", natkit_quiet},
};

static const struct natkit_row protocols[] = {
    {PROTO_ICMP, "ICMP", natkit_icmp},
    {PROTO_IGMP, "IGMP", natkit_igmp},
    {PROTO_IPIP, "IP in IP", natkit_ipip},
    {PROTO_IPV6, "IPv6 in IP", natkit_ipip},
    {46, "RSVP", NULL},
    {PROTO_GRE, "GRE", natkit_gre},
    {PROTO_ESP, "ESP", NULL},
    {PROTO_AH, "AH", natkit_ah},
    {PROTO_MINIMAL_ENCAPSULATION, "minimal encapsulation", natkit_minimal},
    {PROTO_ICMP6, "ICMPv6", natkit_icmp6},
    {88, "EIGRP", NULL},
    {PROTO_OSPF, "OSPF", natkit_ospf},
    {94, "IP in IP", natkit_ipip},
    {PROTO_ETHERIP, "EtherIP", natkit_etherip},
    {PROTO_PIM, "PIM", natkit_pim},
    {108, "IPComp", NULL},
    {PROTO_VRRP, "VRRP", natkit_vrrp},
    {PROTO_L2TP, "L2TPv3", natkit_l2tp3},
    {124, "IS-IS", NULL},
    {PROTO_SCTP, "SCTP", natkit_sctp},
    {PROTO_MPLS_IN_IP, "MPLS in IP", natkit_mpls},
    {145, "NSH", natkit_nsh},
};

/* What is at a port and not here is an application's payload. */
static const struct natkit_row udp_ports[] = {
    {67, "DHCP", NULL},
    {68, "DHCP", NULL},
    {500, "IKE", NULL},
    {520, "RIP", NULL},
    {521, "RIPng", NULL},
    {546, "DHCPv6", NULL},
    {547, "DHCPv6", NULL},
    {646, "LDP", NULL},
    {698, "OLSR", NULL},
    {1194, "OpenVPN", NULL},
    {1701, "L2TP", rewrite_l2tp},
    {1985, "HSRP", natkit_hsrp},
    {2029, "HSRP", natkit_hsrp},
    {2048, "WCCP", NULL},
    {2123, "GTP-C", NULL},
    {2152, "GTP-U", rewrite_gtp},
    {3222, "GLBP", NULL},
    {3478, "STUN", NULL},
    {3544, "Teredo", rewrite_teredo},
    {4341, "LISP", rewrite_lisp},
    {4342, "LISP control", NULL},
    {4500, "ESP", rewrite_nat_traversal},
    {4754, "GRE", natkit_gre}, /* RFC 8086 */
    {4789, "VXLAN", rewrite_vxlan},
    {4790, "VXLAN-GPE", rewrite_vxlan_gpe},
    {5246, "CAPWAP", NULL},
    {5247, "CAPWAP", NULL},
    {5351, "PCP", NULL},
    {6081, "Geneve", rewrite_geneve},
    {6635, "MPLS", natkit_mpls},
    {6696, "Babel", NULL},
    {8472, "VXLAN", rewrite_vxlan}, /* Linux, before there was a number */
    {8805, "PFCP", NULL},
    {37008, "TZSP", rewrite_tzsp},
    {51820, "WireGuard", NULL},
};

static const struct natkit_row tcp_ports[] = {
    {179, "BGP", NULL},   {639, "MSDP", NULL},  {646, "LDP", NULL},   {1194, "OpenVPN", NULL},
    {1723, "PPTP", NULL}, {3478, "STUN", NULL}, {4189, "PCEP", NULL},
};

static const struct natkit_row *find(const struct natkit_row *rows, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

#define FIND(rows, number) find(rows, sizeof(rows) / sizeof((rows)[0]), number)

const struct natkit_row *natkit_row_of_ethertype(uint16_t ethertype)
{
    static const struct natkit_row llc = {0, "LLC", natkit_llc};

    /* what is less is a length (IEEE 802.3), and 0 what a link layer has no ethertype for */
    return ethertype > 0 && ethertype <= 1500 ? &llc : FIND(ethertypes, ethertype);
}

const struct natkit_row *natkit_row_of_proto(uint8_t proto)
{
    return FIND(protocols, proto);
}

const struct natkit_row *natkit_row_of_udp(uint16_t port)
{
    return FIND(udp_ports, port);
}

const struct natkit_row *natkit_row_of_tcp(uint16_t port)
{
    return FIND(tcp_ports, port);
}
