/* From layer 3 on: IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200 section 4). */
#include "network.h"

#include "bytes.h"
#include "protocols.h"

/* A longer length is malformed: no packet is so long. */
#define MAX_IP_LENGTH ((uint32_t)INT32_MAX)

/* Set the IP packet's length.  `told` is that of its header, 0 for none (segmentation offload). One
 * that is less than `least`, the header's own, is malformed, and nothing follows the header.  So is
 * one that is more than there was on the wire: then the length is what was on the wire. */
static void set_ip_length(uint32_t len, uint64_t wire, uint64_t told, uint32_t least,
                          struct plt_layers *out)
{
    uint32_t captured = len - out->layer3;
    uint64_t room = wire == WIRE_UNKNOWN ? MAX_IP_LENGTH : wire - out->layer3;
    out->told_len = told >= least && told <= room;
    if (told > 0 && told < least)
        told = least < room ? least : room;
    else if (!out->told_len)
        told = wire == WIRE_UNKNOWN ? captured : room;
    out->ip_len = told < MAX_IP_LENGTH ? (uint32_t)told : MAX_IP_LENGTH;
    out->ip_end = out->layer3 + (out->ip_len < captured ? out->ip_len : captured);
}

static void decode_ip4(const uint8_t *data, uint32_t len, uint64_t wire, struct plt_layers *out)
{
    uint32_t at = out->layer3;
    uint32_t captured = len - at;
    uint32_t header = (data[at] & 0x0fU) * 4;
    out->version = 4;
    if (captured < 4)
        return;
    set_ip_length(len, wire, load_be16(data + at + 2), header < IP_HEADER ? IP_HEADER : header,
                  out);
    if (captured < 10)
        return;
    uint16_t fragment = load_be16(data + at + 6);
    out->proto = data[at + 9];
    out->fragment = (fragment & 0x1fff) != 0;
    out->more_fragments = (fragment & 0x2000) != 0;
    if (header < IP_HEADER || captured < header)
        return;
    out->payload = at + header;
    if (!out->fragment)
        out->transport = at + header;
}

/* The size of an extension header, 0 where the next header is another one. */
static uint32_t extension_size(uint8_t next, const uint8_t *header)
{
    switch (next) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_DESTINATION_OPTIONS:
    case PROTO_MOBILITY: /* RFC 6275 */
    case PROTO_HIP:      /* RFC 7401 */
    case PROTO_SHIM6:    /* RFC 5533 */
        return (header[1] + 1U) * 8;
    case PROTO_FRAGMENT:
        return 8;
    case PROTO_AH: /* RFC 4302 */
        return (header[1] + 2U) * 4;
    default:
        return 0;
    }
}

static bool is_extension(uint8_t next)
{
    static const uint8_t dummy[2] = {0, 0};
    return extension_size(next, dummy) != 0;
}

/* The length in a jumbo payload option (RFC 2675 section 2) of the hop-by-hop header at a place, 0
 * where there is none. */
static uint32_t jumbo_length(const uint8_t *data, uint32_t len, uint32_t at)
{
    enum { PAD1 = 0, JUMBO = 0xc2 };
    if (at > len || len - at < 8)
        return 0;
    uint32_t end = at + (data[at + 1] + 1U) * 8;
    if (end > len)
        end = len;
    for (at += 2; at < end && end - at >= 2;) {
        if (data[at] == PAD1) {
            at++;
            continue;
        }
        if (data[at] == JUMBO && data[at + 1] == 4 && end - at >= 6)
            return load_be32(data + at + 2);
        at += 2U + data[at + 1];
    }
    return 0;
}

/* The length of the packet by its header, which is counted in; 0 where the header has none. */
static uint64_t told_length6(const uint8_t *data, uint32_t len, uint32_t at)
{
    uint8_t next = data[at + 6];
    uint64_t payload = load_be16(data + at + 4);
    if (payload == 0 && next == PROTO_HOP_BY_HOP)
        payload = jumbo_length(data, len, at + IP6_HEADER);
    return payload > 0 || next == PROTO_NO_NEXT_HEADER ? IP6_HEADER + payload : 0;
}

static void decode_ip6(const uint8_t *data, uint32_t len, uint64_t wire, struct plt_layers *out)
{
    uint32_t at = out->layer3;
    out->version = 6;
    if (len - at < 7)
        return;
    set_ip_length(len, wire, told_length6(data, len, at), IP6_HEADER, out);
    uint8_t next = data[at + 6];
    out->proto = next;
    at += IP6_HEADER;
    while (at <= len && is_extension(next)) {
        if (len - at < 8)
            return;
        if (next == PROTO_FRAGMENT) {
            uint16_t fragment = load_be16(data + at + 2);
            out->fragment = fragment >> 3 != 0;
            out->more_fragments = fragment & 1;
        }
        uint32_t size = extension_size(next, data + at);
        next = data[at];
        out->proto = next;
        if (len - at < size)
            return;
        at += size;
        if (out->fragment)
            break; /* what follows continues the first fragment's transport */
    }
    if (at > len)
        return;
    out->payload = at;
    if (!out->fragment && next != PROTO_NO_NEXT_HEADER)
        out->transport = at;
}

void plt_decode_ip(const uint8_t *data, uint32_t len, int version, uint64_t wire,
                   struct plt_layers *out)
{
    if (version == 4)
        decode_ip4(data, len, wire, out);
    else
        decode_ip6(data, len, wire, out);
}

void plt_decode_network(const uint8_t *data, uint32_t len, uint64_t wire, struct plt_layers *out)
{
    uint32_t at = out->layer3;
    if (at == PLT_ABSENT)
        return;
    if (out->ethertype == ETHERTYPE_IP && data[at] >> 4 == 4)
        decode_ip4(data, len, wire, out);
    else if (out->ethertype == ETHERTYPE_IP6 && data[at] >> 4 == 6)
        decode_ip6(data, len, wire, out);
}
