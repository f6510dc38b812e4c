/* Values of a packet that depend on several header fields: ports, and what TCP or UDP carries. */
#include "values.h"

#include "bytes.h"
#include "protocols.h"

#include <stddef.h>

const uint8_t *transport_bytes(const struct plt_packet *packet, uint32_t offset, uint32_t need)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
    uint32_t at = layers->transport;
    if (at == PLT_ABSENT || at > end || end - at < offset + need)
        return NULL;
    return packet->data + at + offset;
}

/* The bytes from the transport header to the end of the IP packet, captured or not. */
static uint32_t transport_length(const struct plt_packet *packet)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t before = layers->version ? layers->transport - layers->layer3 : layers->transport;
    uint32_t length = layers->version && layers->ip_len ? layers->ip_len : packet->len;
    return length > before ? length - before : 0;
}

bool packet_payload(const struct plt_packet *packet, struct plt_payload *out)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t header = UDP_HEADER;
    if (!transport_bytes(packet, 0, 2))
        return false;
    uint32_t length = transport_length(packet);
    if (layers->proto == PROTO_TCP) {
        const uint8_t *doff = transport_bytes(packet, 12, 1);
        header = doff ? (*doff >> 4) * 4U : 0;
        if (header < TCP_HEADER)
            return false;
    } else if (layers->proto == PROTO_UDP) {
        const uint8_t *field = transport_bytes(packet, 4, 2);
        uint32_t told = field ? load_be16(field) : 0;
        /* 0 in a jumbogram and with segmentation offload; a first fragment is shorter than the
         * datagram */
        if (told >= UDP_HEADER && told < length)
            length = told;
    } else {
        return false;
    }
    if (header > length)
        return false;
    uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
    out->at = layers->transport + header;
    out->len = length - header;
    out->end = end;
    if (out->at <= end && end - out->at > out->len)
        out->end = out->at + out->len;
    return true;
}
