/* Flow keys: a packet's IP version, protocol, ports and addresses as bytes.  No Python here. */
#ifndef NATKIT_IPFLOW_KEY_H
#define NATKIT_IPFLOW_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"

/* Where the parts of a key are; the destination address follows the source address. */
enum {
    KEY_VERSION = 0,
    KEY_PROTO = 1,
    KEY_SRC_PORT = 2,
    KEY_DST_PORT = 4,
    KEY_ADDRS = 6,
    KEY_SIZE_4 = KEY_ADDRS + 2 * 4,
    KEY_SIZE_6 = KEY_ADDRS + 2 * 16
};

/* IP version, protocol, ports and addresses, in network order. */
struct natkit_key {
    uint8_t bytes[KEY_SIZE_6]; /* those past a key's own size are zero */
};

static inline size_t natkit_addr_size(const struct natkit_key *key)
{
    return key->bytes[KEY_VERSION] == 4 ? 4 : 16;
}

static inline size_t natkit_key_size(const struct natkit_key *key)
{
    return KEY_ADDRS + 2 * natkit_addr_size(key);
}

static inline const uint8_t *natkit_key_src(const struct natkit_key *key)
{
    return key->bytes + KEY_ADDRS;
}

static inline const uint8_t *natkit_key_dst(const struct natkit_key *key)
{
    return key->bytes + KEY_ADDRS + natkit_addr_size(key);
}

/* KEY_NO_SRC and KEY_NO_DST: the packet was cut before the end of that address. */
enum natkit_key_result { KEY_OK, KEY_NOT_IP, KEY_NO_SRC, KEY_NO_DST };

/* The key of a packet, source first; all zero where the packet is not IP. */
enum natkit_key_result natkit_key_of(const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, struct natkit_key *key);
/* The key with source and destination swapped. */
struct natkit_key natkit_key_reversed(const struct natkit_key *key);

#endif
