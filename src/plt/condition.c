/* Asking a condition about a packet of a trace. */
#include "condition.h"

#include "packet/decode.h"

bool condition_accepts(const struct where *where, const uint8_t *data, uint32_t len,
                       const struct plt_meta *meta)
{
    struct plt_layers layers = {.layer3 = PLT_ABSENT};
    struct plt_packet packet = {.data = data, .len = len, .layers = &layers, .meta = meta};
    if (where_needs_layers(where))
        plt_decode(data, len, meta, ROOT_LINK, 0, &layers);
    return where_holds(where, &packet);
}
