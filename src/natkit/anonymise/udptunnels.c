/* Tunnels over UDP, and L2TP: where the inner packet begins. */
#include "udptunnels.h"

#include "packet/bytes.h"
#include "packet/protocols.h"

/* Whether an Ethernet header may be at a place: its ethertype is a common one, and fits what
 * follows. */
static bool looks_like_ethernet(const struct stretch *in, uint32_t at)
{
    if (!stretch_has(in, at, 15))
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

/* --- L2TP ------------------------------------------------------------------------------------ */

/* RFC 3931 section 4.1.1: the sizes of the cookie and of the sublayer's header are not in the
 * packet. */
static uint64_t rewrite_session(struct anonymising *self, const struct stretch *in, uint32_t at,
                                const struct place *place)
{
    for (uint32_t more = 0; more <= 12; more += 4)
        if (looks_like_ethernet(in, at + more))
            return natkit_inner(self, in, at + more, INNER_ETHERNET, place);
    return natkit_unknown(self, in, at, "L2TPv3", -1);
}

uint64_t natkit_l2tp3(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len < 4)
        return 0;
    if (load_be32(in->data) == 0)
        return natkit_unknown(self, in, 4, "L2TP control", -1);
    return rewrite_session(self, in, 4, place);
}

/* RFC 2661 section 3.1 */
uint64_t natkit_l2tp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200 };
    uint32_t at = 2;
    if (!stretch_has(in, 0, 2))
        return 0;
    uint16_t flags = load_be16(in->data);
    if (flags & CONTROL)
        return natkit_unknown(self, in, 2, "L2TP control", -1);
    if ((flags & 0x0f) == 3)
        return rewrite_session(self, in, 8, place);
    if ((flags & 0x0f) != 2)
        return natkit_unknown(self, in, 0, "L2TP", -1);
    at += flags & LENGTH ? 2 : 0;
    at += 4; /* tunnel and session */
    at += flags & SEQUENCE ? 4 : 0;
    if (flags & OFFSET) {
        if (!stretch_has(in, at, 2))
            return 0;
        at += 2U + load_be16(in->data + at);
    }
    return natkit_inner(self, in, at, INNER_PPP, place);
}

/* --- Tunnels over UDP ------------------------------------------------------------------------ */

/* RFC 7348 section 5; with a next protocol where bit P is set. */
uint64_t natkit_vxlan(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { HAS_PROTOCOL = 0x04, HAS_ID = 0x08 };
    if (!stretch_has(in, 0, 8))
        return natkit_unknown(self, in, 0, "VXLAN", -1);
    if (in->data[0] & HAS_PROTOCOL)
        return natkit_next_protocol(self, in, 8, in->data[3], "VXLAN-GPE", place);
    if (!(in->data[0] & HAS_ID) || in->data[7] != 0)
        return natkit_unknown(self, in, 0, "VXLAN", -1);
    return natkit_inner(self, in, 8, INNER_ETHERNET, place);
}

uint64_t natkit_vxlan_gpe(struct anonymising *self, const struct stretch *in,
                          const struct place *place)
{
    if (!stretch_has(in, 0, 8) || !(in->data[0] & 0x0c))
        return natkit_unknown(self, in, 0, "VXLAN-GPE", -1);
    return natkit_vxlan(self, in, place);
}

/* RFC 8926 section 3.4 */
uint64_t natkit_geneve(struct anonymising *self, const struct stretch *in,
                       const struct place *place)
{
    if (!stretch_has(in, 0, 8) || in->data[0] >> 6 != 0)
        return natkit_unknown(self, in, 0, "Geneve", -1);
    uint32_t at = 8 + (in->data[0] & 0x3fU) * 4;
    uint16_t protocol = load_be16(in->data + 2);
    if (protocol == ETHERTYPE_TRANSPARENT_ETHERNET)
        return natkit_inner(self, in, at, INNER_ETHERNET, place);
    return natkit_inner_ethertype(self, in, at, protocol, place);
}

/* 3GPP TS 29.281 section 5: an extension header begins with its length in words and ends with the
 * type of the next. */
uint64_t natkit_gtp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { MORE = 0x07, HAS_EXTENSION = 0x04, ECHO_REQUEST = 1, ECHO_RESPONSE = 2 };
    enum { SUPPORTED_EXTENSIONS = 31, END_MARKER = 254, PACKET = 255 };
    uint32_t at = 8;
    if (!stretch_has(in, 0, 8) || in->data[0] >> 4 != 3)
        return natkit_unknown(self, in, 0, "GTP", -1);
    uint8_t type = in->data[1];
    if (type == ECHO_REQUEST || type == ECHO_RESPONSE || type == SUPPORTED_EXTENSIONS ||
        type == END_MARKER)
        return 0;
    if (type != PACKET)
        return natkit_unknown(self, in, 8, "GTP-U message", type);
    if (in->data[0] & MORE) {
        uint8_t next = stretch_has(in, 0, 12) && in->data[0] & HAS_EXTENSION ? in->data[11] : 0;
        at = 12;
        while (next != 0 && stretch_has(in, at, 1) && in->data[at] > 0) {
            at += in->data[at] * 4U;
            next = at <= in->len ? in->data[at - 1] : 0;
        }
        if (next != 0)
            return natkit_unknown(self, in, 8, "GTP-U extension", next);
    }
    return natkit_inner_ip(self, in, at, "GTP-U payload", place);
}

/* RFC 4380 section 5.1.1: authentication and an origin indication may precede the packet. */
uint64_t natkit_teredo(struct anonymising *self, const struct stretch *in,
                       const struct place *place)
{
    uint64_t change = 0;
    uint32_t at = 0;
    if (stretch_has(in, 0, 4) && load_be16(in->data) == 1)
        at = 4U + in->data[2] + in->data[3] + 8 + 1;
    if (stretch_has(in, at, 8) && load_be16(in->data + at) == 0) {
        if (self->signalling)
            change = natkit_replace_inverted(self, in, at + 4);
        at += 8;
    }
    return change + natkit_inner_ip(self, in, at, "Teredo", place);
}

/* RFC 9300 section 5.3 */
uint64_t natkit_lisp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    return natkit_inner_ip(self, in, 8, "LISP", place);
}

/* GUE (draft-ietf-intarea-gue section 3): variant 1 has no header before the IP packet. */
uint64_t natkit_gue(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { CONTROL = 0x20 };
    if (!stretch_has(in, 0, 4) || in->data[0] >> 6 == 1)
        return natkit_inner_ip(self, in, 0, "GUE", place);
    uint32_t at = 4 + (in->data[0] & 0x1fU) * 4;
    uint8_t proto = in->data[1];
    if (in->data[0] >> 6 != 0 || in->data[0] & CONTROL)
        return natkit_unknown(self, in, 0, "GUE", -1);
    if (proto == PROTO_IPIP || proto == PROTO_IPV6)
        return natkit_inner_ip(self, in, at, "GUE", place);
    return natkit_unknown(self, in, at, "GUE payload", proto);
}

/* CAPWAP data (RFC 5415 section 4.3): looked through where it is not encrypted and carries 802.3
 * frames. */
uint64_t natkit_capwap(struct anonymising *self, const struct stretch *in,
                       const struct place *place)
{
    enum { NATIVE = 0x100, FRAGMENT = 0x80, KEEP_ALIVE = 0x08 };
    if (!stretch_has(in, 0, 8) || in->data[0] != 0)
        return natkit_unknown(self, in, 0, "CAPWAP", -1);
    uint32_t bits = load_be32(in->data) & 0xffffff;
    uint32_t at = (bits >> 19) * 4;
    if (bits & (NATIVE | FRAGMENT | KEEP_ALIVE) || at < 8)
        return natkit_unknown(self, in, 8, "CAPWAP", -1);
    return natkit_inner(self, in, at, INNER_ETHERNET, place);
}

/* TZSP: tagged fields up to an end tag, then a frame of the type in the header. */
uint64_t natkit_tzsp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { PADDING = 0, END = 1, ETHERNET = 1, WITH_PACKET = 0, TO_SEND = 1 };
    uint32_t at = 4;
    if (!stretch_has(in, 0, 4) || in->data[0] != 1 || in->data[1] > TO_SEND)
        return natkit_unknown(self, in, 0, "TZSP", -1);
    while (stretch_has(in, at, 2) && in->data[at] != END)
        at += in->data[at] == PADDING ? 1 : 2U + in->data[at + 1];
    if (load_be16(in->data + 2) != ETHERNET)
        return natkit_unknown(self, in, at, "TZSP", -1);
    return natkit_inner(self, in, at + 1, INNER_ETHERNET, place);
}

/* https://www.wireguard.com/protocol: one of four message types, then three zeros.  The port is in
 * the range that applications are given. */
uint64_t natkit_wireguard(struct anonymising *self, const struct stretch *in,
                          const struct place *place)
{
    (void)place;
    if (stretch_has(in, 0, 4) && load_le32(in->data) >= 1 && load_le32(in->data) <= 4)
        return natkit_unknown(self, in, 0, "WireGuard", -1);
    return natkit_payload(self, in, 0);
}

/* RFC 3948: ESP, or IKE after four zeros; a single byte of 0xff only keeps a NAT's state. */
uint64_t natkit_nat_traversal(struct anonymising *self, const struct stretch *in,
                              const struct place *place)
{
    (void)place;
    if (in->len == 1 && in->data[0] == 0xff)
        return 0;
    return natkit_unknown(self, in, 0,
                          stretch_has(in, 0, 4) && load_be32(in->data) == 0 ? "IKE" : "ESP", -1);
}
