/* Messages that several packets bring: UDP in fragments, and TCP in pieces.
 *
 * A message of TCP is given as soon as all its bytes came, in the order of the stream, with the
 * time of the packet that made it whole.  Where some will not come, the message that lacks them is
 * given as far as it is there: when they are known to be lost, much came after them, or the
 * connection is over.  Then the next message is looked for.  Messages that were held up by that
 * have the time of the last of their own bytes. */
#include "reassemble.h"

#include "streams/connections.h"
#include "streams/defragment.h"

#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/protocols.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX = 2,
    MOST_MESSAGE = 65535,
    /* bytes that come after missing ones before they are given up: as many as any message has that
     * a receiver may ask for again */
    PATIENCE = 1 << 17
};

static const struct connections_settings settings = {.limits = {.size = 1 << 20, .window = 1 << 19},
                                                     .memory = 1 << 28,
                                                     .idle_timeout = (int64_t)600 * 1000000000};

struct pldns_reassembly {
    struct defragmenter fragments;
    struct connections connections;
    struct connection *open;  /* borrowed: its ways may have messages */
    struct connection *ended; /* owned: what is left of it is to be given */
    uint8_t turns;            /* ways of either that were looked at */
    uint8_t way;              /* the one that is looked at */
    struct {
        uint8_t way;
        bool has_time;
        bool was_held_up; /* a way gave up bytes that were lost */
        int64_t time;
        uint64_t wire_len;
    } in_hand;     /* the packet that `open` is of */
    bool finished; /* there are no more records */
    enum plt_records_result result;
    int64_t came; /* the last byte that there is of the message */
    uint8_t message[MOST_MESSAGE];
};

struct pldns_reassembly *pldns_reassembly_new(const uint64_t seed[2])
{
    struct pldns_reassembly *self = calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    defragment_init(&self->fragments, seed, DEFRAGMENT_MEMORY,
                    (int64_t)DEFRAGMENT_SECONDS * 1000000000);
    self->connections.settings = settings;
    self->connections.seed[0] = seed[0];
    self->connections.seed[1] = seed[1];
    return self;
}

void pldns_reassembly_free(struct pldns_reassembly *self)
{
    if (!self)
        return;
    defragment_clear(&self->fragments);
    connections_clear(&self->connections);
    connection_free(self->ended);
    free(self);
}

/* --- Messages of a stream -------------------------------------------------------------------- */

/* Where the bytes end that tell whether a piece begins with a message: with it, or where it is the
 * length of a message alone, as some programs send it, with the piece after it; 0 where that may
 * still come. */
static uint64_t end_of_look(const struct stream_way *way, uint64_t start,
                            const struct way_piece *piece, struct way_place place, bool is_over)
{
    uint64_t end = piece->end;
    if (end - start != PREFIX)
        return end;
    const struct way_piece *next = way_following(way, &place);
    if (!next)
        return is_over ? end : 0;
    return next->at == end ? next->end : end;
}

/* Find a piece that begins with a message, where it is not known where messages begin; false where
 * none that came does. */
static bool synchronise(struct pldns_reassembly *self, struct connection *connection, bool is_over)
{
    struct stream_way *way = &connection->ways[self->way];
    uint64_t *at = &connection->reader[self->way].at;
    bool *synchronous = &connection->reader[self->way].synchronous;
    while (!*synchronous) {
        struct way_place place;
        const struct way_piece *piece = way_find(way, *at, &place);
        if (!piece)
            return false;
        uint64_t start = piece->at > *at ? piece->at : *at;
        uint64_t end = piece->end;
        uint64_t look = end_of_look(way, start, piece, place, is_over);
        if (look == 0)
            return false;
        uint32_t size =
            look - start < MOST_MESSAGE ? (uint32_t)(look - start) : (uint32_t)MOST_MESSAGE;
        way_copy(way, start, size, self->message);
        *synchronous = pldns_begins_message(self->message, size, size);
        *at = *synchronous ? start : end;
        way_forget(way, *at);
    }
    return true;
}

/* Give a message of which so many bytes are there, and go on after it. */
static void give(struct pldns_reassembly *self, struct connection *connection, uint32_t length,
                 uint64_t there, struct pldns_found *found)
{
    struct stream_way *way = &connection->ways[self->way];
    uint64_t *at = &connection->reader[self->way].at;
    *found = (struct pldns_found){
        .wire = self->message, .size = there < length ? (size_t)there : length, .length = length};
    way_copy(way, *at + PREFIX, found->size, self->message);
    self->came = way_last_time(way, *at, *at + PREFIX + found->size);
    *at += PREFIX + length;
    way_forget(way, *at);
}

/* The next message of a way; of one that is over also what is not complete. */
static bool next_message(struct pldns_reassembly *self, struct connection *connection, bool is_over,
                         struct pldns_found *found)
{
    struct stream_way *way = &connection->ways[self->way];
    if (!way->begun)
        return false;
    if (!connection->reader[self->way].begun) {
        connection->reader[self->way].begun = true;
        connection->reader[self->way].at = way->start;
        connection->reader[self->way].synchronous = way->syn;
    }
    const uint64_t *at = &connection->reader[self->way].at;
    while (synchronise(self, connection, is_over)) {
        uint64_t there = way->next > *at ? way->next - *at : 0;
        bool is_lost = is_over || way_has_lost(way) || way->high > way->next + PATIENCE;
        if (there >= PREFIX) {
            uint8_t prefix[PREFIX];
            way_copy(way, *at, PREFIX, prefix);
            uint32_t length = load_be16(prefix);
            if (there - PREFIX < length && !is_lost)
                return false;
            if (there == PREFIX && length > 0 && way->high <= *at + PREFIX)
                return false; /* nothing of it was sent */
            self->in_hand.was_held_up |= there - PREFIX < length;
            give(self, connection, length, there - PREFIX, found);
            return true;
        }
        if (!is_lost || way->high <= *at + there)
            return false;
        connection->reader[self->way].synchronous = false;
        self->in_hand.was_held_up = true;
    }
    return false;
}

/* Tell of a packet what matters of the one that brought a message of a stream: the one in hand, or
 * one before it, of which the time is known alone. */
static void set_packet(const struct pldns_reassembly *self, const struct connection *connection,
                       struct pldns_packet *packet)
{
    const struct connection_key *key = &connection->key;
    uint8_t way = self->way;
    bool is_of_hand = connection == self->open && way == self->in_hand.way &&
                      (!self->in_hand.was_held_up || self->came == self->in_hand.time);
    packet->ends = (struct pldns_ends){.version = key->version,
                                       .proto = PROTO_TCP,
                                       .src_port = key->ports[way],
                                       .dst_port = key->ports[!way]};
    memcpy(packet->ends.src, key->addresses[way], sizeof(packet->ends.src));
    memcpy(packet->ends.dst, key->addresses[!way], sizeof(packet->ends.dst));
    packet->has_time = is_of_hand ? self->in_hand.has_time : self->connections.has_clock;
    packet->time = is_of_hand ? self->in_hand.time : self->came;
    packet->wire_len = is_of_hand ? self->in_hand.wire_len : UINT64_MAX;
}

/* A message of either way of a connection; false where there is no more.  First those of the other
 * way than the packet in hand: they came before it. */
static bool next_of_ways(struct pldns_reassembly *self, struct connection *connection, bool is_over,
                         struct pldns_packet *packet, struct pldns_found *found)
{
    for (; self->turns < 2; self->turns++) {
        self->way = is_over ? self->turns : self->turns ^ !self->in_hand.way;
        if (next_message(self, connection, is_over, found)) {
            set_packet(self, connection, packet);
            return true;
        }
    }
    return false;
}

/* A message of a connection in hand; false where there is none. */
static bool next_of_streams(struct pldns_reassembly *self, struct pldns_packet *packet,
                            struct pldns_found *found)
{
    if (self->open) {
        if (next_of_ways(self, self->open, false, packet, found))
            return true;
        self->open = NULL;
    }
    for (;;) {
        if (!self->ended) {
            self->ended = connections_take(&self->connections);
            self->turns = 0;
        }
        if (!self->ended)
            return false;
        if (next_of_ways(self, self->ended, true, packet, found))
            return true;
        connection_free(self->ended);
        self->ended = NULL;
    }
}

/* --- Records --------------------------------------------------------------------------------- */

/* The next record, with fragments put together.  PLT_ERROR with *out_of_memory where there is no
 * memory. */
static enum plt_records_result next_record(struct pldns_reassembly *self,
                                           const struct pldns_records *from,
                                           struct plt_record *record, struct plt_layers *layers,
                                           bool *out_of_memory)
{
    for (;;) {
        if (defragment_next(&self->fragments, self->finished, record)) {
            record_layers(record, layers);
            return PLT_RECORD;
        }
        enum plt_records_result result =
            self->finished ? PLT_END : from->api->records_next(from->records, record);
        if (result != PLT_RECORD)
            return result;
        record_layers(record, layers);
        switch (defragment_add(&self->fragments, record, layers)) {
        case DEFRAGMENT_PASS:
        case DEFRAGMENT_WHOLE:
            return PLT_RECORD;
        case DEFRAGMENT_HELD:
            break;
        case DEFRAGMENT_NO_MEMORY:
            *out_of_memory = true;
            return PLT_ERROR;
        }
    }
}

/* Look at a record; false when out of memory. */
static bool open_record(struct pldns_matcher *matcher, const struct pldns_records *from,
                        struct pldns_packet *packet, const struct plt_record *record,
                        const struct plt_layers *layers)
{
    struct pldns_reassembly *self = matcher->reassembly;
    struct plt_packet whole = {
        .data = record->data, .len = record->len, .layers = layers, .meta = &record->meta};
    struct connection_segment segment;
    if (layers->proto != PROTO_TCP)
        return pldns_packet_open(packet, record, layers, from->ports, matcher);
    packet->open = false;
    if (!pldns_has_port(record->data, layers, from->ports))
        return true;
    pldns_packet_set_record(packet, record);
    if (!connections_add(&self->connections, &whole, &segment))
        return false;
    self->open = segment.connection;
    self->turns = 0;
    self->in_hand.way = segment.way;
    self->in_hand.was_held_up = false;
    self->in_hand.has_time = packet->has_time;
    self->in_hand.time = packet->time;
    self->in_hand.wire_len = packet->wire_len;
    return true;
}

/* The records ended, or no more can be read: of the last give all that is left. */
static bool finish(struct pldns_reassembly *self, enum plt_records_result result)
{
    self->finished = true;
    self->result = result;
    return connections_finish(&self->connections);
}

enum plt_records_result pldns_reassembly_next(struct pldns_matcher *matcher,
                                              const struct pldns_records *from,
                                              struct pldns_packet *packet,
                                              struct pldns_found *found, bool *out_of_memory)
{
    struct pldns_reassembly *self = matcher->reassembly;
    struct plt_record record;
    struct plt_layers layers;
    for (;;) {
        if (packet->open && pldns_packet_next(packet, matcher, found))
            return PLT_RECORD;
        if (next_of_streams(self, packet, found))
            return PLT_RECORD;
        enum plt_records_result result = next_record(self, from, &record, &layers, out_of_memory);
        if (*out_of_memory)
            return PLT_ERROR;
        if (result == PLT_RECORD) {
            *out_of_memory = !open_record(matcher, from, packet, &record, &layers);
        } else if (result == PLT_MORE || !from->is_last) {
            return result;
        } else if (self->finished && self->connections.count == 0) {
            return self->result;
        } else {
            if (!self->finished)
                self->result = result;
            *out_of_memory = !finish(self, self->result);
        }
        if (*out_of_memory)
            return PLT_ERROR;
    }
}
