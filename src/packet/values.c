/* Values of a packet that depend on several header fields: ports, and what TCP or UDP carries. */
#include "values.h"

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

struct plt_transport packet_transport(const struct plt_packet *packet)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
    uint32_t at = layers->transport;
    if (at == PLT_ABSENT || at > end)
        return (struct plt_transport){.captured = 0};
    uint32_t before = layers->version ? at - layers->layer3 : at;
    uint32_t len = layers->version && layers->ip_len ? layers->ip_len : packet->len;
    return (struct plt_transport){
        .bytes = packet->data + at, .captured = end - at, .len = len > before ? len - before : 0};
}

bool packet_payload(const struct plt_packet *packet, struct plt_payload *out)
{
    const struct plt_layers *layers = packet->layers;
    struct plt_transport transport = packet_transport(packet);
    uint32_t header = 0;
    uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
    if (!transport_split(&transport, layers->proto, &header, &out->len))
        return false;
    out->at = layers->transport + header;
    out->end = end;
    if (out->at <= end && end - out->at > out->len)
        out->end = out->at + out->len;
    return true;
}
