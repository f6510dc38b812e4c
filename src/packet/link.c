/* From the first byte of a packet to its layer 3, for every link type that we know.  All reads are
 * checked against what was captured: a header that is cut leaves what lies behind it absent. */
#include "decode.h"

#include "bytes.h"
#include "protocols.h"

/* More tags and labels in each other than this are nothing that a network made. */
#define MAX_DEPTH 16

static bool has(uint32_t len, uint32_t at, uint32_t need)
{
    return at <= len && len - at >= need;
}

static void set_layer3(struct plt_layers *out, uint32_t len, uint32_t at, uint16_t ethertype)
{
    out->ethertype = ethertype;
    if (at < len)
        out->layer3 = at;
}

/* Layer 3 is IP of the version that its first four bits tell. */
static void set_ip(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (!has(len, at, 1))
        return;
    uint8_t version = data[at] >> 4;
    set_layer3(out, len, at, version == 4 ? ETHERTYPE_IP : version == 6 ? ETHERTYPE_IP6 : 0);
}

/* Whether an Ethernet header with a payload that we know may be at a place. */
static bool looks_like_ethernet(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (!has(len, at, 14 + 1))
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
static void decode_mpls(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    bool bottom = false;
    while (!bottom && has(len, at, 4)) {
        bottom = data[at + 2] & 1;
        at += 4;
    }
    if (!bottom || !has(len, at, 1))
        return;
    uint8_t nibble = data[at] >> 4;
    if (nibble == 4 || nibble == 6)
        set_ip(data, len, at, out);
    else if (looks_like_ethernet(data, len, at) && !looks_like_ethernet(data, len, at + 4))
        plt_decode_ethertype(data, len, at + 14, load_be16(data + at + 12), out);
    else if (nibble == 0 && has(len, at, 4 + 14)) /* RFC 4448: a control word, then Ethernet */
        plt_decode_ethertype(data, len, at + 4 + 14, load_be16(data + at + 16), out);
    else
        set_layer3(out, len, at, 0);
}

/* The protocol field of PPP (RFC 1661 section 2), one byte where compressed, and what follows. */
static void decode_ppp(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (!has(len, at, 2))
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
        set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case 0x0057:
        set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    case 0x0281:
    case 0x0283:
        out->ethertype = ETHERTYPE_MPLS;
        decode_mpls(data, len, at, out);
        break;
    default:
        set_layer3(out, len, at, 0);
    }
}

/* The size of the tag that an ethertype announces, its own ethertype in its last two bytes; 0 where
 * the ethertype announces no tag. */
static uint32_t tag_size(uint16_t ethertype)
{
    switch (ethertype) {
    case 0x8100: /* IEEE 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: /* stacked tags before 802.1ad */
    case 0x9200:
        return 4;
    case 0x893f: /* 802.1BR */
        return 8;
    case 0x892f: /* IEC 62439-3: HSR */
        return 6;
    case 0x88e7: /* 802.1ah: I-SID, then the customer's addresses and ethertype */
        return 4 + 14;
    default:
        return 0;
    }
}

void plt_decode_ethertype(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                          struct plt_layers *out)
{
    uint32_t size = 0;
    if (out->depth++ > MAX_DEPTH)
        return;
    while ((size = tag_size(ethertype)) != 0) {
        set_layer3(out, len, at, ethertype);
        if (!has(len, at, size) || out->tags > MAX_DEPTH)
            return;
        if (out->tags++ == 0 && size == 4)
            out->vlan_id = load_be16(data + at) & 0xfff;
        at += size;
        ethertype = load_be16(data + at - 2);
        out->layer3 = PLT_ABSENT;
    }
    switch (ethertype) {
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        out->ethertype = ethertype;
        decode_mpls(data, len, at, out);
        break;
    case ETHERTYPE_PPPOE_SESSION: /* RFC 2516 section 4: 6 bytes, then a PPP protocol */
        out->ethertype = ethertype;
        decode_ppp(data, len, at + 6, out);
        break;
    default:
        if (ethertype <= 1500) { /* a length: only IP is looked for behind it, as of old */
            plt_decode_llc(data, len, at, out);
            if (out->ethertype == ETHERTYPE_IP || out->ethertype == ETHERTYPE_IP6)
                break;
        }
        set_layer3(out, len, at, ethertype);
    }
}

/* IEEE 802.2: SNAP with an ethertype (RFC 1042), or IP by its own SAP.  Leaves layer 3 absent where
 * it is neither, for the caller knows better then what to call it. */
void plt_decode_llc(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (has(len, at, 8) && data[at] == 0xaa && data[at + 1] == 0xaa) {
        uint32_t oui = load_be32(data + at + 2) & 0xffffff;
        uint16_t ethertype = load_be16(data + at + 6);
        if ((oui == 0 || oui == 0x0000f8) && ethertype > 1500)
            plt_decode_ethertype(data, len, at + 8, ethertype, out);
    } else if (has(len, at, 3) && data[at] == 0x06 && data[at + 1] == 0x06) {
        set_ip(data, len, at + 3, out);
    }
}

static void decode_ethernet(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (has(len, at, 14))
        plt_decode_ethertype(data, len, at + 14, load_be16(data + at + 12), out);
}

static void decode_llc_only(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    plt_decode_llc(data, len, at, out);
    if (out->layer3 == PLT_ABSENT)
        set_layer3(out, len, at, 0);
}

/* Linux cooked capture.  What libtrace calls layer 2 begins behind the pseudo-header. */
static void decode_cooked(const uint8_t *data, uint32_t len, uint32_t header, uint16_t hardware,
                          uint16_t protocol, struct plt_layers *out)
{
    out->linktype = LINKTYPE_NONE;
    out->layer2 = header < len ? header : PLT_ABSENT;
    switch (protocol) {
    case SLL_WHOLE_FRAME:
        out->linktype = LINKTYPE_ETH;
        decode_ethernet(data, len, header, out);
        break;
    case 0x0001: /* 802.3 without 802.2 */
    case 0x0004: /* 802.2 */
        decode_llc_only(data, len, header, out);
        break;
    default:
        if (hardware == ARPHRD_RADIOTAP || hardware == ARPHRD_80211) {
            out->linktype = LINKTYPE_80211;
            uint32_t skip = 0;
            if (hardware == ARPHRD_RADIOTAP && has(len, header, 4))
                skip = load_le16(data + header + 2);
            plt_decode_80211(data, len, header + skip, out);
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
        set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    default: /* some systems write an ethertype */
        if (family > 1500)
            plt_decode_ethertype(data, len, at, (uint16_t)family, out);
        else
            set_layer3(out, len, at, 0);
    }
}

/* PPP in HDLC-like framing (RFC 1662), or Cisco HDLC where its address byte says so. */
static void decode_hdlc(const uint8_t *data, uint32_t len, uint32_t at, bool cisco,
                        struct plt_layers *out)
{
    if (!has(len, at, 2))
        return;
    if (cisco && (data[at] == 0x0f || data[at] == 0x8f)) {
        if (has(len, at, 4))
            plt_decode_ethertype(data, len, at + 4, load_be16(data + at + 2), out);
    } else {
        decode_ppp(data, len, data[at] == 0xff && data[at + 1] == 0x03 ? at + 2 : at, out);
    }
}

/* Frame Relay (RFC 2427): the address, control 3, a network layer protocol identifier. */
static void decode_frame_relay(const uint8_t *data, uint32_t len, struct plt_layers *out)
{
    uint32_t at = 0;
    while (has(len, at, 1) && !(data[at] & 1)) /* the last byte of the address has bit 0 set */
        at++;
    at++;
    if (has(len, at, 2) && at <= 4 && data[at] == 0x03) {
        at++;
        if (data[at] == 0) /* padding */
            at++;
        if (!has(len, at, 1))
            return;
        if (data[at] == 0xcc || data[at] == 0x8e)
            set_ip(data, len, at + 1, out);
        else if (data[at] == 0x80 && has(len, at, 6))
            plt_decode_ethertype(data, len, at + 6, load_be16(data + at + 4), out);
    } else if (has(len, at, 2) && load_be16(data + at) > 1500) { /* Cisco's encapsulation */
        plt_decode_ethertype(data, len, at + 2, load_be16(data + at), out);
    }
}

/* Linux netfilter log: type-length-value attributes, of which 9 holds the packet. */
static void decode_nflog(const uint8_t *data, uint32_t len, struct plt_layers *out)
{
    uint32_t at = 4;
    while (has(len, at, 4)) {
        uint32_t size = load_le16(data + at);
        uint32_t type = load_le16(data + at + 2) & 0x7fff;
        if (type == 9) {
            out->layer2 = at;
            set_ip(data, len, at + 4, out);
            return;
        }
        if (size < 4)
            return;
        at += (size + 3) & ~3U;
    }
}

/* The radiotap, Prism, AVS and PPI headers, each with its own length, before 802.11. */
static void decode_monitor(const uint8_t *data, uint32_t len, uint32_t size, struct plt_layers *out)
{
    if (size >= len)
        return;
    out->layer2 = size;
    out->linktype = LINKTYPE_80211;
    plt_decode_80211(data, len, size, out);
}

static void decode_dlt(const uint8_t *data, uint32_t len, uint32_t dlt, struct plt_layers *out)
{
    switch (dlt) {
    case 0: /* NULL: in the capturing host's byte order */
    case 108:
        if (has(len, 0, 4))
            decode_family(data, len, 4, load_le32(data), out);
        break;
    case 1:
        decode_ethernet(data, len, 0, out);
        break;
    case 6: /* Token Ring: access and frame control, addresses, source routing, 802.2 */
        if (has(len, 0, 15))
            decode_llc_only(data, len, 14 + (data[8] & 0x80 ? data[14] & 0x1fU : 0), out);
        break;
    case 8: /* SLIP: 16 bytes of direction and compression */
        set_ip(data, len, 16, out);
        break;
    case 9:
        decode_hdlc(data, len, 0, false, out);
        break;
    case 50:
    case 166:
    case DLT_HDLC_POS:
    case DLT_LEGACY_POS:
        decode_hdlc(data, len, 0, true, out);
        break;
    case 104:
        if (has(len, 0, 4))
            plt_decode_ethertype(data, len, 4, load_be16(data + 2), out);
        break;
    case 204: /* PPP with a direction byte */
        decode_hdlc(data, len, 1, false, out);
        break;
    case 205: /* Cisco HDLC with a direction byte */
        if (has(len, 0, 5))
            plt_decode_ethertype(data, len, 5, load_be16(data + 3), out);
        break;
    case 51: /* PPPoE without Ethernet */
        decode_ppp(data, len, 6, out);
        break;
    case 10: /* FDDI: frame control, addresses, 802.2 */
        decode_llc_only(data, len, 13, out);
        break;
    case 11:
    case 100:
        decode_llc_only(data, len, 0, out);
        break;
    case 123: /* SunATM: flags, VPI, VCI */
    case DLT_ATM_CELL:
    case DLT_LEGACY_ATM:
        decode_llc_only(data, len, 4, out);
        break;
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
        set_ip(data, len, 0, out);
        break;
    case 105:
        plt_decode_80211(data, len, 0, out);
        break;
    case 119: /* Prism's own header has its length in bytes 4 to 7, AVS's in the same place */
        if (has(len, 0, 8))
            decode_monitor(
                data, len,
                load_be32(data) >> 12 == 0x80211 ? load_be32(data + 4) : load_le32(data + 4), out);
        break;
    case 163:
        if (has(len, 0, 8))
            decode_monitor(data, len, load_be32(data + 4), out);
        break;
    case 127:
    case 192: /* PPI; its own link type in bytes 4 to 7 */
        if (has(len, 0, 8) && (dlt == 127 || load_le32(data + 4) == 105))
            decode_monitor(data, len, load_le16(data + 2), out);
        break;
    case 107:
        decode_frame_relay(data, len, out);
        break;
    case 109: /* OpenBSD's enc: family, SPI, flags */
        if (has(len, 0, 12))
            decode_family(data, len, 12, load_le32(data), out);
        break;
    case 113:
        if (has(len, 0, 16))
            decode_cooked(data, len, 16, load_be16(data + 2), load_be16(data + 14), out);
        break;
    case 276:
        if (has(len, 0, 20))
            decode_cooked(data, len, 20, load_be16(data + 8), load_be16(data), out);
        break;
    case 117: /* pflog: its length, rounded up to 4, in its first byte */
        if (has(len, 0, 2)) {
            out->layer2 = (data[0] + 3U) & ~3U;
            if (out->layer2 >= len)
                out->layer2 = PLT_ABSENT;
            else
                set_ip(data, len, out->layer2, out);
        }
        break;
    case 219:
        out->ethertype = ETHERTYPE_MPLS;
        decode_mpls(data, len, 0, out);
        break;
    case 239:
        decode_nflog(data, len, out);
        break;
    case 240: /* netANALYZER, and with preamble */
        decode_ethernet(data, len, 4, out);
        break;
    case 241:
        decode_ethernet(data, len, 12, out);
        break;
    default:
        out->layer2 = PLT_ABSENT;
    }
}

void plt_decode_link(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                     struct plt_layers *out)
{
    uint32_t dlt = meta->dlt;
    out->layer2 = 0;
    out->linktype =
        meta->linktype == PLT_LINKTYPE_OF_DLT ? plt_linktype_of_dlt(dlt) : meta->linktype;
    if (dlt == 258 && has(len, 0, 12)) { /* macOS's PKTAP: header length, record type, link type */
        uint32_t header = load_le32(data);
        uint32_t inner = load_le32(data + 8);
        if (header < len && inner != dlt) {
            struct plt_layers layers = {
                .layer2 = 0, .layer3 = PLT_ABSENT, .transport = PLT_ABSENT, .payload = PLT_ABSENT};
            decode_dlt(data + header, len - header, inner, &layers);
            layers.linktype = plt_linktype_of_dlt(inner);
            if (layers.layer2 != PLT_ABSENT)
                layers.layer2 += header;
            if (layers.layer3 != PLT_ABSENT)
                layers.layer3 += header;
            *out = layers;
            return;
        }
    }
    decode_dlt(data, len, dlt, out);
    if (len == 0)
        out->layer2 = PLT_ABSENT;
}
