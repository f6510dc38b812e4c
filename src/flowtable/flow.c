/* Keys of flows, made from five-tuples and back, and what is read from a flow. */
#include "flow.h"

#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/tunnel.h"

#include <string.h>

/* --- Keys ------------------------------------------------------------------------------------ */

struct flow_end flow_end_load(const uint8_t *address, bool v6, uint16_t port)
{
    if (v6)
        return (struct flow_end){{load_be64(address), load_be64(address + 8)}, port};
    return (struct flow_end){{load_be32(address)}, port};
}

void flow_end_store(const struct flow_end *end, bool v6, uint8_t *address)
{
    if (v6) {
        store_be64(address, end->address[0]);
        store_be64(address + 8, end->address[1]);
    } else {
        store_be32(address, (uint32_t)end->address[0]);
    }
}

/* Whether the source of an IPv6 five-tuple is the higher end. */
static bool is_downward(const struct flow_end *src, const struct flow_end *dst)
{
    if (src->address[0] != dst->address[0])
        return src->address[0] > dst->address[0];
    if (src->address[1] != dst->address[1])
        return src->address[1] > dst->address[1];
    return src->port > dst->port;
}

unsigned flow_key_from_tuple(const struct flow_tuple *tuple, struct flow_key *key)
{
    const struct flow_end *low = &tuple->src;
    const struct flow_end *high = &tuple->dst;
    uint64_t proto = (uint64_t)tuple->proto << 8;
    if (!tuple->v6)
        return flow_key_from_ends4(low->address[0] << 16 | low->port,
                                   high->address[0] << 16 | high->port, tuple->proto, key);
    unsigned way = is_downward(low, high);
    if (way) {
        low = &tuple->dst;
        high = &tuple->src;
    }
    *key = (struct flow_key){
        .words = {low->address[0], low->address[1], high->address[0], high->address[1],
                  (uint64_t)low->port << 32 | (uint64_t)high->port << 16 | proto | 6}};
    return way;
}

struct flow_tuple flow_key_to_tuple(const struct flow_key *key, bool v6, unsigned way)
{
    const uint64_t *words = key->words;
    struct flow_end low = {.address = {words[0] >> 32}, .port = (uint16_t)(words[0] >> 16)};
    struct flow_end high = {.address = {words[1] >> 16 & UINT32_MAX}, .port = (uint16_t)words[1]};
    uint64_t proto = words[0];
    if (v6) {
        low = (struct flow_end){{words[0], words[1]}, (uint16_t)(words[4] >> 32)};
        high = (struct flow_end){{words[2], words[3]}, (uint16_t)(words[4] >> 16)};
        proto = words[4];
    }
    return (struct flow_tuple){
        .src = way ? high : low, .dst = way ? low : high, .proto = (uint8_t)(proto >> 8), .v6 = v6};
}

struct flow_key flow_key_of(const struct flow *flow, bool v6)
{
    struct flow_key key = {.words = {flow->key[0], flow->key[1]}};
    if (v6)
        memcpy(key.words + KEY_WORDS_4, ((const struct flow6 *)flow)->rest,
               sizeof(((const struct flow6 *)flow)->rest));
    if (flow->marks & MARK_TUNNELS)
        key.tunnel = flow_tunnel_key(flow_tunnel(flow, v6));
    return key;
}

void flow_set_key(struct flow *flow, const struct flow_key *key, bool v6)
{
    memcpy(flow->key, key->words, sizeof(flow->key));
    if (v6)
        memcpy(((struct flow6 *)flow)->rest, key->words + KEY_WORDS_4,
               sizeof(((struct flow6 *)flow)->rest));
}

uint8_t flow_proto(const struct flow *flow, bool v6)
{
    return (uint8_t)((v6 ? ((const struct flow6 *)flow)->rest[2] : flow->key[0]) >> 8);
}

/* --- Tunnels --------------------------------------------------------------------------------- */

uint64_t flow_tunnel_word(const struct tunnel *tunnel)
{
    if (!tunnel)
        return 0;
    uint64_t word = (uint64_t)tunnel->kind << FLOW_TUNNEL_KIND;
    return tunnel->has_id ? word | FLOW_TUNNEL_HAS_ID | tunnel->id : word;
}

uint64_t flow_tunnel_key(uint64_t word)
{
    enum tunnel_kind kind = (enum tunnel_kind)(word >> FLOW_TUNNEL_KIND);
    return tunnel_kind_id_is_mutual(kind) ? word : (uint64_t)kind << FLOW_TUNNEL_KIND;
}

bool flow_tunnel_is_sound(uint64_t word)
{
    uint64_t kind = word >> FLOW_TUNNEL_KIND;
    if (word == 0)
        return true;
    return kind > TUNNEL_NONE && kind < TUNNEL_COUNT &&
           (word & FLOW_TUNNEL_HAS_ID ? (word >> 33 & 0x7f) == 0
                                      : word == kind << FLOW_TUNNEL_KIND);
}

/* --- Times ----------------------------------------------------------------------------------- */

int64_t flow_first_time(const struct flow *flow)
{
    int64_t one = flow->way0.packets ? flow->way0.first : FLOW_NO_TIME;
    int64_t other = flow->way1.packets ? flow->way1.first : FLOW_NO_TIME;
    if (one == FLOW_NO_TIME || other == FLOW_NO_TIME)
        return one == FLOW_NO_TIME ? other : one;
    return one < other ? one : other;
}

int64_t flow_last_time(const struct flow *flow)
{
    int64_t one = flow->way0.packets ? flow->way0.last : FLOW_NO_TIME;
    int64_t other = flow->way1.packets ? flow->way1.last : FLOW_NO_TIME;
    return one > other ? one : other;
}

/* --- TCP ------------------------------------------------------------------------------------- */

bool flow_is_closed(const struct flow *flow)
{
    uint8_t both = flow->events[0] & flow->events[1];
    uint8_t either = flow->events[0] | flow->events[1];
    return (either & EVENT_RST) || (both & EVENT_FIN);
}

const char *flow_tcp_state(const struct flow *flow, bool v6)
{
    uint8_t both = flow->events[0] & flow->events[1];
    uint8_t either = flow->events[0] | flow->events[1];
    if (flow_proto(flow, v6) != PROTO_TCP)
        return NULL;
    if (either & EVENT_RST)
        return "reset";
    if (both & EVENT_FIN)
        return both & EVENT_FIN_ACKED ? "closed" : "closing";
    if (either & EVENT_FIN)
        return "fin_wait";
    if (either & EVENT_ACK)
        return "established";
    if (either & EVENT_SYN_ACK)
        return "syn_received";
    return either & EVENT_SYN ? "syn_sent" : NULL;
}

int64_t flow_handshake_time(int64_t answer, int64_t syn)
{
    int64_t time = 0;
    return __builtin_sub_overflow(answer, syn, &time) ? -1 : time;
}
