/* A packet's five-tuple, read from its IP and transport headers. */
#include "fivetuple.h"

#include "bytes.h"
#include "values.h"

#include <stddef.h>

enum fivetuple_result packet_fivetuple(const struct plt_packet *packet, struct fivetuple *out)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t src = layers->layer3 + (layers->version == 4 ? 12U : 8U);
    uint32_t size = layers->version == 4 ? 4 : 16;
    if (layers->version == 0)
        return FIVETUPLE_NOT_IP;
    if (packet->len < src + size)
        return FIVETUPLE_NO_SRC;
    if (packet->len < src + 2 * size)
        return FIVETUPLE_NO_DST;
    out->addresses = packet->data + src;
    out->proto = layers->fragment && layers->version == 4 ? 0 : layers->proto;
    out->src_port = out->dst_port = 0;
    /* a later fragment has no transport, and so no ports, in either version */
    const uint8_t *ports = proto_has_ports(layers->proto) ? transport_bytes(packet, 0, 4) : NULL;
    if (ports) {
        out->src_port = load_be16(ports);
        out->dst_port = load_be16(ports + 2);
    }
    return FIVETUPLE_OK;
}
