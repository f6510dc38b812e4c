/* The straight path: Ethernet, at most one VLAN tag, IPv4 or IPv6 with nothing unusual, which is
 * most of what networks carry.  It finds the same layers as the decoders, and leaves to them what
 * it does not know.  No Python here. */
#ifndef PLT_PACKET_STRAIGHT_H
#define PLT_PACKET_STRAIGHT_H

#include "bytes.h"
#include "linktypes.h"
#include "packet.h"
#include "protocols.h"

/* What follows an IPv6 header directly: no extension header (RFC 8200 section 4). */
static inline bool straight_proto6(uint8_t next)
{
    return next == PROTO_TCP || next == PROTO_UDP || next == PROTO_ICMP6;
}

/* The layers of a packet; false where the decoders are to find them. */
static inline bool decode_straight(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                                   struct plt_layers *out)
{
    enum { VLAN_TAG = 4 };
    if (meta->dlt != LINKTYPE_ETHERNET || len < ETHERNET_HEADER + VLAN_TAG + IP_HEADER)
        return false;
    uint32_t at = ETHERNET_HEADER;
    uint32_t ethertype = load_be16(data + at - 2);
    uint32_t vlan_id = 0;
    bool tagged = ethertype == ETHERTYPE_VLAN;
    if (tagged) {
        vlan_id = load_be16(data + at) & 0xfff;
        at += VLAN_TAG;
        ethertype = load_be16(data + at - 2);
    }
    const uint8_t *ip = data + at;
    uint32_t captured = len - at;
    uint32_t version = *ip >> 4;
    uint32_t header = IP6_HEADER;
    uint32_t ip_len = 0;
    uint32_t fragment = 0;
    uint8_t proto = 0;
    if (ethertype == ETHERTYPE_IP && version == 4) {
        header = (*ip & 0x0fU) * 4;
        ip_len = load_be16(ip + 2);
        fragment = load_be16(ip + 6);
        proto = ip[9];
        if (header < IP_HEADER || captured < header)
            return false;
    } else if (ethertype == ETHERTYPE_IP6 && version == 6 && captured >= IP6_HEADER) {
        ip_len = load_be16(ip + 4);
        proto = ip[6];
        if (ip_len == 0 || !straight_proto6(proto))
            return false; /* a length of 0: a jumbogram, or segmentation offload */
        ip_len += IP6_HEADER;
    } else {
        return false;
    }
    uint64_t wire =
        meta->wire_len >= len && meta->wire_len >= meta->fcs ? meta->wire_len - meta->fcs : len;
    if (ip_len < header || ip_len > wire - at)
        return false;
    bool later = (fragment & 0x1fff) != 0;
    *out = (struct plt_layers){.layer3 = at,
                               .transport = later ? PLT_ABSENT : at + header,
                               .payload = at + header,
                               .ip_end = at + (ip_len < captured ? ip_len : captured),
                               .ip_len = ip_len,
                               .linktype = meta->linktype == PLT_LINKTYPE_OF_DLT ? LIBTRACE_TYPE_ETH
                                                                                 : meta->linktype,
                               .ethertype = (uint16_t)ethertype,
                               .vlan_id = (uint16_t)vlan_id,
                               .version = (uint8_t)version,
                               .proto = proto,
                               .tags = tagged,
                               .depth = 1,
                               .fragment = later,
                               .more_fragments = (fragment & 0x2000) != 0,
                               .told_len = true};
    return true;
}

#endif
