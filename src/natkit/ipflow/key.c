/* Flow keys: the key of a packet, and that of the other direction. */
#include "key.h"

#include "packet/bytes.h"
#include "packet/fivetuple.h"

#include <string.h>

enum natkit_key_result natkit_key_of(const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, struct natkit_key *key)
{
    struct plt_packet packet = {.data = data, .len = len, .layers = layers};
    struct fivetuple found;
    memset(key, 0, sizeof(*key));
    switch (packet_fivetuple(&packet, &found)) {
    case FIVETUPLE_OK:
        break;
    case FIVETUPLE_NOT_IP:
        return KEY_NOT_IP;
    case FIVETUPLE_NO_SRC:
        return KEY_NO_SRC;
    case FIVETUPLE_NO_DST:
        return KEY_NO_DST;
    }
    key->bytes[KEY_VERSION] = layers->version;
    key->bytes[KEY_PROTO] = found.proto;
    store_be16(key->bytes + KEY_SRC_PORT, found.src_port);
    store_be16(key->bytes + KEY_DST_PORT, found.dst_port);
    memcpy(key->bytes + KEY_ADDRS, found.addresses, 2 * natkit_addr_size(key));
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
