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

/* The protocol field of PPP (RFC 1661 section 2), one byte where compressed, and what follows. */
LINK_DECODER(ppp)
{
    if (!link_has(len, at, 2))
        return;
    uint16_t protocol = load_be16(data + at);
    if (data[at] == 0x21 || data[at] == 0x57) { /* no other compressed protocol is looked for */
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
    case ETHERTYPE_NSH:
        decode_nsh(data, len, at, out);
        if (out->layer3 == PLT_ABSENT)
            link_set_layer3(out, len, at, ethertype);
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
