/* Asking a condition about a packet of a trace. */
#include "condition.h"

#include "packet/decode.h"
#include "packet/tunnel.h"

bool condition_accepts_record(const struct where *where, struct plt_record *record,
                              struct plt_layers *layers)
{
    if (where_needs_layers(where) && !record->layers) {
        record_layers(record, layers);
        record->layers = layers;
    }
    struct plt_packet packet = {
        .data = record->data, .len = record->len, .layers = record->layers, .meta = &record->meta};
    if (!where_needs_tunnel(where) || !packet.layers)
        return where_holds(where, &packet);
    struct innermost room;
    struct plt_packet inner = packet;
    tunnel_innermost(&inner, NULL, &room);
    packet.tunnel = inner.tunnel;
    packet.depth = inner.depth;
    return where_holds(where, &packet);
}

bool condition_accepts(const struct where *where, const uint8_t *data, uint32_t len,
                       const struct plt_meta *meta)
{
    struct plt_record record = {.data = data, .len = len, .meta = *meta};
    struct plt_layers layers;
    return condition_accepts_record(where, &record, &layers);
}
