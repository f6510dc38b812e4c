/* The headers of tunnels.  What is cut, and what can't be a tunnel's header, carries nothing or
 * something unknown. */
#include "encapsulation.h"

#include "bytes.h"
#include "decoder.h"
#include "framecontrol.h"
#include "protocols.h"

#include <stddef.h>

static void set_unknown(struct encapsulation *out, uint32_t at, int16_t number)
{
    out->carries = CARRIES_UNKNOWN;
    out->at = at;
    out->number = number;
}

static void set_carried(struct encapsulation *out, enum carried carries, uint32_t at)
{
    out->carries = (uint8_t)carries;
    out->at = at;
}

static void set_ethertype(struct encapsulation *out, uint32_t at, uint16_t ethertype)
{
    out->carries = CARRIES_ETHERTYPE;
    out->at = at;
    out->ethertype = ethertype;
}

static void set_id(struct encapsulation *out, uint32_t id)
{
    out->has_id = true;
    out->id = id;
}

/* --- What payload looks like ----------------------------------------------------------------- */

static bool ip4_checksum_is_right(const uint8_t *header, uint32_t size)
{
    uint32_t sum = 0;
    if (load_be16(header + 10) == 0)
        return true;
    for (uint32_t i = 0; i < size; i += 2)
        sum += load_be16(header + i);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

bool looks_like_ip(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (!link_has(len, at, 1))
        return false;
    const uint8_t *ip = data + at;
    uint32_t header = (ip[0] & 0x0fU) * 4;
    if (ip[0] >> 4 == 6)
        return true;
    if (ip[0] >> 4 != 4 || header < IP_HEADER)
        return false;
    return !link_has(len, at, header) || ip4_checksum_is_right(ip, header);
}

bool encapsulation_is_ethernet(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (!link_has(len, at, 15))
        return false;
    switch (load_be16(data + at + 12)) {
    case ETHERTYPE_IP:
        return data[at + 14] >> 4 == 4;
    case ETHERTYPE_IP6:
        return data[at + 14] >> 4 == 6;
    case ETHERTYPE_ARP:
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
        return true;
    default:
        return false;
    }
}

/* IP where a header may be, else something unknown. */
static void set_ip(const uint8_t *data, uint32_t len, uint32_t at, struct encapsulation *out)
{
    if (looks_like_ip(data, len, at))
        set_carried(out, CARRIES_IP, at);
    else
        set_unknown(out, at, -1);
}

/* An IEEE 802.11 frame where one can be, else something unknown. */
static void set_80211(const uint8_t *data, uint32_t len, uint32_t at, struct encapsulation *out)
{
    if (at < len && ieee80211_is_frame(data + at, len - at))
        set_carried(out, CARRIES_80211, at);
    else
        set_unknown(out, at, -1);
}

/* The "next protocol" of RFC 8300 section 2.2 and of VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe section
 * 3.2). */
static void set_next_protocol(struct encapsulation *out, uint32_t at, uint8_t next)
{
    enum { NEXT_IP = 1, NEXT_IP6, NEXT_ETHERNET, NEXT_NSH, NEXT_MPLS };
    switch (next) {
    case NEXT_IP:
        set_ethertype(out, at, ETHERTYPE_IP);
        break;
    case NEXT_IP6:
        set_ethertype(out, at, ETHERTYPE_IP6);
        break;
    case NEXT_ETHERNET:
        set_carried(out, CARRIES_ETHERNET, at);
        break;
    case NEXT_NSH:
        set_ethertype(out, at, ETHERTYPE_NSH);
        break;
    case NEXT_MPLS:
        set_ethertype(out, at, ETHERTYPE_MPLS);
        break;
    default:
        set_unknown(out, at, next);
    }
}

/* --- Directly in IP -------------------------------------------------------------------------- */

/* RFC 2003, RFC 2473, RFC 4213: the caller knows the kind. */
void encapsulation_ip(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    (void)data;
    (void)len;
    *out = (struct encapsulation){
        .kind = TUNNEL_IPIP, .carries = CARRIES_IP, .is_certain = true, .name = "IP in IP"};
}

/* RFC 3378: version 3 in the first four bits, then a whole frame. */
void encapsulation_etherip(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    *out = (struct encapsulation){.kind = TUNNEL_ETHERIP, .is_certain = true, .name = "EtherIP"};
    if (len > 0 && data[0] >> 4 != 3)
        set_unknown(out, 0, -1);
    else
        set_carried(out, CARRIES_ETHERNET, 2);
}

/* RFC 8986 section 10.1: a whole frame, after segment routing or any other IP header. */
void encapsulation_ethernet(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    (void)data;
    (void)len;
    *out = (struct encapsulation){.kind = TUNNEL_ETHERNET,
                                  .carries = CARRIES_ETHERNET,
                                  .is_certain = true,
                                  .name = "Ethernet in IP"};
}

/* RFC 4023 section 3, RFC 7510: the id is the label at the bottom of the stack. */
void encapsulation_mpls(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    *out = (struct encapsulation){.kind = TUNNEL_MPLS, .name = "MPLS"};
    set_ethertype(out, 0, ETHERTYPE_MPLS);
    for (uint32_t at = 0; link_has(len, at, 4); at += 4)
        if (data[at + 2] & 1) {
            set_id(out, load_be32(data + at) >> 12);
            return;
        }
}

/* RFC 8300 section 2: the id is the service path's. */
void encapsulation_nsh(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    *out = (struct encapsulation){.kind = TUNNEL_NSH, .is_certain = true, .name = "NSH"};
    if (!link_has(len, 0, 4))
        return;
    uint32_t size = (data[1] & 0x3fU) * 4;
    if (size < 8) {
        set_unknown(out, 0, -1);
        return;
    }
    if (link_has(len, 4, 4))
        set_id(out, load_be32(data + 4) >> 8);
    set_next_protocol(out, size, data[3]);
}

/* RFC 7761 section 4.9.3: a register has a packet to a group in it, or a null register's header. */
void encapsulation_pim(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { REGISTER_OF_2 = 0x21, NULL_REGISTER = 0x40 };
    *out = (struct encapsulation){.kind = TUNNEL_PIM, .is_certain = true, .name = "PIM"};
    if (link_has(len, 0, 8) && data[0] == REGISTER_OF_2 && !(data[4] & NULL_REGISTER))
        set_carried(out, CARRIES_IP, 8);
}

/* --- GRE ------------------------------------------------------------------------------------- */

/* ERSPAN I has no header; ERSPAN II (draft-foschiano-erspan section 4.2) comes with a GRE sequence
 * number. */
static void read_erspan(const uint8_t *data, uint32_t len, uint32_t at, bool sequenced,
                        struct encapsulation *out)
{
    out->kind = TUNNEL_ERSPAN;
    out->name = "ERSPAN";
    out->has_id = false;
    if (!sequenced) {
        set_carried(out, CARRIES_ETHERNET, at);
        return;
    }
    if (link_has(len, at, 1) && data[at] >> 4 != 1) {
        set_unknown(out, at, -1);
        return;
    }
    if (link_has(len, at, 4))
        set_id(out, load_be16(data + at + 2) & 0x3ff);
    set_carried(out, CARRIES_ETHERNET, at + 8);
}

/* ERSPAN III (draft-foschiano-erspan section 4.3). */
static void read_erspan3(const uint8_t *data, uint32_t len, uint32_t at, struct encapsulation *out)
{
    enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
    out->kind = TUNNEL_ERSPAN;
    out->name = "ERSPAN";
    out->has_id = false;
    if (!link_has(len, at, 12))
        return;
    uint32_t size = data[at + 11] & 1 ? 20 : 12; /* a platform's subheader */
    uint32_t type = load_be16(data + at + 10) >> 10 & 0x1f;
    set_unknown(out, at + size, -1);
    if (data[at] >> 4 != 2)
        return;
    set_id(out, load_be16(data + at + 2) & 0x3ff);
    if (type == FRAME_ETHERNET)
        set_carried(out, CARRIES_ETHERNET, at + size);
    else if (type == FRAME_IP)
        set_ip(data, len, at + size, out);
}

/* RFC 2784, RFC 2890, and RFC 2637's enhanced GRE of version 1, whose key is the payload's length
 * and the id of the call. */
void encapsulation_gre(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { HAS_CHECKSUM = 0x8000, HAS_ROUTING = 0x4000, HAS_KEY = 0x2000, HAS_SEQUENCE = 0x1000 };
    enum { HAS_ACKNOWLEDGMENT = 0x80 };
    *out = (struct encapsulation){.kind = TUNNEL_GRE, .is_certain = true, .name = "GRE"};
    if (len < 4)
        return;
    uint16_t flags = load_be16(data);
    uint16_t protocol = load_be16(data + 2);
    uint32_t version = flags & 7;
    uint32_t at = flags & HAS_CHECKSUM ? 8 : 4;
    if (flags & HAS_ROUTING || version > 1) { /* RFC 1701's routing; a later version */
        set_unknown(out, 4, -1);
        return;
    }
    if (version == 1)
        out->kind = TUNNEL_PPTP;
    if (flags & HAS_KEY) {
        if (link_has(len, at, 4))
            set_id(out, load_be32(data + at) & (version == 1 ? 0xffff : UINT32_MAX));
        at += 4;
    }
    at += flags & HAS_SEQUENCE ? 4 : 0;
    at += version == 1 && flags & HAS_ACKNOWLEDGMENT ? 4 : 0;
    switch (protocol) {
    case ETHERTYPE_TRANSPARENT_ETHERNET: /* RFC 1701; NVGRE, RFC 7637 */
        set_carried(out, CARRIES_ETHERNET, at);
        break;
    case ETHERTYPE_PPP:
        set_carried(out, CARRIES_PPP, at);
        break;
    case ETHERTYPE_ERSPAN:
        read_erspan(data, len, at, flags & HAS_SEQUENCE, out);
        break;
    case ETHERTYPE_ERSPAN_3:
        read_erspan3(data, len, at, out);
        break;
    case ETHERTYPE_WCCP: /* version 2 has 4 bytes more (draft-mclaggan-wccp-v2rev1 section 4.12) */
        out->name = "WCCP";
        set_ip(data, len, looks_like_ip(data, len, at) ? at : at + 4, out);
        break;
    default:
        set_ethertype(out, at, protocol);
    }
}

/* --- L2TP ------------------------------------------------------------------------------------ */

/* RFC 3931 section 4.1.1: the sizes of the cookie and of the sublayer's header are not in the
 * packet.  Where Ethernet may begin at several places, none of them is certain. */
static void read_session(const uint8_t *data, uint32_t len, uint32_t at, struct encapsulation *out)
{
    out->name = "L2TPv3";
    set_unknown(out, at, -1);
    for (uint32_t more = 0; more <= 12; more += 4)
        if (encapsulation_is_ethernet(data, len, at + more)) {
            set_carried(out, CARRIES_ETHERNET, at + more);
            return;
        }
}

void encapsulation_l2tp3(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    *out = (struct encapsulation){.kind = TUNNEL_L2TP, .name = "L2TP control"};
    if (len < 4)
        return;
    if (load_be32(data) == 0) {
        set_unknown(out, 4, -1);
        return;
    }
    set_id(out, load_be32(data));
    read_session(data, len, 4, out);
}

/* RFC 2661 section 3.1: the id is the tunnel's in its upper 16 bits, and the session's; RFC 3931
 * section 4.1.2.1. */
void encapsulation_l2tp(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200 };
    uint32_t at = 2;
    *out = (struct encapsulation){.kind = TUNNEL_L2TP, .name = "L2TP"};
    if (!link_has(len, 0, 2))
        return;
    uint16_t flags = load_be16(data);
    if (flags & CONTROL) {
        out->name = "L2TP control";
        set_unknown(out, 2, -1);
        return;
    }
    if ((flags & 0x0f) == 3) {
        if (link_has(len, 4, 4))
            set_id(out, load_be32(data + 4));
        read_session(data, len, 8, out);
        return;
    }
    if ((flags & 0x0f) != 2) {
        set_unknown(out, 0, -1);
        return;
    }
    at += flags & LENGTH ? 2 : 0;
    if (link_has(len, at, 4))
        set_id(out, load_be32(data + at));
    at += 4;
    at += flags & SEQUENCE ? 4 : 0;
    if (flags & OFFSET) {
        if (!link_has(len, at, 2))
            return;
        at += 2U + load_be16(data + at);
    }
    set_carried(out, CARRIES_PPP, at);
}

/* --- Tunnels over UDP ------------------------------------------------------------------------ */

/* RFC 7348 section 5; with a next protocol where bit P is set. */
void encapsulation_vxlan(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { HAS_PROTOCOL = 0x04, HAS_ID = 0x08 };
    *out = (struct encapsulation){.kind = TUNNEL_VXLAN, .name = "VXLAN"};
    if (!link_has(len, 0, 8)) {
        set_unknown(out, 0, -1);
        return;
    }
    if (data[0] & HAS_ID)
        set_id(out, load_be32(data + 4) >> 8);
    if (data[0] & HAS_PROTOCOL) {
        out->kind = TUNNEL_VXLAN_GPE;
        out->name = "VXLAN-GPE";
        set_next_protocol(out, 8, data[3]);
    } else if (!(data[0] & HAS_ID) || data[7] != 0) {
        set_unknown(out, 0, -1);
    } else {
        set_carried(out, CARRIES_ETHERNET, 8);
    }
}

void encapsulation_vxlan_gpe(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    encapsulation_vxlan(data, len, out);
    out->kind = TUNNEL_VXLAN_GPE;
    if (!link_has(len, 0, 8) || !(data[0] & 0x0c)) {
        out->name = "VXLAN-GPE";
        set_unknown(out, 0, -1);
    }
}

/* RFC 8926 section 3.4 */
void encapsulation_geneve(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    *out = (struct encapsulation){.kind = TUNNEL_GENEVE, .name = "Geneve"};
    if (!link_has(len, 0, 8) || data[0] >> 6 != 0) {
        set_unknown(out, 0, -1);
        return;
    }
    uint32_t at = 8 + (data[0] & 0x3fU) * 4;
    uint16_t protocol = load_be16(data + 2);
    set_id(out, load_be32(data + 4) >> 8);
    if (protocol == ETHERTYPE_TRANSPARENT_ETHERNET)
        set_carried(out, CARRIES_ETHERNET, at);
    else
        set_ethertype(out, at, protocol);
}

/* 3GPP TS 29.281 section 5: an extension header begins with its length in words and ends with the
 * type of the next. */
void encapsulation_gtp(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { MORE = 0x07, HAS_EXTENSION = 0x04, ECHO_REQUEST = 1, ECHO_RESPONSE = 2 };
    enum { SUPPORTED_EXTENSIONS = 31, END_MARKER = 254, PACKET = 255 };
    uint32_t at = 8;
    *out = (struct encapsulation){.kind = TUNNEL_GTP, .name = "GTP"};
    if (!link_has(len, 0, 8) || data[0] >> 4 != 3) {
        set_unknown(out, 0, -1);
        return;
    }
    uint8_t type = data[1];
    if (type == ECHO_REQUEST || type == ECHO_RESPONSE || type == SUPPORTED_EXTENSIONS ||
        type == END_MARKER)
        return;
    if (type != PACKET) {
        out->name = "GTP-U message";
        set_unknown(out, 8, type);
        return;
    }
    set_id(out, load_be32(data + 4));
    if (data[0] & MORE) {
        uint8_t next = link_has(len, 0, 12) && data[0] & HAS_EXTENSION ? data[11] : 0;
        at = 12;
        while (next != 0 && link_has(len, at, 1) && data[at] > 0) {
            at += data[at] * 4U;
            next = at <= len ? data[at - 1] : 0;
        }
        if (next != 0) {
            out->name = "GTP-U extension";
            set_unknown(out, 8, next);
            return;
        }
    }
    out->name = "GTP-U payload";
    set_ip(data, len, at, out);
}

/* RFC 4380 section 5.1.1: authentication and an origin indication may precede the packet. */
void encapsulation_teredo(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    uint32_t at = 0;
    *out = (struct encapsulation){.kind = TUNNEL_TEREDO, .name = "Teredo"};
    if (link_has(len, 0, 4) && load_be16(data) == 1)
        at = 4U + data[2] + data[3] + 8 + 1;
    if (link_has(len, at, 8) && load_be16(data + at) == 0)
        at += 8;
    set_ip(data, len, at, out);
}

/* RFC 9300 section 5.3: the id is the instance's. */
void encapsulation_lisp(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { HAS_INSTANCE = 0x08 };
    *out = (struct encapsulation){.kind = TUNNEL_LISP, .name = "LISP"};
    if (link_has(len, 0, 8) && data[0] & HAS_INSTANCE)
        set_id(out, load_be32(data + 4) >> 8);
    set_ip(data, len, 8, out);
}

/* GUE (draft-ietf-intarea-gue section 3): variant 1 has no header before the IP packet. */
void encapsulation_gue(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { CONTROL = 0x20 };
    *out = (struct encapsulation){.kind = TUNNEL_GUE, .name = "GUE"};
    if (!link_has(len, 0, 4) || data[0] >> 6 == 1) {
        set_ip(data, len, 0, out);
        return;
    }
    uint32_t at = 4 + (data[0] & 0x1fU) * 4;
    uint8_t proto = data[1];
    if (data[0] >> 6 != 0 || data[0] & CONTROL) {
        set_unknown(out, 0, -1);
    } else if (proto == PROTO_IPIP || proto == PROTO_IPV6) {
        set_ip(data, len, at, out);
    } else {
        out->name = "GUE payload";
        set_unknown(out, at, proto);
    }
}

/* CAPWAP data (RFC 5415 section 4.3), not encrypted: 802.3 frames, or the radio's own, of which
 * those of 802.11 are known. */
void encapsulation_capwap(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { RADIO = 0x3e00, RADIO_80211 = 0x200 };
    enum { NATIVE = 0x100, FRAGMENT = 0x80, KEEP_ALIVE = 0x08 };
    *out = (struct encapsulation){.kind = TUNNEL_CAPWAP, .name = "CAPWAP"};
    if (!link_has(len, 0, 8) || data[0] != 0) {
        set_unknown(out, 0, -1);
        return;
    }
    uint32_t bits = load_be32(data) & 0xffffff;
    uint32_t at = (bits >> 19) * 4;
    if (bits & (FRAGMENT | KEEP_ALIVE) || at < 8)
        set_unknown(out, 8, -1);
    else if (!(bits & NATIVE))
        set_carried(out, CARRIES_ETHERNET, at);
    else if ((bits & RADIO) == RADIO_80211)
        set_80211(data, len, at, out);
    else
        set_unknown(out, at, -1);
}

/* LWAPP data (RFC 5412 section 3.3): version 0, flags, a fragment's number, length, status; then
 * 802.11. */
void encapsulation_lwapp(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { VERSION = 0xc0, CONTROL = 0x04, FRAGMENT = 0x02, HEADER = 6 };
    *out = (struct encapsulation){.kind = TUNNEL_LWAPP, .name = "LWAPP"};
    if (!link_has(len, 0, HEADER) || data[0] & VERSION)
        set_unknown(out, 0, -1);
    else if (data[0] & (CONTROL | FRAGMENT))
        set_unknown(out, HEADER, -1);
    else
        set_80211(data, len, HEADER, out);
}

/* TZSP: tagged fields up to an end tag, then a frame of the type in the header. */
void encapsulation_tzsp(const uint8_t *data, uint32_t len, struct encapsulation *out)
{
    enum { PADDING = 0, END = 1, ETHERNET = 1, IEEE80211 = 18, TO_SEND = 1 };
    uint32_t at = 4;
    *out = (struct encapsulation){.kind = TUNNEL_TZSP, .name = "TZSP"};
    if (!link_has(len, 0, 4) || data[0] != 1 || data[1] > TO_SEND) {
        set_unknown(out, 0, -1);
        return;
    }
    while (link_has(len, at, 2) && data[at] != END)
        at += data[at] == PADDING ? 1 : 2U + data[at + 1];
    switch (load_be16(data + 2)) {
    case ETHERNET:
        set_carried(out, CARRIES_ETHERNET, at + 1);
        break;
    case IEEE80211:
        set_80211(data, len, at + 1, out);
        break;
    default:
        set_unknown(out, at, -1);
    }
}
