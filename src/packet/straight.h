/* The straight path: Ethernet, at most one VLAN tag, IPv4 or IPv6 with nothing unusual, which is
 * most of what networks carry.  It finds the same layers as the decoders, and leaves to them what
 * it does not know.  No Python here. */
#ifndef PLT_PACKET_STRAIGHT_H
#define PLT_PACKET_STRAIGHT_H

#include "bytes.h"
#include "linktypes.h"
#include "packet.h"
#include "protocols.h"

/* An IP header without options or extensions begins at a place: the layers, if its length can be
 * right.  `rest` is how many bytes of the packet were on the wire from there on. */
static inline bool straight_ip(uint32_t at, uint32_t len, uint64_t rest, uint8_t version,
                               uint32_t header, uint32_t ip_len, uint8_t proto, uint16_t tag,
                               bool tagged, int16_t linktype, struct plt_layers *out)
{
    if (ip_len < header || ip_len > rest)
        return false;
    *out = (struct plt_layers){.layer3 = at,
                               .transport = at + header,
                               .payload = at + header,
                               .ip_end = ip_len < len - at ? at + ip_len : len,
                               .ip_len = ip_len,
                               .linktype = linktype,
                               .ethertype = version == 4 ? ETHERTYPE_IP : ETHERTYPE_IP6,
                               .vlan_id = tag & 0xfff,
                               .vlan_tags = {tag},
                               .vlans = tagged,
                               .version = version,
                               .proto = proto,
                               .tags = tagged,
                               .depth = 1,
                               .told_len = true};
    return true;
}

/* The layers of a packet; false where the decoders are to find them.  There are few branches that
 * ordinary traffic takes now one way, now the other. */
static inline bool decode_straight(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                                   struct plt_layers *out)
{
    enum { VLAN_TAG = 4, FRAGMENT = 0x3fff /* the offset, and whether more follow */ };
    if (meta->dlt != LINKTYPE_ETHERNET || len < ETHERNET_HEADER + VLAN_TAG + IP_HEADER ||
        meta->wire_len < (uint64_t)len + meta->fcs)
        return false;
    int16_t linktype = meta->linktype == PLT_LINKTYPE_OF_DLT ? LIBTRACE_TYPE_ETH : meta->linktype;
    uint32_t at = ETHERNET_HEADER;
    uint16_t ethertype = load_be16(data + at - 2);
    uint16_t tag = 0;
    bool tagged = ethertype == ETHERTYPE_VLAN;
    if (tagged) {
        tag = load_be16(data + at);
        at += VLAN_TAG;
        ethertype = load_be16(data + at - 2);
    }
    const uint8_t *ip = data + at;
    uint64_t rest = meta->wire_len - meta->fcs - at;
    if (ethertype == ETHERTYPE_IP && *ip == 0x45) /* without options */
        return !(load_be16(ip + 6) & FRAGMENT) &&
               straight_ip(at, len, rest, 4, IP_HEADER, load_be16(ip + 2), ip[9], tag, tagged,
                           linktype, out);
    if (ethertype != ETHERTYPE_IP6 || *ip >> 4 != 6 || len - at < IP6_HEADER)
        return false;
    /* no extension header; a length of 0 may be a jumbogram's */
    uint8_t proto = ip[6];
    uint32_t payload = load_be16(ip + 4);
    return (proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_ICMP6) && payload > 0 &&
           straight_ip(at, len, rest, 6, IP6_HEADER, IP6_HEADER + payload, proto, tag, tagged,
                       linktype, out);
}

#endif
