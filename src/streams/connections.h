/* TCP connections whose bytes are put in order.  No Python here. */
#ifndef PLT_STREAMS_CONNECTIONS_H
#define PLT_STREAMS_CONNECTIONS_H

#include "way.h"

#include "packet/packet.h"

/* Why a connection is over. */
enum connection_end {
    CONNECTION_OPEN,
    CONNECTION_CLOSED,  /* a FIN each way */
    CONNECTION_RESET,   /* a RST */
    CONNECTION_REUSED,  /* another began between the same ends */
    CONNECTION_TIMEOUT, /* no packet for some time */
    CONNECTION_MEMORY,  /* there was no room for all */
    CONNECTION_LAST     /* no more packets */
};

struct connection_key {
    uint8_t addresses[2][16]; /* of the lower end, and of the other; IPv4 in the first 4 bytes */
    uint16_t ports[2];
    uint8_t version; /* of IP */
};

enum connection_list { CONNECTIONS_LIVE, CONNECTIONS_OVER, CONNECTION_LISTS };

struct connection {
    struct connection *chained; /* the next with the same hash; of those that ended, the next */
    struct connection *older;
    struct connection *newer;
    struct connection_key key;
    uint64_t hash;
    uint64_t number; /* connections that began before */
    int64_t first;   /* nanoseconds since the epoch */
    int64_t last;
    int64_t clock;             /* at the last packet */
    bool from_higher;          /* the higher end opened it */
    uint8_t list;              /* enum connection_list */
    uint8_t end;               /* enum connection_end */
    size_t counted;            /* bytes of memory in the sum of all */
    struct stream_way ways[2]; /* from the lower end, from the higher */
    /* of who reads them meanwhile */
    struct {
        uint64_t at;      /* a position in the way */
        bool synchronous; /* a message begins there */
    } reader[2];
};

struct connections_settings {
    struct way_limits limits;
    uint64_t memory;      /* bytes that all take at most */
    int64_t idle_timeout; /* nanoseconds */
};

struct connections {
    struct connections_settings settings;
    uint64_t seed[2];
    struct connection **buckets; /* owned */
    size_t bucket_count;         /* a power of 2 */
    size_t count;
    uint64_t begun;
    size_t memory;
    int64_t clock; /* the latest time */
    bool has_clock;
    struct connection *oldest[CONNECTION_LISTS]; /* owned, with all that are newer */
    struct connection *newest[CONNECTION_LISTS];
    struct connection *ended; /* owned, with all that are chained: the first that ended */
    struct connection *ended_last;
};

void connections_clear(struct connections *all);
void connection_free(struct connection *connection);

/* What a packet was. */
struct connection_segment {
    struct connection *connection; /* NULL where it is of none */
    uint8_t way;
};

/* Add a packet; false when out of memory.  Connections that end by it are those that
 * connections_take() gives; out->connection may be the next of them. */
bool connections_add(struct connections *all, const struct plt_packet *packet,
                     struct connection_segment *out);
/* End all connections, in the order in which they began; false when out of memory. */
bool connections_finish(struct connections *all);
/* The next that ended, which is the caller's then; NULL where there is none. */
struct connection *connections_take(struct connections *all);

#endif
