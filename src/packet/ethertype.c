/* Tags, labels and headers between the link layer and layer 3.  They may be within each other: each
 * decoder calls the next, to a bounded depth. */
#include "ethertype.h"

#include "bytes.h"
#include "encapsulation.h"
#include "protocols.h"

/* Note an encapsulation, and what begins at a place in it: only the outermost is. */
static void note_below(struct plt_layers *out, enum tunnel_kind kind, uint32_t id, uint32_t at,
                       enum linktype dlt)
{
    if (out->below != TUNNEL_NONE)
        return;
    out->below = (uint8_t)kind;
    out->below_id = id;
    out->below_at = at;
    out->below_dlt = (uint8_t)dlt;
}

/* Layer 3 is IP; its first four bits are the version. */
LINK_DECODER(ip)
{
    if (!link_has(len, at, 1))
        return;
    uint8_t version = data[at] >> 4;
    link_set_layer3(out, len, at, version == 4 ? ETHERTYPE_IP : version == 6 ? ETHERTYPE_IP6 : 0);
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
    case ETHERTYPE_R_TAG: /* 2 bytes of zero, a sequence number */
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

/* --- MPLS ------------------------------------------------------------------------------------ */

/* Whether an Ethernet header may be at a place below an MPLS label: one with a known ethertype. */
static bool looks_like_ethernet(const uint8_t *data, uint32_t len, uint32_t at)
{
    if (encapsulation_is_ethernet(data, len, at))
        return true;
    switch (link_has(len, at, ETHERNET_HEADER + 1) ? load_be16(data + at + 12) : 0) {
    case ETHERTYPE_REVERSE_ARP:
    case ETHERTYPE_SLOW_PROTOCOLS:
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
    case ETHERTYPE_PPPOE_DISCOVERY:
    case ETHERTYPE_PPPOE_SESSION:
    case ETHERTYPE_QINQ_OLD:
    case ETHERTYPE_QINQ_OLDER:
    case ETHERTYPE_EAPOL:
    case ETHERTYPE_LLDP:
    case ETHERTYPE_MACSEC:
    case ETHERTYPE_PBB:
    case ETHERTYPE_PTP:
        return true;
    default:
        return false;
    }
}

/* Whether Ethernet begins at once after the bottom label, whose next four bits are 0, and not after
 * a control word (RFC 4448 section 4.6), of which 12 bits more are sent as 0: the generic one (RFC
 * 4385 section 3) has flags, fragmentation and length there.  A known ethertype in one of both
 * places tells.  With a tag there is one in both, 4 bytes apart. */
static bool lacks_control_word(const uint8_t *data, uint32_t len, uint32_t at)
{
    bool without = looks_like_ethernet(data, len, at);
    if (without != looks_like_ethernet(data, len, at + 4))
        return without;
    if (without && is_vlan(load_be16(data + at + 12)))
        return true;
    return link_has(len, at, 2) && load_be16(data + at) != 0;
}

/* An associated channel (RFC 4385 section 5): four bits of 1, version 0, 8 bits of 0, then what is
 * in it by PPP's numbers.  False where it is not IP. */
static bool decode_channel(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { CHANNEL_IP = 0x10000021, CHANNEL_IP6 = 0x10000057 };
    uint32_t header = link_has(len, at, 4) ? load_be32(data + at) : 0;
    if (header != CHANNEL_IP && header != CHANNEL_IP6)
        return false;
    link_set_layer3(out, len, at + 4, header == CHANNEL_IP ? ETHERTYPE_IP : ETHERTYPE_IP6);
    return true;
}

static void decode_pseudowire(const uint8_t *data, uint32_t len, uint32_t at, uint32_t label,
                              struct plt_layers *out)
{
    note_below(out, TUNNEL_MPLS, label, at, LINKTYPE_ETHERNET);
    link_ethernet(data, len, at, out);
}

/* What follows the bottom label: its first four bits tell IP from a control word and an associated
 * channel; Ethernet without a control word may begin with any bits. */
static void decode_labelled(const uint8_t *data, uint32_t len, uint32_t at, uint32_t label,
                            struct plt_layers *out)
{
    uint8_t nibble = data[at] >> 4;
    bool is_ethernet = nibble == 0 || looks_like_ethernet(data, len, at);
    bool has_word = nibble == 0 && !lacks_control_word(data, len, at);
    if (nibble == 4 || nibble == 6)
        link_ip(data, len, at, out);
    else if (nibble == 1 && decode_channel(data, len, at, out))
        return;
    else if (is_ethernet && link_has(len, at, (has_word ? 4 : 0) + ETHERNET_HEADER))
        decode_pseudowire(data, len, at + (has_word ? 4 : 0), label, out);
    else
        link_set_layer3(out, len, at, 0);
}

/* MPLS label stack (RFC 3032). */
LINK_DECODER(mpls)
{
    bool bottom = false;
    uint32_t label = 0;
    while (!bottom && link_has(len, at, 4)) {
        bottom = data[at + 2] & 1;
        label = load_be32(data + at) >> 12;
        at += 4;
    }
    if (!bottom || !link_has(len, at, 1))
        return;
    decode_labelled(data, len, at, label, out);
}

/* --- PPP ------------------------------------------------------------------------------------- */

/* A bridged frame (RFC 3518): flags, its kind; RFC 1638 had a LAN's number, where a flag is set. */
static void decode_ppp_bridging(const uint8_t *data, uint32_t len, uint32_t at,
                                struct plt_layers *out)
{
    enum { HAS_LAN = 0x40, ETHERNET = 1 };
    uint32_t size = link_has(len, at, 1) && data[at] & HAS_LAN ? 6 : 2;
    if (link_has(len, at, size + ETHERNET_HEADER) && data[at + 1] == ETHERNET)
        link_ethernet(data, len, at + size, out);
    else
        link_set_layer3(out, len, at, 0);
}

/* Multilink (RFC 1990 section 3), with sequence numbers of 24 bits: what has both the beginning and
 * the end of a packet is all of it. */
static void decode_ppp_multilink(const uint8_t *data, uint32_t len, uint32_t at,
                                 struct plt_layers *out)
{
    enum { BEGIN_AND_END = 0xc0, HEADER = 4 };
    if (link_has(len, at, HEADER) && data[at] == BEGIN_AND_END && out->depth++ < LINK_MAX_DEPTH)
        link_ppp(data, len, at + HEADER, out);
    else
        link_set_layer3(out, len, at, 0);
}

/* The protocol field of PPP (RFC 1661 section 2), one byte where compressed, and what follows. */
LINK_DECODER(ppp)
{
    if (!link_has(len, at, 2))
        return;
    uint16_t protocol = load_be16(data + at);
    /* no other compressed protocol is looked for */
    if (data[at] == PPP_IP || data[at] == PPP_IP6 || data[at] == PPP_MULTILINK) {
        protocol = data[at];
        at += 1;
    } else {
        at += 2;
    }
    switch (protocol) {
    case PPP_IP:
        link_set_layer3(out, len, at, ETHERTYPE_IP);
        break;
    case PPP_IP6:
        link_set_layer3(out, len, at, ETHERTYPE_IP6);
        break;
    case PPP_BRIDGING:
        decode_ppp_bridging(data, len, at, out);
        break;
    case PPP_MULTILINK:
        decode_ppp_multilink(data, len, at, out);
        break;
    case PPP_MPLS:
    case PPP_MPLS_MULTICAST:
        out->ethertype = ETHERTYPE_MPLS;
        link_mpls(data, len, at, out);
        break;
    default:
        link_set_layer3(out, len, at, 0);
    }
}

/* --- Ethertypes ------------------------------------------------------------------------------ */

/* IEEE 802.1AE section 9.3: flags, short length, packet number, and the sender's identifier where a
 * flag is set.  What follows can be read where it was neither encrypted nor changed. */
static uint32_t macsec_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { HAS_SCI = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };
    if (!link_has(len, at, 6) || data[at] & (ENCRYPTED | CHANGED))
        return 0;
    return data[at] & HAS_SCI ? 14 : 6;
}

/* Arista's timestamps: a type, which is 1, a version, whose third digit tells the form of the time,
 * and the time: "Overview of Arista Timestamps". */
static uint32_t arista_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { TIMESTAMP = 1, OF_64_BITS = 1, OF_48_BITS = 2 };
    if (!link_has(len, at, 4) || load_be16(data + at) != TIMESTAMP)
        return 0;
    switch (data[at + 3] >> 4) {
    case OF_64_BITS:
        return 4 + 8;
    case OF_48_BITS:
        return 4 + 6;
    default:
        return 0;
    }
}

/* Network service header (RFC 8300 section 2.2): its length in words, and what follows. */
static void decode_nsh(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    struct encapsulation header;
    if (!link_has(len, at, 8))
        return;
    encapsulation_nsh(data + at, len - at, &header);
    if (out->nsh_at == 0)
        out->nsh_at = link_place(at);
    at += header.at;
    if (header.carries == CARRIES_ETHERNET) {
        note_below(out, TUNNEL_NSH, header.id, at, LINKTYPE_ETHERNET);
        link_ethernet(data, len, at, out);
    } else if (header.carries == CARRIES_ETHERTYPE) {
        if (header.ethertype == ETHERTYPE_IP || header.ethertype == ETHERTYPE_IP6)
            note_below(out, TUNNEL_NSH, header.id, at, LINKTYPE_RAW);
        plt_decode_ethertype(data, len, at, header.ethertype, out);
    }
}

/* TRILL (RFC 6325 section 3): version 0, the length of options in words, a hop count, nicknames;
 * then Ethernet.  The size of the header, 0 where it is another. */
static uint32_t trill_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { VERSION = 0xc000, OPTIONS = 0x07c0 };
    if (!link_has(len, at, 6) || load_be16(data + at) & VERSION)
        return 0;
    return 6 + ((load_be16(data + at) & OPTIONS) >> 6) * 4U;
}

/* batman-adv, as Linux's batadv_packet.h has it: the header of what carries an Ethernet frame. */
static uint32_t batman_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { VERSION = 15, BROADCAST = 0x01, UNICAST = 0x40, UNICAST_4_ADDRESSES = 0x42 };
    if (!link_has(len, at, 2) || data[at + 1] != VERSION)
        return 0;
    switch (data[at]) {
    case BROADCAST:
        return 14;
    case UNICAST:
        return 10;
    case UNICAST_4_ADDRESSES:
        return 18;
    default:
        return 0;
    }
}

/* The Ethernet frame that an ethertype announces after a header of its own; that is layer 3 where
 * there is no frame in it. */
static void decode_bridged(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                           struct plt_layers *out)
{
    uint32_t size = 0;
    if (ethertype == ETHERTYPE_TRILL)
        size = trill_size(data, len, at);
    else if (ethertype == ETHERTYPE_BATMAN_ADV)
        size = batman_size(data, len, at);
    bool has_frame = ethertype == ETHERTYPE_TRANSPARENT_ETHERNET || size > 0;
    if (has_frame && link_has(len, at, size + ETHERNET_HEADER))
        link_ethernet(data, len, at + size, out);
    else
        link_set_layer3(out, len, at, ethertype);
}

/* A header that leaves layer 3 absent where nothing is known of what it carries: it is that then.
 */
static void decode_or_keep(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                           struct plt_layers *out)
{
    if (ethertype == ETHERTYPE_LLC)
        plt_decode_llc(data, len, at, out);
    else if (ethertype == ETHERTYPE_NSH)
        decode_nsh(data, len, at, out);
    else if (out->subframe_at == 0) /* 802.11: one aggregate in another is not looked into */
        plt_decode_80211(data, len, at, false, out);
    if (out->layer3 == PLT_ABSENT)
        link_set_layer3(out, len, at, ethertype);
}

void plt_decode_ethertype(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                          struct plt_layers *out)
{
    uint32_t size = 0;
    bool tagged = out->tags > 0; /* the outermost tag is known, whether VLAN or not */
    if (out->depth++ > LINK_MAX_DEPTH)
        return;
    while ((size = tag_size(ethertype)) != 0) {
        link_set_layer3(out, len, at, ethertype);
        if (!link_has(len, at, size) || out->tags > LINK_MAX_DEPTH)
            return;
        out->tags++;
        if (is_vlan(ethertype) && out->vlans < 2)
            out->vlan_tags[out->vlans++] = load_be16(data + at);
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
        if (link_has(len, at, 6)) {
            note_below(out, TUNNEL_PPPOE, load_be16(data + at + 2), at + 6, LINKTYPE_PPP);
            out->pppoe_length_at = link_place(at + 4);
        }
        link_ppp(data, len, at + 6, out);
        break;
    case ETHERTYPE_MACSEC:
    case ETHERTYPE_ARISTA:
        size =
            ethertype == ETHERTYPE_MACSEC ? macsec_size(data, len, at) : arista_size(data, len, at);
        if (size && link_has(len, at, size + 2))
            plt_decode_ethertype(data, len, at + size + 2, load_be16(data + at + size), out);
        else
            link_set_layer3(out, len, at, ethertype);
        break;
    case ETHERTYPE_TRANSPARENT_ETHERNET:
    case ETHERTYPE_TRILL:
    case ETHERTYPE_BATMAN_ADV:
        decode_bridged(data, len, at, ethertype, out);
        break;
    case ETHERTYPE_LLC:
    case ETHERTYPE_80211:
    case ETHERTYPE_NSH:
        decode_or_keep(data, len, at, ethertype, out);
        break;
    default:
        if (ethertype <= 1500) { /* a length: only IP is looked for after it, as in libtrace */
            out->length_at = at >= 2 ? link_place(at - 2) : 0;
            plt_decode_llc(data, len, at, out);
            if (out->ethertype == ETHERTYPE_IP || out->ethertype == ETHERTYPE_IP6)
                break;
        }
        link_set_layer3(out, len, at, ethertype);
    }
}

/* --- IEEE 802.2 ------------------------------------------------------------------------------ */

/* What a bridged frame is, by SNAP's last two bytes: with its FCS, or without (RFC 2684 section
 * 5.2). */
enum {
    BRIDGED_ETHERNET_FCS = 1,
    BRIDGED_TOKEN_RING_FCS = 3,
    BRIDGED_FDDI_FCS = 4,
    BRIDGED_ETHERNET = 7,
    BRIDGED_TOKEN_RING = 9,
    BRIDGED_FDDI = 10
};

/* The kind of a bridged frame, 0 where SNAP has another organisation. */
static uint16_t bridged_kind(const uint8_t *snap)
{
    enum { BRIDGED = 0x0080c2 };
    return load_be32(snap) >> 8 == BRIDGED ? load_be16(snap + 3) : 0;
}

bool snap_bridges_ethernet(const uint8_t *snap)
{
    uint16_t kind = bridged_kind(snap);
    return kind == BRIDGED_ETHERNET_FCS || kind == BRIDGED_ETHERNET;
}

/* A bridged frame: a byte of padding more is before FDDI, whose header has an odd size. */
static void decode_bridged_by_snap(const uint8_t *data, uint32_t len, uint32_t at, uint16_t kind,
                                   struct plt_layers *out)
{
    if (out->depth++ > LINK_MAX_DEPTH)
        return;
    switch (kind) {
    case BRIDGED_ETHERNET_FCS:
    case BRIDGED_ETHERNET:
        link_ethernet(data, len, at, out);
        break;
    case BRIDGED_TOKEN_RING_FCS:
    case BRIDGED_TOKEN_RING:
        link_token_ring(data, len, at, out);
        break;
    case BRIDGED_FDDI_FCS:
    case BRIDGED_FDDI:
        link_fddi(data, len, at + 1, out);
        break;
    default:
        break;
    }
}

void plt_decode_snap(const uint8_t *data, uint32_t len, uint32_t at, uint32_t padding,
                     struct plt_layers *out)
{
    enum { ETHERNET = 0, BRIDGE_TUNNEL = 0x0000f8, HEADER = 5 }; /* RFC 1042, IEEE 802.1H */
    if (!link_has(len, at, HEADER))
        return;
    uint32_t oui = load_be32(data + at) >> 8;
    uint16_t ethertype = load_be16(data + at + 3);
    uint16_t bridged = bridged_kind(data + at);
    if (bridged)
        decode_bridged_by_snap(data, len, at + HEADER + padding, bridged, out);
    else if ((oui == ETHERNET || oui == BRIDGE_TUNNEL) && ethertype > 1500)
        plt_decode_ethertype(data, len, at + HEADER, ethertype, out);
}

void plt_decode_nlpid(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { NLPID_IP6 = 0x8e, NLPID_IP = 0xcc, NLPID_PPP = 0xcf };
    uint8_t nlpid = link_has(len, at, 1) ? data[at] : 0;
    if (nlpid == NLPID_IP || nlpid == NLPID_IP6)
        link_ip(data, len, at + 1, out);
    else if (nlpid == NLPID_PPP)
        link_ppp(data, len, at + 1, out);
}

void plt_decode_llc(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { BRIDGE_PADDING = 2 }; /* RFC 2684 section 5.2 */
    enum { OSI = 0xfefe03 };     /* section 5.1 */
    if (link_has(len, at, 8) && data[at] == 0xaa && data[at + 1] == 0xaa)
        plt_decode_snap(data, len, at + 3, BRIDGE_PADDING, out);
    else if (link_has(len, at, 3) && data[at] == 0x06 && data[at + 1] == 0x06)
        link_ip(data, len, at + 3, out);
    else if (link_has(len, at, 4) && load_be32(data + at) >> 8 == OSI)
        plt_decode_nlpid(data, len, at + 3, out);
}

LINK_DECODER(llc)
{
    plt_decode_llc(data, len, at, out);
    if (out->layer3 == PLT_ABSENT)
        link_set_layer3(out, len, at, 0);
}

/* --- IEEE 802's media ------------------------------------------------------------------------ */

enum { ISL_HEADER = 26 };

/* Whether a frame is one of Cisco's Inter-Switch Link with Ethernet in it: a group's address of 5
 * bytes, the kind of frame, the sender, a length, then SNAP. */
static bool is_isl(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum {
        GROUP = 0x01000c00,
        OTHER_GROUP = 0x0c000c00,
        KIND = 0xf0,
        ETHERNET = 0,
        SNAP = 0xaaaa03
    };
    if (!link_has(len, at, ISL_HEADER + ETHERNET_HEADER))
        return false;
    const uint8_t *header = data + at;
    uint32_t group = load_be32(header);
    return (group == GROUP || group == OTHER_GROUP) && header[4] == 0 &&
           (header[5] & KIND) == ETHERNET && load_be32(header + 14) >> 8 == SNAP;
}

LINK_DECODER(ethernet)
{
    if (!link_has(len, at, ETHERNET_HEADER))
        return;
    uint16_t ethertype = load_be16(data + at + 12);
    if (ethertype < ETHERTYPE_LEAST && is_isl(data, len, at) && out->depth++ < LINK_MAX_DEPTH)
        link_ethernet(data, len, at + ISL_HEADER, out);
    else
        plt_decode_ethertype(data, len, at + ETHERNET_HEADER, ethertype, out);
}

/* Token Ring: access and frame control, addresses, source routing, 802.2. */
LINK_DECODER(token_ring)
{
    if (link_has(len, at, 15))
        link_llc(data, len, at + 14 + (data[at + 8] & 0x80 ? data[at + 14] & 0x1fU : 0), out);
}

/* Frame control, addresses, 802.2. */
LINK_DECODER(fddi)
{
    link_llc(data, len, at + 13, out);
}
