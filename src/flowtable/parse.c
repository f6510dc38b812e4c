/* What a packet is to a flow table: its key and what counts, read from its headers. */
#include "table.h"

#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/values.h"

#include <string.h>

/* --- Keys ------------------------------------------------------------------------------------- */

unsigned flow_key_from(const struct natkit_key *key, struct flow_key *out)
{
    const uint8_t *bytes = key->bytes;
    const uint8_t *src = natkit_key_src(key);
    const uint8_t *dst = natkit_key_dst(key);
    uint64_t src_port = load_be16(bytes + KEY_SRC_PORT);
    uint64_t dst_port = load_be16(bytes + KEY_DST_PORT);
    uint64_t proto = bytes[KEY_PROTO];

    if (bytes[KEY_VERSION] == 4) {
        uint64_t from = (uint64_t)load_be32(src) << 16 | src_port;
        uint64_t to = (uint64_t)load_be32(dst) << 16 | dst_port;
        uint64_t low = from < to ? from : to;
        *out = (struct flow_key){{low << 16 | proto << 8 | 4, from ^ to ^ low}};
        return from > to;
    }
    int order = memcmp(src, dst, 16);
    if (order > 0 || (order == 0 && src_port > dst_port)) {
        *out = (struct flow_key){{load_be64(dst), load_be64(dst + 8), load_be64(src),
                                  load_be64(src + 8),
                                  dst_port << 32 | src_port << 16 | proto << 8 | 6}};
        return 1;
    }
    *out =
        (struct flow_key){{load_be64(src), load_be64(src + 8), load_be64(dst), load_be64(dst + 8),
                           src_port << 32 | dst_port << 16 | proto << 8 | 6}};
    return 0;
}

void flow_words_set_vlan(uint64_t *words, bool v6, uint16_t vlan)
{
    words[v6 ? KEY_WORDS_6 - 1 : KEY_WORDS_4 - 1] |= (uint64_t)vlan << 48;
}

uint16_t flow_words_vlan(const uint64_t *words, bool v6)
{
    return (uint16_t)(words[v6 ? KEY_WORDS_6 - 1 : KEY_WORDS_4 - 1] >> 48);
}

struct natkit_key flow_key_to(const struct flow_key *key, bool v6, unsigned way)
{
    const uint64_t *words = key->words;
    struct natkit_key out = {.bytes = {0}};

    out.bytes[KEY_VERSION] = v6 ? 6 : 4;
    if (v6) {
        out.bytes[KEY_PROTO] = (uint8_t)(words[4] >> 8);
        store_be16(out.bytes + KEY_SRC_PORT, (uint16_t)(words[4] >> 32));
        store_be16(out.bytes + KEY_DST_PORT, (uint16_t)(words[4] >> 16));
        for (int i = 0; i < 4; i++)
            store_be64(out.bytes + KEY_ADDRS + 8 * i, words[i]);
    } else {
        out.bytes[KEY_PROTO] = (uint8_t)(words[0] >> 8);
        store_be16(out.bytes + KEY_SRC_PORT, (uint16_t)(words[0] >> 16));
        store_be16(out.bytes + KEY_DST_PORT, (uint16_t)words[1]);
        store_be32(out.bytes + KEY_ADDRS, (uint32_t)(words[0] >> 32));
        store_be32(out.bytes + KEY_ADDRS + 4, (uint32_t)(words[1] >> 16));
    }
    return way ? natkit_key_reversed(&out) : out;
}

struct flow_key flow_key_of(const struct flow *flow, bool v6)
{
    struct flow_key key = {{flow->key[0], flow->key[1]}};

    if (v6)
        memcpy(key.words + KEY_WORDS_4, ((const struct flow6 *)flow)->rest,
               sizeof(((const struct flow6 *)flow)->rest));
    return key;
}

uint8_t flow_proto(const struct flow *flow, bool v6)
{
    return (uint8_t)((v6 ? ((const struct flow6 *)flow)->rest[2] : flow->key[0]) >> 8);
}

/* --- Lengths ---------------------------------------------------------------------------------- */

static uint32_t after(uint32_t length, uint32_t headers)
{
    return length > headers ? length - headers : 0;
}

/* What TCP's header tells. */
static void read_tcp(const struct plt_packet *packet, struct flow_packet *out)
{
    const uint8_t *header = transport_bytes(packet, 0, 14);
    if (!header)
        return;
    out->kind = PACKET_TCP;
    out->tcp_flags = load_be16(header + 12) & 0xfff;
    uint32_t takes =
        out->payload_bytes + ((out->tcp_flags & TCP_SYN) != 0) + ((out->tcp_flags & TCP_FIN) != 0);
    if (takes == 0)
        return;
    out->kind |= PACKET_SEGMENT;
    out->seq_end = load_be32(header + 4) + takes;
    /* a byte that comes again keeps a connection alive or asks for a window: RFC 9293 sections
     * 3.8.4 and 3.8.6.1 */
    if (takes > 1 || out->payload_bytes == 0)
        out->kind |= PACKET_COUNTS;
}

/* --- Packets ---------------------------------------------------------------------------------- */

/* The key of a fragment: of the later ones that of the first, where that was seen; whether it is to
 * wait for it. */
static bool read_fragment(struct flow_table *table, const struct plt_packet *packet,
                          struct fragment_key *fragment, struct natkit_key *key)
{
    if (!flow_fragment_key(packet->data, packet->len, packet->layers, fragment))
        return false;
    if (table->by_vlan)
        flow_words_set_vlan(fragment->words, packet->layers->version == 6, packet->layers->vlan_id);
    if (!packet->layers->fragment) {
        flow_fragment_first(table, fragment, key);
        return false;
    }
    if (flow_fragment_later(table, fragment, key))
        return false;
    if (!flow_orphan_add(table, fragment, table->clock))
        table->fragments_lost = true;
    return true;
}

static void advance_clock(struct flow_table *table, int64_t time)
{
    if (table->clock == FLOW_NO_TIME) {
        table->begin = table->earliest = table->clock = time;
    } else if (time > table->clock) {
        table->clock = time;
    } else if (flow_time_sub(table->clock, time) > FLOW_LATE) {
        table->clock = time;
        table->went_back = true;
    }
    if (time < table->earliest)
        table->earliest = time;
}

bool flow_packet_read(struct flow_table *table, const uint8_t *data, uint32_t len,
                      const struct plt_layers *layers, const struct plt_meta *meta,
                      struct flow_packet *out)
{
    struct natkit_key key;

    out->number = table->packets++;
    if (plt_time_ns(meta, &out->time))
        advance_clock(table, out->time);
    else
        out->time = FLOW_NO_TIME;
    enum natkit_key_result result = natkit_key_of(data, len, layers, &key);
    if (result != KEY_OK) {
        table->not_ip += result == KEY_NOT_IP;
        table->too_short += result != KEY_NOT_IP;
        return false;
    }
    struct plt_packet packet = {.data = data, .len = len, .layers = layers, .meta = meta};
    struct fragment_key fragment;
    bool waits = (layers->fragment || layers->more_fragments) &&
                 read_fragment(table, &packet, &fragment, &key);
    out->v6 = layers->version == 6;
    out->way = (uint8_t)flow_key_from(&key, &out->key);
    if (table->by_vlan)
        flow_words_set_vlan(out->key.words, out->v6, layers->vlan_id);
    out->clock = table->clock;
    out->bytes = meta->wire_len;
    out->vlan = layers->vlan_id;
    out->kind = 0;
    out->payload_bytes = 0;
    uint32_t layer3 = layers->layer3;
    out->ip_bytes = layers->ip_len;
    uint8_t proto = key.bytes[KEY_PROTO];
    struct plt_payload payload;
    if (layers->fragment) {
        if (layers->payload != PLT_ABSENT)
            out->payload_bytes = after(out->ip_bytes, layers->payload - layer3);
        if (waits && flow_fragment_hold(table, &fragment, out))
            return false;
        table->fragments_lost |= waits;
        if (!flow_fragment_carries(proto))
            out->payload_bytes = 0;
    } else {
        if (packet_payload(&packet, &payload))
            out->payload_bytes = payload.len;
        if (proto == PROTO_TCP)
            read_tcp(&packet, out);
    }
    return true;
}
