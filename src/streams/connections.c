/* TCP connections whose bytes are put in order.
 *
 * A connection that is over stays for some seconds: segments that come late, or once more, are
 * still its own.  Live connections and those that are over are in lists by the time of the last
 * packet, so that the first of a list is the next whose time is up. */
#include "connections.h"

#include "common/siphash.h"
#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/values.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_BUCKETS = 1024 };

/* How long a connection that is over waits for late segments. */
#define LINGER ((int64_t)5 * 1000000000)

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    way_clear(&connection->ways[0]);
    way_clear(&connection->ways[1]);
    free(connection);
}

void connections_clear(struct connections *all)
{
    for (int list = 0; list < CONNECTION_LISTS; list++) {
        struct connection *connection = all->oldest[list];
        while (connection) {
            struct connection *newer = connection->newer;
            connection_free(connection);
            connection = newer;
        }
        all->oldest[list] = all->newest[list] = NULL;
    }
    for (struct connection *ended = connections_take(all); ended; ended = connections_take(all))
        connection_free(ended);
    free(all->buckets);
    all->buckets = NULL;
    all->bucket_count = all->count = all->memory = 0;
}

/* --- Lists ----------------------------------------------------------------------------------- */

static void unlist(struct connections *all, struct connection *connection)
{
    struct connection **before =
        connection->older ? &connection->older->newer : &all->oldest[connection->list];
    struct connection **after =
        connection->newer ? &connection->newer->older : &all->newest[connection->list];
    *before = connection->newer;
    *after = connection->older;
}

static void enlist(struct connections *all, struct connection *connection, uint8_t list)
{
    connection->list = list;
    connection->newer = NULL;
    connection->older = all->newest[list];
    if (connection->older)
        connection->older->newer = connection;
    else
        all->oldest[list] = connection;
    all->newest[list] = connection;
}

/* --- The hash table -------------------------------------------------------------------------- */

static uint64_t hash_of(const struct connections *all, const struct connection_key *key)
{
    struct siphash hash = siphash_begin(all->seed);
    for (int end = 0; end < 2; end++) {
        siphash_add(&hash, load_be64(key->addresses[end]));
        if (key->version == 6)
            siphash_add(&hash, load_be64(key->addresses[end] + 8));
    }
    siphash_add(&hash,
                (uint64_t)key->version << 56 | (uint64_t)key->ports[0] << 16 | key->ports[1]);
    return siphash_end(&hash);
}

static bool is_same(const struct connection_key *one, const struct connection_key *other)
{
    return one->version == other->version && one->ports[0] == other->ports[0] &&
           one->ports[1] == other->ports[1] &&
           memcmp(one->addresses, other->addresses, sizeof(one->addresses)) == 0;
}

static struct connection **bucket_of(const struct connections *all, uint64_t hash)
{
    return &all->buckets[hash & (all->bucket_count - 1)];
}

/* Room for one more connection; false when out of memory. */
static bool reserve(struct connections *all)
{
    if (all->count < all->bucket_count)
        return true;
    size_t count = all->bucket_count ? all->bucket_count * 2 : LEAST_BUCKETS;
    struct connection **old = all->buckets;
    size_t old_count = all->bucket_count;
    struct connection **buckets = calloc(count, sizeof(struct connection *));
    if (!buckets)
        return false;
    all->buckets = buckets;
    all->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        struct connection *connection = old[i];
        while (connection) {
            struct connection *chained = connection->chained;
            struct connection **bucket = bucket_of(all, connection->hash);
            connection->chained = *bucket;
            *bucket = connection;
            connection = chained;
        }
    }
    free(old);
    return true;
}

static struct connection *find(const struct connections *all, const struct connection_key *key,
                               uint64_t hash)
{
    struct connection *connection = all->bucket_count ? *bucket_of(all, hash) : NULL;
    while (connection && !is_same(&connection->key, key))
        connection = connection->chained;
    return connection;
}

/* Count the memory of a connection as it is now. */
static void count_memory(struct connections *all, struct connection *connection)
{
    size_t memory = sizeof(*connection) + connection->ways[0].memory + connection->ways[1].memory;
    all->memory += memory - connection->counted;
    connection->counted = memory;
}

static struct connection *add(struct connections *all, const struct connection_key *key,
                              uint64_t hash, int64_t time)
{
    struct connection *connection = reserve(all) ? calloc(1, sizeof(*connection)) : NULL;
    if (!connection)
        return NULL;
    struct connection **bucket = bucket_of(all, hash);
    connection->key = *key;
    connection->hash = hash;
    connection->number = all->begun++;
    connection->first = time;
    connection->chained = *bucket;
    *bucket = connection;
    all->count++;
    enlist(all, connection, CONNECTIONS_LIVE);
    count_memory(all, connection);
    return connection;
}

/* --- Ends ------------------------------------------------------------------------------------ */

/* Whether each end sent a FIN; what was sent before may be missing. */
static bool has_fins(const struct connection *connection)
{
    const struct stream_way *ways = connection->ways;
    return ways[0].begun && ways[0].fin != WAY_NO_POSITION && ways[1].begun &&
           ways[1].fin != WAY_NO_POSITION;
}

/* Take a connection out of the table, to be handed out. */
static void end(struct connections *all, struct connection *connection, enum connection_end why)
{
    struct connection **at = bucket_of(all, connection->hash);
    while (*at != connection)
        at = &(*at)->chained;
    *at = connection->chained;
    unlist(all, connection);
    all->count--;
    all->memory -= connection->counted;
    if (connection->end == CONNECTION_OPEN)
        connection->end = (uint8_t)(has_fins(connection) ? CONNECTION_CLOSED : why);
    connection->chained = NULL;
    if (all->ended)
        all->ended_last->chained = connection;
    else
        all->ended = connection;
    all->ended_last = connection;
}

struct connection *connections_take(struct connections *all)
{
    struct connection *connection = all->ended;
    if (connection) {
        all->ended = connection->chained;
        connection->chained = NULL;
    }
    return connection;
}

/* Whether the last packet of a list's first was longer ago than that. */
static bool is_up(const struct connections *all, enum connection_list list, int64_t wait)
{
    const struct connection *oldest = all->oldest[list];
    int64_t age = 0;
    return oldest && (__builtin_sub_overflow(all->clock, oldest->clock, &age) || age > wait);
}

static void end_old(struct connections *all)
{
    int64_t linger = LINGER < all->settings.idle_timeout ? LINGER : all->settings.idle_timeout;
    while (is_up(all, CONNECTIONS_OVER, linger))
        end(all, all->oldest[CONNECTIONS_OVER], CONNECTION_CLOSED);
    while (is_up(all, CONNECTIONS_LIVE, all->settings.idle_timeout))
        end(all, all->oldest[CONNECTIONS_LIVE], CONNECTION_TIMEOUT);
}

/* Make room: first of what is over, then of what had no packet for the longest time. */
static void end_for_memory(struct connections *all)
{
    while (all->memory > all->settings.memory) {
        struct connection *oldest = all->oldest[CONNECTIONS_OVER];
        if (!oldest)
            oldest = all->oldest[CONNECTIONS_LIVE];
        if (!oldest)
            return;
        end(all, oldest, CONNECTION_MEMORY);
    }
}

static int by_number(const void *one_, const void *other_)
{
    const struct connection *one = *(struct connection *const *)one_;
    const struct connection *other = *(struct connection *const *)other_;
    return (one->number > other->number) - (one->number < other->number);
}

bool connections_finish(struct connections *all)
{
    size_t count = all->count;
    struct connection **left = malloc((count + 1) * sizeof(struct connection *));
    if (!left)
        return false;
    size_t found = 0;
    for (int list = 0; list < CONNECTION_LISTS; list++)
        for (struct connection *at = all->oldest[list]; at; at = at->newer)
            left[found++] = at;
    qsort(left, found, sizeof(struct connection *), by_number);
    for (size_t i = 0; i < found; i++)
        end(all, left[i], CONNECTION_LAST);
    free(left);
    return true;
}

/* --- Segments -------------------------------------------------------------------------------- */

/* What of a TCP header matters. */
struct header {
    struct connection_key key;
    uint64_t hash;
    uint8_t way; /* 1 from the higher end */
    uint16_t flags;
    uint32_t ack;
    bool is_syn; /* SYN, no RST */
    struct way_segment segment;
};

static bool is_higher(const uint8_t *src, const uint8_t *dst, size_t size, uint16_t src_port,
                      uint16_t dst_port)
{
    int order = memcmp(src, dst, size);
    return order > 0 || (order == 0 && src_port > dst_port);
}

/* False for what is no TCP segment, and where its header was not captured. */
static bool read_header(const struct plt_packet *packet, struct header *out)
{
    const struct plt_layers *layers = packet->layers;
    struct plt_payload payload;
    if ((layers->version != 4 && layers->version != 6) || layers->proto != PROTO_TCP ||
        layers->fragment)
        return false;
    const uint8_t *tcp = transport_bytes(packet, 0, TCP_HEADER);
    if (!tcp || !packet_payload(packet, &payload))
        return false;
    size_t size = layers->version == 4 ? 4 : 16;
    const uint8_t *src = packet->data + layers->layer3 + (layers->version == 4 ? 12 : 8);
    const uint8_t *dst = src + size;
    uint16_t src_port = load_be16(tcp);
    uint16_t dst_port = load_be16(tcp + 2);
    bool higher = is_higher(src, dst, size, src_port, dst_port);
    *out = (struct header){
        .way = higher, .flags = load_be16(tcp + 12) & 0xfff, .ack = load_be32(tcp + 8)};
    out->key.version = layers->version;
    memcpy(out->key.addresses[higher], src, size);
    memcpy(out->key.addresses[!higher], dst, size);
    out->key.ports[higher] = src_port;
    out->key.ports[!higher] = dst_port;
    out->is_syn = (out->flags & (TCP_SYN | TCP_RST)) == TCP_SYN;
    out->segment.seq = load_be32(tcp + 4) + ((out->flags & TCP_SYN) != 0);
    out->segment.len = payload.len;
    out->segment.data = tcp; /* where nothing of it was captured */
    if (payload.at < payload.end) {
        out->segment.data = packet->data + payload.at;
        out->segment.there = payload.end - payload.at;
    }
    return true;
}

/* Whether a SYN begins another connection than the one that is known.  A SYN with ACK that answers
 * the SYN of that one does not: it is a second answer, or forged.  After the end of a connection
 * any SYN without ACK does, even with the same number: who was refused asks again. */
static bool begins_other(struct connection *connection, const struct header *header)
{
    struct stream_way *way = &connection->ways[header->way];
    const struct stream_way *other = &connection->ways[!header->way];
    bool has_ack = header->flags & TCP_ACK;
    bool answers = has_ack && other->syn && header->ack == other->origin;
    if (!header->is_syn)
        return false;
    if (connection->end != CONNECTION_OPEN && !has_ack)
        return true;
    if (answers && !way->begun) /* whatever ACKs of an older connection told of it */
        way_begin(way, header->segment.seq);
    return !way_accepts_syn(way, header->segment.seq) && !answers;
}

/* The connection of a segment, a new one where it begins one; NULL where it is of none, and when
 * out of memory. */
static struct connection *connection_of(struct connections *all, const struct header *header,
                                        bool *out_of_memory)
{
    struct connection *connection = find(all, &header->key, header->hash);
    if (connection && begins_other(connection, header)) {
        end(all, connection, CONNECTION_REUSED);
        connection = NULL;
    }
    if (connection)
        return connection;
    if (!header->is_syn && (header->segment.len == 0 || (header->flags & TCP_RST)))
        return NULL;
    connection = add(all, &header->key, header->hash, header->segment.time);
    *out_of_memory = !connection;
    if (!connection)
        return NULL;
    bool is_answer = header->is_syn && (header->flags & TCP_ACK);
    connection->from_higher = (header->way == 1) != is_answer;
    if (header->is_syn)
        way_begin(&connection->ways[header->way], header->segment.seq);
    return connection;
}

/* Add what a segment has to its connection; false when out of memory. */
static bool add_segment(struct connections *all, struct connection *connection,
                        const struct header *header)
{
    const struct way_limits *limits = &all->settings.limits;
    const struct way_segment *segment = &header->segment;
    struct stream_way *way = &connection->ways[header->way];
    struct stream_way *other = &connection->ways[!header->way];
    if (header->flags & TCP_RST) { /* its payload is a reason for humans: RFC 9293 section 3.5.3 */
        if (connection->end == CONNECTION_OPEN &&
            (!way->begun || way_is_near(way, limits, segment->seq)))
            connection->end = CONNECTION_RESET;
        return true;
    }
    if (header->is_syn && way->origin != segment->seq)
        return true; /* the second answer to a SYN */
    if (header->flags & TCP_ACK)
        way_acknowledge(other, limits, header->ack);
    if (!way->begun)
        way_await(way, segment->seq);
    if (segment->len > 0 && !way_add(way, limits, segment))
        return false;
    if (header->flags & TCP_FIN)
        way_finish(way, limits, segment->seq + segment->len);
    /* until its FIN is acknowledged an end sends again what is missing: RFC 9293 section 3.6 */
    if (connection->end == CONNECTION_OPEN && way_is_over(way) && way_is_over(other))
        connection->end = CONNECTION_CLOSED;
    return true;
}

/* A packet without a time came at that of the packet before it. */
static int64_t tell_time(struct connections *all, const struct plt_packet *packet)
{
    int64_t time = all->clock;
    if (packet->meta && plt_time_ns(packet->meta, &time) &&
        (!all->has_clock || time > all->clock)) {
        all->clock = time;
        all->has_clock = true;
    }
    return time;
}

bool connections_add(struct connections *all, const struct plt_packet *packet,
                     struct connection_segment *out)
{
    struct header header;
    bool out_of_memory = false;
    int64_t time = tell_time(all, packet);
    end_old(all);
    *out = (struct connection_segment){.connection = NULL};
    if (!read_header(packet, &header))
        return true;
    header.segment.time = time;
    header.hash = hash_of(all, &header.key);
    struct connection *connection = connection_of(all, &header, &out_of_memory);
    if (!connection)
        return !out_of_memory;
    connection->last = time;
    connection->clock = all->clock;
    if (!add_segment(all, connection, &header))
        return false;
    unlist(all, connection);
    enlist(all, connection,
           connection->end == CONNECTION_OPEN ? CONNECTIONS_LIVE : CONNECTIONS_OVER);
    count_memory(all, connection);
    *out = (struct connection_segment){.connection = connection, .way = header.way};
    end_for_memory(all);
    return true;
}
