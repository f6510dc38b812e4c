/* Packets to TCP streams, with IP fragments put together: each stream is then read as natkit and
 * pldns do. And segments to one way of a stream, which has what an array of bytes has.
 *
 * An input: limits, then packets (packets.h). */
#include "packets.h"

#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/values.h"
#include "streams/connections.h"
#include "streams/defragment.h"

enum { HEAD = 1, LIMITS_SMALL = 1, LIMITS_MEMORY = 2, LIMITS_FORGET = 4, LONG_WAY = 1 << 12 };

#define SECOND INT64_C(1000000000)

/* --- A way against an array --------------------------------------------------------------------
 */

/* The first copy of each byte that came. */
struct model {
    struct stream_way way;
    bool begun;
    uint32_t origin;
    uint8_t bytes[LONG_WAY];
    bool came[LONG_WAY];
};

static const struct way_limits no_limits = {.size = LONG_WAY, .window = LONG_WAY};

/* Segments of the first packets' ports, whoever sent them, if their numbers are near each other. */
static void add_to_model(struct model *model, const struct plt_packet *packet)
{
    struct plt_payload payload;
    const uint8_t *header = transport_bytes(packet, 0, 20);
    if (packet->layers->proto != 6 || !header || !packet_payload(packet, &payload) ||
        payload.at > packet->len || payload.at == payload.end)
        return;
    uint32_t seq = load_be32(header + 4);
    if (!model->begun) {
        way_begin(&model->way, seq);
        model->origin = seq;
        model->begun = true;
    }
    struct way_segment segment = {.data = packet->data + payload.at,
                                  .there = payload.end - payload.at,
                                  .len = payload.end - payload.at,
                                  .seq = seq};
    uint32_t at = seq - model->origin;
    if (at >= LONG_WAY / 2 || segment.len > LONG_WAY / 2)
        return;
    if (!way_add(&model->way, &no_limits, &segment))
        abort();
    for (uint32_t i = 0; i < segment.len; i++) {
        if (!model->came[at + i])
            model->bytes[at + i] = segment.data[i];
        model->came[at + i] = true;
    }
}

static void check_model(struct model *model)
{
    struct stream_way *way = &model->way;
    if (!model->begun)
        return;
    CLAIM(way->origin == model->origin);
    uint64_t end = way_end(way, &no_limits);
    CLAIM(end <= LONG_WAY);
    uint8_t *copy = malloc((size_t)end + 1);
    if (!copy)
        abort();
    way_copy(way, 0, end, copy);
    for (uint64_t i = 0; i < end; i++)
        CLAIM(copy[i] == (model->came[i] ? model->bytes[i] : 0));
    for (uint64_t i = end; i < LONG_WAY; i++)
        CLAIM(!model->came[i]);
    /* the pieces are what came, in order */
    struct way_place place;
    uint64_t at = 0;
    for (const struct way_piece *piece = way_find(way, 0, &place); piece;
         piece = way_following(way, &place)) {
        CLAIM(piece->at >= at && piece->end > piece->at && piece->end <= end);
        for (uint64_t i = at; i < piece->at; i++)
            CLAIM(!model->came[i]);
        for (uint64_t i = piece->at; i < piece->end; i++)
            CLAIM(model->came[i]);
        at = piece->end;
    }
    free(copy);
}

/* --- Connections ------------------------------------------------------------------------------ */

static void read_way(struct stream_way *way, const struct way_limits *limits, bool forget)
{
    struct way_place place;
    uint64_t end = way_end(way, limits);
    uint64_t start = way->forgotten > way->start ? way->forgotten : way->start;
    if (!way->begun)
        return;
    CLAIM(way->next >= way->start);
    for (const struct way_piece *piece = way_find(way, start, &place); piece;
         piece = way_following(way, &place)) {
        CLAIM(piece->end > piece->at);
        uint64_t from = piece->at > start ? piece->at : start;
        uint8_t *copy = malloc((size_t)(piece->end - from) + 1);
        if (!copy)
            abort();
        way_copy(way, from, piece->end - from, copy);
        touch(copy, (size_t)(piece->end - from));
        free(copy);
    }
    if (forget && end > start)
        way_forget(way, start + (end - start + 1) / 2);
}

static void take_ended(struct connections *all)
{
    struct connection *connection = NULL;
    while ((connection = connections_take(all))) {
        CLAIM(connection->end != CONNECTION_OPEN);
        for (unsigned way = 0; way < 2; way++) {
            read_way(&connection->ways[way], &all->settings.limits, true);
            read_way(&connection->ways[way], &all->settings.limits, false);
        }
        connection_free(connection);
    }
}

static void add_record(struct connections *all, const struct plt_record *record,
                       const struct plt_layers *layers, struct model *model, bool forget)
{
    struct connection_segment segment = {.connection = NULL};
    struct plt_packet packet = {
        .data = record->data, .len = record->len, .layers = layers, .meta = &record->meta};
    add_to_model(model, &packet);
    if (!connections_add(all, &packet, &segment))
        abort();
    if (segment.connection && forget && segment.connection->end == CONNECTION_OPEN)
        read_way(&segment.connection->ways[segment.way], &all->settings.limits, true);
    take_ended(all);
}

static void give_back(struct defragmenter *fragments, struct connections *all, bool rest,
                      struct model *model)
{
    struct plt_record record;
    struct plt_layers layers;
    while (defragment_next(fragments, rest, &record)) {
        record_layers(&record, &layers);
        add_record(all, &record, &layers, model, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t seed[2] = {1, 2};
    struct bytes in = {data, size};
    struct plt_record record;
    struct plt_layers layers;
    struct defragmenter fragments;
    uint8_t limits = take_byte(&in);
    struct model *model = calloc(1, sizeof(*model));
    if (!model)
        abort();
    struct connections all = {
        .settings = {.limits = {.size = limits & LIMITS_SMALL ? 100 : 1 << 20,
                                .window = limits & LIMITS_SMALL ? 1000 : 1 << 19},
                     .memory = limits & LIMITS_MEMORY ? 1 << 12 : 1 << 24,
                     .idle_timeout = 60 * SECOND},
        .seed = {1, 2}};
    defragment_init(&fragments, seed, limits & LIMITS_MEMORY ? 1000 : DEFRAGMENT_MEMORY,
                    30 * SECOND);
    struct packet_reader reader = packets_begin(in.data, in.size);
    while (packets_next(&reader, &record)) {
        record_layers(&record, &layers);
        enum defragment_result result = defragment_add(&fragments, &record, &layers);
        CLAIM(result != DEFRAGMENT_NO_MEMORY);
        if (result == DEFRAGMENT_WHOLE) {
            struct plt_layers again;
            touch(record.data, record.len);
            record.layers = NULL;
            record_layers(&record, &again);
            CLAIM(again.layer3 == layers.layer3 && again.transport == layers.transport);
        }
        if (result != DEFRAGMENT_HELD)
            add_record(&all, &record, &layers, model, limits & LIMITS_FORGET);
        give_back(&fragments, &all, false, model);
    }
    give_back(&fragments, &all, true, model);
    CLAIM(fragments.memory == 0);
    if (!connections_finish(&all))
        abort();
    take_ended(&all);
    CLAIM(all.count == 0 && all.memory == 0);
    check_model(model);
    defragment_clear(&fragments);
    connections_clear(&all);
    way_clear(&model->way);
    free(model);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return mutate_packets(data, size, room, HEAD, seed);
}
