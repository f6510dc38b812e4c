/* What a packet is to a flow table: its key and what counts, read from its headers. */
#include "flowtable.h"

#include "bytes.h"

#include <string.h>

enum { PROTO_TCP = 6, PROTO_UDP = 17, NO_NEXT_HEADER = 59 };

enum { TCP_FIN = 0x001, TCP_SYN = 0x002 };

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

/* The IP packet's length by its own word; what was captured where that says 0, as it does where
 * the network card cuts what is sent into segments, or more than was on the wire. */
static uint32_t ip_length(const uint8_t *header, uint32_t captured, const struct plt_layers *layers,
                          const struct plt_meta *meta)
{
    uint32_t length = load_be16(header + (layers->version == 4 ? 2 : 4));
    /* the cells of a packet tell of themselves */
    bool is_cell = meta->dlt == DLT_ATM_CELL || meta->dlt == DLT_LEGACY_ATM;

    if (layers->version == 6 && (length > 0 || header[6] == NO_NEXT_HEADER))
        length += 40;
    if (length == 0 || (!is_cell && length + (uint64_t)layers->layer3 > meta->wire_len))
        return captured;
    return length;
}

static uint32_t behind(uint32_t length, uint32_t headers)
{
    return length > headers ? length - headers : 0;
}

/* What TCP's header tells; `header` has all that was captured of the IP packet from it on. */
static void read_tcp(const uint8_t *header, uint32_t captured, uint32_t length,
                     struct flow_packet *out)
{
    if (captured < 14)
        return;
    uint32_t doff = (header[12] >> 4) * 4U;
    out->kind = PACKET_TCP;
    out->tcp_flags = load_be16(header + 12) & 0xfff;
    /* one that is too small for the header lies: nobody knows where the payload begins */
    out->payload_bytes = doff < 20 ? 0 : behind(length, doff);
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

static int64_t time_of(const struct plt_meta *meta)
{
    return meta->sec > INT64_MAX / 1000000000 - 1   ? INT64_MAX
           : meta->sec < INT64_MIN / 1000000000 + 1 ? INT64_MIN + 1
                                                    : meta->sec * 1000000000 + meta->nsec;
}

/* The key of a fragment: of the later ones that of the first, where that was seen. */
static void read_fragment(struct flow_table *table, const uint8_t *data, uint32_t len,
                          const struct plt_layers *layers, struct natkit_key *key)
{
    struct fragment_key fragment;

    if (!flow_fragment_key(data, len, layers, &fragment))
        return;
    if (!layers->fragment)
        flow_fragment_first(table, &fragment, key);
    else if (!flow_fragment_later(table, &fragment, key) &&
             !flow_orphan_add(table, &fragment, table->clock))
        table->fragments_lost = true;
}

static void advance_clock(struct flow_table *table, int64_t time)
{
    if (table->packets == 1) {
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
    out->time = time_of(meta);
    advance_clock(table, out->time);
    enum natkit_key_result result = natkit_key_of(data, len, layers, &key);
    if (result != KEY_OK) {
        table->not_ip += result == KEY_NOT_IP;
        table->too_short += result != KEY_NOT_IP;
        return false;
    }
    if (layers->fragment || layers->more_fragments)
        read_fragment(table, data, len, layers, &key);
    out->v6 = layers->version == 6;
    out->way = (uint8_t)flow_key_from(&key, &out->key);
    out->clock = table->clock;
    out->bytes = meta->wire_len;
    out->vlan = layers->vlan_id;
    out->kind = 0;
    out->payload_bytes = 0;
    uint32_t layer3 = layers->layer3;
    out->ip_bytes = ip_length(data + layer3, len - layer3, layers, meta);
    uint8_t proto = key.bytes[KEY_PROTO];
    uint32_t end = layers->ip_end < len ? layers->ip_end : len; /* padding holds no header */
    uint32_t at = layers->transport;
    if (layers->fragment) {
        if (layers->payload != PLT_ABSENT && (proto == PROTO_TCP || proto == PROTO_UDP))
            out->payload_bytes = behind(out->ip_bytes, layers->payload - layer3);
    } else if (at != PLT_ABSENT && at < end) {
        if (proto == PROTO_TCP)
            read_tcp(data + at, end - at, behind(out->ip_bytes, at - layer3), out);
        else if (proto == PROTO_UDP && end - at >= 2)
            out->payload_bytes = behind(out->ip_bytes, at - layer3 + 8);
    }
    return true;
}
