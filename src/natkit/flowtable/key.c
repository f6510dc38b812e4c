/* The two forms of a flow's key. */
#include "key.h"

#include "packet/bytes.h"

static struct flow_end end_of(const uint8_t *address, bool v6, uint16_t port)
{
    if (v6)
        return (struct flow_end){{load_be64(address), load_be64(address + 8)}, port};
    return (struct flow_end){{load_be32(address)}, port};
}

unsigned flow_key_from_natkit(const struct natkit_key *key, struct flow_key *out)
{
    bool v6 = key->bytes[KEY_VERSION] == 6;
    struct flow_tuple tuple = {
        .src = end_of(natkit_key_src(key), v6, load_be16(key->bytes + KEY_SRC_PORT)),
        .dst = end_of(natkit_key_dst(key), v6, load_be16(key->bytes + KEY_DST_PORT)),
        .proto = key->bytes[KEY_PROTO],
        .v6 = v6};
    return flow_key_from_tuple(&tuple, out);
}

static void store_address(uint8_t *at, const struct flow_end *end, bool v6)
{
    if (v6) {
        store_be64(at, end->address[0]);
        store_be64(at + 8, end->address[1]);
    } else {
        store_be32(at, (uint32_t)end->address[0]);
    }
}

struct natkit_key flow_natkit_key(const struct flow_copy *copy, unsigned way)
{
    struct flow_key key = flow_key_of(&copy->of.flow, copy->v6);
    struct flow_tuple tuple = flow_key_to_tuple(&key, copy->v6, way);
    struct natkit_key out = {.bytes = {0}};
    out.bytes[KEY_VERSION] = copy->v6 ? 6 : 4;
    out.bytes[KEY_PROTO] = tuple.proto;
    store_be16(out.bytes + KEY_SRC_PORT, tuple.src.port);
    store_be16(out.bytes + KEY_DST_PORT, tuple.dst.port);
    store_address(out.bytes + KEY_ADDRS, &tuple.src, copy->v6);
    store_address(out.bytes + KEY_ADDRS + natkit_addr_size(&out), &tuple.dst, copy->v6);
    return out;
}

struct natkit_key flow_forward_key(const struct flow_copy *copy)
{
    return flow_natkit_key(copy, flow_forward(&copy->of.flow));
}
