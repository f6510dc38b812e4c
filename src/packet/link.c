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
    uint32_t start = at;
    while (link_has(len, at, 1) && !(data[at] & 1)) /* the address's last byte has bit 0 set */
        at++;
    at++;
    if (link_has(len, at, 2) && at - start <= 4 && data[at] == 0x03) {
        at++;
        if (data[at] == 0) /* padding */
            at++;
        if (!link_has(len, at, 1))
            return;
        if (data[at] == 0xcc || data[at] == 0x8e)
            link_ip(data, len, at + 1, out);
        else if (data[at] == 0x80)
            plt_decode_snap(data, len, at + 1, 0, out);
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

/* Token Ring: access and frame control, addresses, source routing, 802.2. */
LINK_DECODER(token_ring)
{
    if (link_has(len, at, 15))
        link_llc(data, len, at + 14 + (data[at + 8] & 0x80 ? data[at + 14] & 0x1fU : 0), out);
}

/* 16 bytes of direction and compression. */
LINK_DECODER(slip)
{
    link_ip(data, len, at + 16, out);
}

/* Frame control, addresses, 802.2. */
LINK_DECODER(fddi)
{
    link_llc(data, len, at + 13, out);
}

/* Flags, VPI and VCI, or an ATM header: 4 bytes, then 802.2. */
LINK_DECODER(sunatm)
{
    link_llc(data, len, at + 4, out);
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

LINK_DECODER(nothing)
{
    (void)data;
    (void)len;
    (void)at;
    out->layer2 = PLT_ABSENT;
}
