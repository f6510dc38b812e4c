/* A packet of any link type: its layers, every property, every header field, its five-tuple, its
 * payload, and all packets in it.
 *
 * An input: link type (packets.h), options, then the packet. */
#include "packets.h"

#include "packet/decode.h"
#include "packet/ends.h"
#include "packet/field.h"
#include "packet/fivetuple.h"
#include "packet/meta.h"
#include "packet/property.h"
#include "packet/tunnel.h"
#include "packet/values.h"
#include "plt/types.h"

enum { HEAD = 2, OPTION_ROOT = 3, OPTION_FCS = 4, OPTION_CUT = 8, OPTION_PORTS = 16 };

static const struct tunnel_ports ports = {
    .count = 2, .rows = {{.port = 53, .kind = TUNNEL_VXLAN}, {.port = 80, .kind = TUNNEL_GTP}}};

/* --- What has to be true of the layers -------------------------------------------------------- */

static bool is_place(uint32_t at, uint32_t len)
{
    return at == PLT_ABSENT || at <= len;
}

static void check_layers(const struct plt_layers *layers, uint32_t len)
{
    CLAIM(is_place(layers->layer2, len));
    CLAIM(is_place(layers->layer3, len));
    CLAIM(is_place(layers->transport, len));
    CLAIM(is_place(layers->payload, len));
    CLAIM(layers->version == 0 || layers->version == 4 || layers->version == 6);
    if (layers->version != 0) {
        CLAIM(layers->layer3 < len);
        CLAIM(layers->ip_end >= layers->layer3 && layers->ip_end <= len);
    }
    if (layers->transport != PLT_ABSENT)
        CLAIM(layers->version != 0 || layers->layer3 == PLT_ABSENT);
}

/* --- Values ---------------------------------------------------------------------------------- */

static void read_properties(const struct plt_packet *packet)
{
    for (const struct property *const *row = all_properties; *row; row++) {
        enum property_id id = (enum property_id)(*row)->id;
        uint32_t size = 0;
        uint64_t value = 0;
        if (kind_is_address((*row)->kind)) {
            const uint8_t *address = property_address(id, packet, &size);
            CLAIM(!address || size == 4 || size == 16);
            if (address)
                touch(address, size);
        } else if ((*row)->kind == KIND_TEXT) {
            char room[PROPERTY_TEXT_ROOM];
            const char *text = property_text(id, packet, room);
            if (text)
                touch(text, strlen(text));
        } else {
            enum value_state state = property_value(id, packet, &value);
            CLAIM(state == VALUE_PRESENT || (*row)->can_be_missing);
        }
    }
}

static void read_fields(const struct plt_packet *packet)
{
    static const struct field_table *const tables[] = {
        &ip_table, &ip6_table, &tcp_table, &udp_table, &icmp_table, &icmp6_table, &sctp_table};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct field *const *row = tables[i]->rows; *row; row++) {
            uint32_t at = field_at(*row, packet->layers, packet->len, PLT_ABSENT);
            if (at != PLT_ABSENT)
                CLAIM(field_value(*row, packet->data + at) <= (*row)->mask || (*row)->is_flag);
        }
    }
}

static void read_rest(const struct plt_packet *packet)
{
    struct fivetuple tuple;
    struct plt_payload payload;
    struct plt_ends ends;
    uint32_t size = packet->layers->version == 6 ? 16 : 4;
    if (packet_fivetuple(packet, &tuple) == FIVETUPLE_OK)
        touch(tuple.addresses, (size_t)2 * size);
    if (packet_ends(packet, &ends)) {
        touch(packet->data + ends.src, size);
        touch(packet->data + ends.dst, size);
    }
    if (packet_payload(packet, &payload) && payload.at <= packet->len) {
        CLAIM(payload.end >= payload.at && payload.end <= packet->len);
        CLAIM(payload.end - payload.at <= payload.len);
    }
    for (uint32_t need = 1; need < 64; need *= 2) {
        const uint8_t *bytes = transport_bytes(packet, need / 2, need);
        if (bytes)
            touch(bytes, need);
    }
    if (packet->meta) {
        int direction = plt_direction(packet->data, packet->len, packet->meta);
        CLAIM(direction >= -1 && direction <= 2);
        plt_erf_time(packet->meta);
        meta_length_field(packet->meta, packet->data, packet->len);
    }
}

static void read_all(const struct plt_packet *packet)
{
    check_layers(packet->layers, packet->len);
    read_properties(packet);
    read_fields(packet);
    read_rest(packet);
}

/* --- Packets within ----------------------------------------------------------------------------
 */

/* Go in one by one, and all at once as columns do: the same packet is innermost. */
static void read_tunnels(const struct plt_packet *outer, const struct tunnel_ports *more)
{
    struct inner_packet rooms[2];
    struct innermost room;
    struct plt_packet packet = *outer;
    struct plt_packet innermost = *outer;
    unsigned depth = 0;
    while (depth < TUNNEL_MOST_DEPTH && tunnel_enter(&packet, more, &rooms[depth % 2])) {
        struct inner_packet *found = &rooms[depth % 2];
        CLAIM(found->tunnel.kind > TUNNEL_NONE && found->tunnel.kind < TUNNEL_COUNT);
        CLAIM(found->record.data >= outer->data);
        CLAIM(found->record.data + found->record.len <= outer->data + outer->len);
        CLAIM(found->tunnel.version == 0 || (found->tunnel.src && found->tunnel.dst));
        depth++;
        packet = (struct plt_packet){.data = found->record.data,
                                     .len = found->record.len,
                                     .layers = &found->layers,
                                     .meta = &found->record.meta,
                                     .tunnel = &found->tunnel,
                                     .depth = depth};
        read_all(&packet);
    }
    if (tunnel_innermost(&innermost, more, &room))
        CLAIM(innermost.data == packet.data && innermost.len == packet.len &&
              innermost.depth == depth && innermost.tunnel->kind == packet.tunnel->kind &&
              innermost.tunnel->id == packet.tunnel->id);
    else
        CLAIM(depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct plt_layers layers;
    uint8_t link = take_byte(&in);
    uint8_t options = take_byte(&in);
    uint8_t *copy = copy_of(in.data, in.size);
    struct plt_record record = packet_record(link, copy, in.size, options & OPTION_CUT ? 1000 : 0);
    if (options & OPTION_FCS) {
        record.meta.fcs = 4;
        record.meta.fcs_counted = true;
        meta_set_wire_len(&record.meta, copy, record.len, record.len);
    }
    uint8_t root = options & OPTION_ROOT;
    if (root > ROOT_TRANSPORT)
        root = ROOT_LINK;
    uint8_t proto = root == ROOT_NETWORK ? (link & 1 ? 6 : 4) : link;
    plt_decode(copy, record.len, &record.meta, root, proto, &layers);
    struct plt_packet packet = {
        .data = copy, .len = record.len, .layers = &layers, .meta = &record.meta};
    read_all(&packet);
    read_tunnels(&packet, options & OPTION_PORTS ? &ports : NULL);
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    uint64_t state = seed;
    size = LLVMFuzzerMutate(data, size, room);
    if (size > HEAD && chance(&state, 3) == 0)
        mutate_checksum(data + HEAD, size - HEAD, &state);
    return size;
}
