/* The two forms of a flow's key. */
#include "key.h"

#include "packet/bytes.h"

unsigned flow_key_from_natkit(const struct natkit_key *key, struct flow_key *out)
{
    bool v6 = key->bytes[KEY_VERSION] == 6;
    struct flow_tuple tuple = {
        .src = flow_end_load(natkit_key_src(key), v6, load_be16(key->bytes + KEY_SRC_PORT)),
        .dst = flow_end_load(natkit_key_dst(key), v6, load_be16(key->bytes + KEY_DST_PORT)),
        .proto = key->bytes[KEY_PROTO],
        .v6 = v6};
    return flow_key_from_tuple(&tuple, out);
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
    flow_end_store(&tuple.src, copy->v6, out.bytes + KEY_ADDRS);
    flow_end_store(&tuple.dst, copy->v6, out.bytes + KEY_ADDRS + natkit_addr_size(&out));
    return out;
}

struct natkit_key flow_forward_key(const struct flow_copy *copy)
{
    return flow_natkit_key(copy, flow_forward(&copy->of.flow));
}
