/* Values of a packet that depend on several header fields: ports, and what TCP or UDP carries.
 * Attributes, columns, flow tables and DNS columns all take them from here.  No Python here. */
#ifndef PLT_PACKET_VALUES_H
#define PLT_PACKET_VALUES_H

#include "bytes.h"
#include "packet.h"
#include "protocols.h"

/* Whether the header of a protocol begins with two ports of 2 bytes. */
static inline bool proto_has_ports(uint8_t proto)
{
    static const bool has_ports[UINT8_MAX + 1] = {
        [PROTO_TCP] = true,     [PROTO_UDP] = true, [PROTO_DCCP] = true, /* RFC 4340 */
        [PROTO_SCTP] = true,                                             /* RFC 9260 */
        [PROTO_UDPLITE] = true,                                          /* RFC 3828 */
    };
    return has_ports[proto];
}

/* `need` bytes at an offset of the transport header; NULL where they were not all captured, or
 * where the IP packet ends before (Ethernet padding holds no header). */
const uint8_t *transport_bytes(const struct plt_packet *packet, uint32_t offset, uint32_t need);

/* A transport header and what follows it, up to the end of the IP packet: Ethernet padding holds no
 * header. */
struct plt_transport {
    const uint8_t *bytes;
    uint32_t captured; /* 0 where there is no transport */
    uint32_t len;      /* by the IP header: captured or not */
};

struct plt_transport packet_transport(const struct plt_packet *packet);

/* How long a TCP or UDP header is, and what it carries, captured or not; false where there is
 * neither, where too little was captured, and where a header's length is malformed. */
static inline bool transport_split(const struct plt_transport *transport, uint8_t proto,
                                   uint32_t *header, uint32_t *payload)
{
    const uint8_t *bytes = transport->bytes;
    uint32_t len = transport->len;
    *header = UDP_HEADER;
    if (proto == PROTO_TCP) {
        *header = transport->captured >= 13 ? (bytes[12] >> 4) * 4U : 0;
        if (*header < TCP_HEADER)
            return false;
    } else if (proto == PROTO_UDP && transport->captured >= 2) {
        uint32_t told = transport->captured >= 6 ? load_be16(bytes + 4) : 0;
        /* 0 in a jumbogram and with segmentation offload; a first fragment is shorter than the
         * datagram; less than the header is malformed, and nothing follows */
        uint32_t least = told < UDP_HEADER ? UDP_HEADER : told;
        if (told > 0 && least < len)
            len = least;
    } else {
        return false;
    }
    if (*header > len)
        return false;
    *payload = len - *header;
    return true;
}

/* What a TCP or UDP header carries. */
struct plt_payload {
    uint32_t at;  /* of its first byte; may be past what was captured */
    uint32_t end; /* of what was captured of it, never less than `at` where that was captured */
    uint32_t len; /* bytes, by the lengths of the IP and UDP headers: captured or not */
};

/* False where there is neither TCP nor UDP, where too little was captured, and where a header's
 * length is malformed. */
bool packet_payload(const struct plt_packet *packet, struct plt_payload *out);

#endif
