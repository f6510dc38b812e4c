/* Flow keys: the key of a packet, and that of the other direction. */
#include "key.h"

#include "packet/values.h"

#include <string.h>

enum natkit_key_result natkit_key_of(const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, struct natkit_key *key)
{
    memset(key, 0, sizeof(*key));
    if (layers->version == 0)
        return KEY_NOT_IP;
    key->bytes[KEY_VERSION] = layers->version;
    size_t size = natkit_addr_size(key);
    size_t src = layers->layer3 + (layers->version == 4 ? 12U : 8U);
    if (len < src + size)
        return KEY_NO_SRC;
    if (len < src + 2 * size)
        return KEY_NO_DST;
    memcpy(key->bytes + KEY_ADDRS, data + src, 2 * size);
    /* the protocol is 0 for IPv4 fragments but the first, as in the keys of python-libtrace 1.7 */
    if (!layers->fragment || layers->version == 6)
        key->bytes[KEY_PROTO] = layers->proto;
    /* a later fragment of either version has no transport, and so no ports */
    struct plt_packet packet = {.data = data, .len = len, .layers = layers};
    const uint8_t *ports = transport_bytes(&packet, 0, 4);
    if (ports && proto_has_ports(layers->proto))
        memcpy(key->bytes + KEY_SRC_PORT, ports, 4);
    return KEY_OK;
}

struct natkit_key natkit_key_reversed(const struct natkit_key *key)
{
    struct natkit_key reversed = {.bytes = {0}};
    size_t size = natkit_addr_size(key);
    memcpy(reversed.bytes, key->bytes, KEY_SRC_PORT);
    memcpy(reversed.bytes + KEY_SRC_PORT, key->bytes + KEY_DST_PORT, 2);
    memcpy(reversed.bytes + KEY_DST_PORT, key->bytes + KEY_SRC_PORT, 2);
    memcpy(reversed.bytes + KEY_ADDRS, natkit_key_dst(key), size);
    memcpy(reversed.bytes + KEY_ADDRS + size, natkit_key_src(key), size);
    return reversed;
}
