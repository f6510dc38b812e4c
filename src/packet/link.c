/* From the first byte of a packet to its layer 3, for every link type that we know.  All reads are
 * checked against what was captured: a header that is cut leaves what lies behind it absent. */
#include "link.h"

#include "bytes.h"
#include "protocols.h"

/* More tags and labels in each other than this are nothing that a network made. */
#define MAX_DEPTH 16

/* Layer 3 is IP of the version that its first four bits tell. */
LINK_DECODER(ip)
{
    if (!link_has(len, at, 1))
        return;
    uint8_t version = data[at] >> 4;
    link_set_layer3(out, len, at, version == 4 ? ETHERTYPE_IP : version == 6 ? ETHERTYPE_IP6 : 0);
}

/* Whether an Ethernet header with a payload that we know may be at a place. */
static bool looks_like_ethernet(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (!link_has(len, at, 14 + 1))
        return false;
    switch (load_be16(data + at + 12)) {
    case ETHERTYPE_IP:
        return data[at + 14] >> 4 == 4;
    case ETHERTYPE_IP6:
        return data[at + 14] >> 4 == 6;
    case ETHERTYPE_ARP:
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_PPPOE_SESSION:
    case ETHERTYPE_MPLS:
        return true;
    default:
        return false;
    }
}

/* MPLS label stack (RFC 3032): what follows the bottom label is told by its first four bits, but
 * for Ethernet without a control word (RFC 4448 section 4.6), which any bits may begin. */
LINK_DECODER(mpls)
{
    bool bottom = false;
    while (!bottom && link_has(len, at, 4)) {
        bottom = data[at + 2] & 1;
        at += 4;
    }
    if (!bottom || !link_has(len, at, 1))
        return;
    uint8_t nibble = data[at] >> 4;
    if (nibble == 4 || nibble == 6)
        link_ip(data, len, at, out);
    else if (looks_like_ethernet(data, len, at) && !looks_like_ethernet(data, len, at + 4))
        plt_decode_ethertype(data, len, at + 14, load_be16(data + at + 12), out);
    else if (nibble == 0 && link_has(len, at, 4 + 14)) /* RFC 4448: a control word, then Ethernet */
        plt_decode_ethertype(data, len, at + 4 + 14, load_be16(data + at + 16), out);
    else
        link_set_layer3(out, len, at, 0);
}

/* The protocol field of PPP (RFC 1661 section 2), one byte where compressed, and what follows. */
LINK_DECODER(ppp)
{
    if (!link_has(len, at, 2))
        return;
    uint16_t protocol = load_be16(data + at);
    if (data[at] == 0x21 || data[at] == 0x57) { /* only these are worth compressing */
        protocol = data[at];
        at += 1;
    } else {
        at += 2;
    }
    switch (protocol) {
    case 0x0021:
        link_set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case 0x0057:
        link_set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    case 0x0281:
    case 0x0283:
        out->ethertype = ETHERTYPE_MPLS;
        link_mpls(data, len, at, out);
        break;
    default:
        link_set_layer3(out, len, at, 0);
    }
}

/* The size of the tag that an ethertype announces, its own ethertype in its last two bytes; 0 where
 * the ethertype announces no tag. */
static uint32_t tag_size(uint16_t ethertype)
{
    switch (ethertype) {
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD:
    case ETHERTYPE_QINQ_OLDER:
        return 4;
    case ETHERTYPE_BRIDGE_PORT_EXTENSION:
        return 8;
    case ETHERTYPE_HSR:
    case ETHERTYPE_VN_TAG:
    case ETHERTYPE_BROADCOM_TAG: /* a tag of 4 bytes */
        return 6;
    case ETHERTYPE_CISCO_METADATA: /* version, length, option, security group */
    case ETHERTYPE_EDSA:           /* 2 bytes of zero, a tag of 4 bytes */
        return 8;
    case ETHERTYPE_PBB: /* I-SID, then the customer's addresses and ethertype */
        return 4 + 14;
    case ETHERTYPE_FABRICPATH: /* forwarding tag and TTL, then the whole frame */
        return 2 + 14;
    default:
        return 0;
    }
}

static bool is_vlan(uint16_t ethertype)
{
    return tag_size(ethertype) == 4;
}

/* IEEE 802.1AE section 9.3: flags, short length, packet number, and the sender's identifier where a
 * flag says so.  What follows can be read where it was neither encrypted nor changed. */
static uint32_t macsec_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { HAS_SCI = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };

    if (!link_has(len, at, 6) || data[at] & (ENCRYPTED | CHANGED))
        return 0;
    return data[at] & HAS_SCI ? 14 : 6;
}

/* Network service header (RFC 8300 section 2.2): its length in words, and what follows. */
static void decode_nsh(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { NEXT_IP4 = 1, NEXT_IP6 = 2, NEXT_ETHERNET = 3, NEXT_NSH = 4, NEXT_MPLS = 5 };

    if (!link_has(len, at, 8))
        return;
    uint32_t size = (data[at + 1] & 0x3fU) * 4;
    if (size < 8)
        return;
    switch (data[at + 3]) {
    case NEXT_IP4:
        link_set_layer3(out, len, at + size, ETHERTYPE_IP);
        break;
    case NEXT_IP6:
        link_set_layer3(out, len, at + size, ETHERTYPE_IP6);
        break;
    case NEXT_ETHERNET:
        link_ethernet(data, len, at + size, out);
        break;
    case NEXT_NSH:
        plt_decode_ethertype(data, len, at + size, ETHERTYPE_NSH, out);
        break;
    case NEXT_MPLS:
        plt_decode_ethertype(data, len, at + size, ETHERTYPE_MPLS, out);
        break;
    default:
        break;
    }
}

void plt_decode_ethertype(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                          struct plt_layers *out)
{
    uint32_t size = 0;
    bool tagged = out->tags > 0; /* the outermost VLAN is known, or there was none */
    if (out->depth++ > MAX_DEPTH)
        return;
    while ((size = tag_size(ethertype)) != 0) {
        link_set_layer3(out, len, at, ethertype);
        if (!link_has(len, at, size) || out->tags > MAX_DEPTH)
            return;
        out->tags++;
        if (is_vlan(ethertype) && !tagged) {
            out->vlan_id = load_be16(data + at) & 0xfff;
            tagged = true;
        }
        at += size;
        ethertype = load_be16(data + at - 2);
        out->layer3 = PLT_ABSENT;
    }
    switch (ethertype) {
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        out->ethertype = ethertype;
        link_mpls(data, len, at, out);
        break;
    case ETHERTYPE_PPPOE_SESSION: /* RFC 2516 section 4: 6 bytes, then a PPP protocol */
        out->ethertype = ethertype;
        link_ppp(data, len, at + 6, out);
        break;
    case ETHERTYPE_MACSEC:
        size = macsec_size(data, len, at);
        if (size && link_has(len, at, size + 2)) {
            plt_decode_ethertype(data, len, at + size + 2, load_be16(data + at + size), out);
        } else {
            link_set_layer3(out, len, at, ethertype);
        }
        break;
    case ETHERTYPE_NSH:
        decode_nsh(data, len, at, out);
        if (out->layer3 == PLT_ABSENT)
            link_set_layer3(out, len, at, ethertype);
        break;
    default:
        if (ethertype <= 1500) { /* a length: only IP is looked for after it, as libtrace does */
            plt_decode_llc(data, len, at, out);
            if (out->ethertype == ETHERTYPE_IP || out->ethertype == ETHERTYPE_IP6)
                break;
        }
        link_set_layer3(out, len, at, ethertype);
    }
}

/* IEEE 802.2: SNAP with an ethertype (RFC 1042), or IP by its own SAP.  Leaves layer 3 absent where
 * it is neither, for the caller knows better then what to call it. */
void plt_decode_llc(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (link_has(len, at, 8) && data[at] == 0xaa && data[at + 1] == 0xaa) {
        uint32_t oui = load_be32(data + at + 2) & 0xffffff;
        uint16_t ethertype = load_be16(data + at + 6);
        if ((oui == 0 || oui == 0x0000f8) && ethertype > 1500)
            plt_decode_ethertype(data, len, at + 8, ethertype, out);
    } else if (link_has(len, at, 3) && data[at] == 0x06 && data[at + 1] == 0x06) {
        link_ip(data, len, at + 3, out);
    }
}

LINK_DECODER(ethernet)
{
    if (link_has(len, at, 14))
        plt_decode_ethertype(data, len, at + 14, load_be16(data + at + 12), out);
}

LINK_DECODER(llc)
{
    plt_decode_llc(data, len, at, out);
    if (out->layer3 == PLT_ABSENT)
        link_set_layer3(out, len, at, 0);
}

/* Linux cooked capture.  What libtrace calls layer 2 begins behind the pseudo-header. */
static void decode_cooked(const uint8_t *data, uint32_t len, uint32_t header, uint16_t hardware,
                          uint16_t protocol, struct plt_layers *out)
{
    out->linktype = LIBTRACE_TYPE_NONE;
    out->layer2 = header < len ? header : PLT_ABSENT;
    switch (protocol) {
    case SLL_WHOLE_FRAME:
        out->linktype = LIBTRACE_TYPE_ETH;
        link_ethernet(data, len, header, out);
        break;
    case 0x0001: /* 802.3 without 802.2 */
    case 0x0004: /* 802.2 */
        link_llc(data, len, header, out);
        break;
    default:
        if (hardware == ARPHRD_RADIOTAP || hardware == ARPHRD_80211) {
            out->linktype = LIBTRACE_TYPE_80211;
            uint32_t skip = 0;
            if (hardware == ARPHRD_RADIOTAP && link_has(len, header, 4))
                skip = load_le16(data + header + 2);
            plt_decode_80211(data, len, header + skip, false, out);
        } else {
            plt_decode_ethertype(data, len, header, protocol, out);
        }
    }
}

/* BSD's null and loop headers: an address family in some byte order, which differs by system. */
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

/* PPP in HDLC-like framing (RFC 1662), or Cisco HDLC where its address and control bytes say so:
 * captures of serial lines have either under PPP's numbers. */
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

LINK_DECODER(cisco_direction)
{
    link_cisco(data, len, at + 1, out);
}

LINK_DECODER(pppoe)
{
    link_ppp(data, len, at + 6, out);
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
        else if (data[at] == 0x80 && link_has(len, at, 6))
            plt_decode_ethertype(data, len, at + 6, load_be16(data + at + 4), out);
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

LINK_DECODER(cooked)
{
    if (link_has(len, at, 16))
        decode_cooked(data, len, at + 16, load_be16(data + at + 2), load_be16(data + at + 14), out);
}

LINK_DECODER(cooked2)
{
    if (link_has(len, at, 20))
        decode_cooked(data, len, at + 20, load_be16(data + at + 8), load_be16(data + at), out);
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

/* --- 802.11 ---------------------------------------------------------------------------------- */

LINK_DECODER(ieee80211)
{
    plt_decode_80211(data, len, at, false, out);
}

/* What follows a header of `size` bytes, at most what was captured, is 802.11. */
static void decode_monitor(const uint8_t *data, uint32_t len, uint32_t at, uint32_t size,
                           bool padded, struct plt_layers *out)
{
    if (at >= len || size >= len - at)
        return;
    out->layer2 = at + size;
    out->linktype = LIBTRACE_TYPE_80211;
    plt_decode_80211(data, len, at + size, padded, out);
}

/* Prism's own header has its length in bytes 4 to 7, AVS's in the same place. */
LINK_DECODER(prism)
{
    if (!link_has(len, at, 8))
        return;
    bool avs = load_be32(data + at) >> 12 == 0x80211;
    decode_monitor(data, len, at, avs ? load_be32(data + at + 4) : load_le32(data + at + 4), false,
                   out);
}

LINK_DECODER(avs)
{
    if (link_has(len, at, 8))
        decode_monitor(data, len, at, load_be32(data + at + 4), false, out);
}

LINK_DECODER(radiotap)
{
    enum { FLAG_DATA_PAD = 0x20 };

    if (link_has(len, at, 8))
        decode_monitor(data, len, at, load_le16(data + at + 2),
                       plt_radiotap_flags(data + at, len - at) & FLAG_DATA_PAD, out);
}

/* --- The table ------------------------------------------------------------------------------- */

static void decode_linktype(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                            struct plt_layers *out)
{
    /* Rows may share a decoder.  NOLINTBEGIN(bugprone-branch-clone) */
    switch (linktype) {
#define LINK_CASE(name, number, dlt, type, decoder, ...)                                           \
    case LINKTYPE_##name:                                                                          \
        link_##decoder(data, len, at, out);                                                        \
        break;
        LINK_TYPES(LINK_CASE)
#undef LINK_CASE
    default:
        out->layer2 = PLT_ABSENT;
    }
    /* NOLINTEND(bugprone-branch-clone) */
}

void link_within(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                 struct plt_layers *out)
{
    if (at >= len || out->depth++ > MAX_DEPTH)
        return;
    out->layer2 = at;
    out->linktype = plt_linktype_of_dlt(linktype);
    decode_linktype(data, len, at, linktype, out);
}

void plt_decode_link(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                     struct plt_layers *out)
{
    out->layer2 = 0;
    out->linktype =
        meta->linktype == PLT_LINKTYPE_OF_DLT ? plt_linktype_of_dlt(meta->dlt) : meta->linktype;
    decode_linktype(data, len, 0, meta->dlt, out);
    if (len == 0)
        out->layer2 = PLT_ABSENT;
}
