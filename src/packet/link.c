/* Link types with a header of their own and no further structure.  All reads are checked against
 * what was captured: what comes after a header that was cut is absent. */
#include "link.h"

#include "bytes.h"
#include "ethertype.h"
#include "protocols.h"

/* BSD's null and loop headers: an address family, whose byte order and numbers differ by system. */
static void decode_family(const uint8_t *data, uint32_t len, uint32_t at, uint32_t family,
                          struct plt_layers *out)
{
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00);
    switch (family) {
    case 2:
        link_set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        link_set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    default: /* some systems write an ethertype */
        if (family > 1500)
            plt_decode_ethertype(data, len, at, (uint16_t)family, out);
        else
            link_set_layer3(out, len, at, 0);
    }
}

/* Cisco HDLC: an address, 0, an ethertype. */
LINK_DECODER(cisco)
{
    if (link_has(len, at, 4))
        plt_decode_ethertype(data, len, at + 4, load_be16(data + at + 2), out);
}

/* PPP in HDLC-like framing (RFC 1662), or Cisco HDLC by its address and control bytes: captures of
 * serial lines have either under PPP's link types. */
LINK_DECODER(hdlc)
{
    enum { CISCO_UNICAST = 0x0f00, CISCO_BROADCAST = 0x8f00, ALL_STATIONS = 0xff03 };
    if (!link_has(len, at, 2))
        return;
    uint16_t start = load_be16(data + at);
    if (start == CISCO_UNICAST || start == CISCO_BROADCAST)
        link_cisco(data, len, at, out);
    else
        link_ppp(data, len, start == ALL_STATIONS ? at + 2 : at, out);
}

LINK_DECODER(ppp_direction)
{
    link_hdlc(data, len, at + 1, out);
}

bool pppd_has_direction(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { SENT = 1, UNNUMBERED = 0x03 };
    return link_has(len, at, 2) && data[at] <= SENT && data[at + 1] == UNNUMBERED;
}

LINK_DECODER(pppd)
{
    if (pppd_has_direction(data, len, at))
        link_ppp(data, len, at + 2, out);
    else
        link_hdlc(data, len, at, out);
}

LINK_DECODER(cisco_direction)
{
    link_cisco(data, len, at + 1, out);
}

LINK_DECODER(pppoe)
{
    plt_decode_ethertype(data, len, at, ETHERTYPE_PPPOE_SESSION, out);
}

/* Frame Relay (RFC 2427): the address, control 3, a network layer protocol identifier. */
LINK_DECODER(frame_relay)
{
    enum { NLPID_SNAP = 0x80 };
    uint32_t start = at;
    while (link_has(len, at, 1) && !(data[at] & 1)) /* the address's last byte has bit 0 set */
        at++;
    at++;
    if (link_has(len, at, 2) && at - start <= 4 && data[at] == 0x03) {
        at++;
        if (data[at] == 0) /* padding */
            at++;
        if (link_has(len, at, 1) && data[at] == NLPID_SNAP)
            plt_decode_snap(data, len, at + 1, 0, out);
        else
            plt_decode_nlpid(data, len, at, out);
    } else if (link_has(len, at, 2) && load_be16(data + at) > 1500) { /* Cisco's encapsulation */
        plt_decode_ethertype(data, len, at + 2, load_be16(data + at), out);
    }
}

/* Linux netfilter log: type-length-value attributes, of which 9 holds the packet. */
LINK_DECODER(nflog)
{
    at += 4;
    while (link_has(len, at, 4)) {
        uint32_t size = load_le16(data + at);
        uint32_t type = load_le16(data + at + 2) & 0x7fff;
        if (type == 9) {
            out->layer2 = at;
            link_ip(data, len, at + 4, out);
            return;
        }
        if (size < 4)
            return;
        at += (size + 3) & ~3U;
    }
}

/* 16 bytes of direction and compression. */
LINK_DECODER(slip)
{
    link_ip(data, len, at + 16, out);
}

/* The header of an ATM cell without its checksum, then 802.2. */
LINK_DECODER(atm_cell)
{
    link_llc(data, len, at + 4, out);
}

/* LAN emulation (ATM Forum's LANE 1.0 section 4.1): a client's number, or a mark of control, then
 * an Ethernet frame. */
static void decode_lane(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { CONTROL = 0xff00 };
    if (link_has(len, at, 2 + ETHERNET_HEADER) && load_be16(data + at) != CONTROL)
        link_ethernet(data, len, at + 2, out);
    else
        link_set_layer3(out, len, at, 0);
}

/* Whether IP begins at a place with nothing but PPP's number of it before (RFC 2364 section 4). */
static bool begins_ppp_ip(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (!link_has(len, at, 3))
        return false;
    uint16_t protocol = load_be16(data + at);
    uint8_t version = data[at + 2] >> 4;
    return (protocol == PPP_IP && version == 4) || (protocol == PPP_IP6 && version == 6);
}

/* What is carried, in the lower half of a byte, VPI and VCI. */
LINK_DECODER(sunatm)
{
    enum { CARRIED = 0x0f, UNKNOWN = 0, LANE = 1 };
    uint8_t carried = link_has(len, at, 1) ? data[at] & CARRIED : UNKNOWN;
    at += 4;
    if (carried == LANE)
        decode_lane(data, len, at, out);
    else if (carried == UNKNOWN && begins_ppp_ip(data, len, at))
        link_ppp(data, len, at, out);
    else
        link_llc(data, len, at, out);
}

/* An address family in the capturing host's byte order, or the network's. */
LINK_DECODER(family)
{
    if (link_has(len, at, 4))
        decode_family(data, len, at + 4, load_le32(data + at), out);
}

/* Family, SPI, flags. */
LINK_DECODER(enc)
{
    if (link_has(len, at, 12))
        decode_family(data, len, at + 12, load_le32(data + at), out);
}

/* Its length in its first byte, to be rounded up to 4. */
LINK_DECODER(pflog)
{
    if (!link_has(len, at, 2))
        return;
    uint32_t end = at + ((data[at] + 3U) & ~3U);
    out->layer2 = end < len ? end : PLT_ABSENT;
    link_ip(data, len, end, out);
}

/* netANALYZER: 4 bytes before the frame, and 8 more of preamble. */
LINK_DECODER(netanalyzer)
{
    link_ethernet(data, len, at + 4, out);
}

LINK_DECODER(netanalyzer_preamble)
{
    link_ethernet(data, len, at + 12, out);
}

/* Classical IP over ATM (RFC 2225): IP as Linux has it, or with the 802.2 header that libpcap looks
 * for. */
LINK_DECODER(classical_ip)
{
    enum { SNAP = 0xaa };
    if (link_has(len, at, 1) && data[at] == SNAP)
        link_llc(data, len, at, out);
    else
        link_ip(data, len, at, out);
}

/* SCTP without IP. */
LINK_DECODER(sctp)
{
    (void)data;
    if (at >= len)
        return;
    out->transport = at;
    out->proto = PROTO_SCTP;
}

LINK_DECODER(nothing)
{
    (void)data;
    (void)len;
    (void)at;
    out->layer2 = PLT_ABSENT;
}
