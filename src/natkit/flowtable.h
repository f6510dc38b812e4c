/* Flow tables: what their files share.  Nothing here needs Python but where it says so. */
#ifndef NATKIT_FLOWTABLE_H
#define NATKIT_FLOWTABLE_H

#include "common/column.h"
#include "ipflow/home.h"
#include "ipflow/key.h"
#include "natkit.h"
#include "packet/protocols.h"

/* --- Flows ------------------------------------------------------------------------------------
 *
 * A flow has two ends, an address and a port each, and two ways: way 0 from the lower end to the
 * higher one, way 1 back.  Which of them is forward is a mark; nothing else depends on it. */

/* A flow's five-tuple, the same for both ways.  IPv4: the lower end's address (32 bits), its port
 * (16), protocol (8) and 4 (8); the higher end's address (32) and port (16).  IPv6: the addresses
 * of 2 words each, then the lower port (16), the higher port (16), protocol (8) and 6 (8).  In a
 * table by VLAN the last word has its id in the upper 16 bits. */
struct flow_key {
    uint64_t words[5]; /* for IPv4 those after the second are 0 */
};

enum { KEY_WORDS_4 = 2, KEY_WORDS_6 = 5 };

/* The time of a packet that nanoseconds in 64 bits can't hold. */
#define FLOW_NO_TIME INT64_MIN

struct flow_way {
    uint64_t packets;
    uint64_t bytes; /* on the wire */
    uint64_t ip_bytes;
    uint64_t payload_bytes;
    int64_t first; /* earliest and latest time; 0 without packets, else FLOW_NO_TIME if unknown */
    int64_t last;
    uint32_t seq_end; /* the highest that TCP sent to, with EVENT_SEQ */
    uint32_t retransmits;
};

/* What TCP has sent one way.  Any two sets join by "or", so that parts of a flow do. */
enum {
    EVENT_SYN = 1, /* without ACK */
    EVENT_SYN_ACK = 2,
    EVENT_ACK = 4, /* without SYN */
    EVENT_FIN = 8,
    EVENT_RST = 16,
    EVENT_FIN_ACKED = 32, /* after the FIN an ACK came the other way */
    EVENT_SEQ = 64,       /* something that takes sequence numbers */
    EVENT_SEQ_FAR = 128   /* some were FLOW_FAR or more from the highest before */
};

enum {
    MARK_LIVE = 1,         /* in the index */
    MARK_FWD_WAY = 2,      /* way 1 is forward */
    MARK_FIRST_SYN = 4,    /* the flow began with a SYN without ACK */
    MARK_LATER_SYN = 8,    /* such a SYN came later, and ended nothing */
    MARK_AGAIN = 16,       /* it took the place of a flow with the same key */
    MARK_LOG_SHORT_0 = 32, /* not all is in the log that it should hold of way 0 */
    MARK_LOG_SHORT_1 = 64,
    MARK_LOG_SHORT = 96,
    MARKS = 127
};

/* What the time in `handshake` is. */
enum { HANDSHAKE_NONE, HANDSHAKE_SYN, HANDSHAKE_RTT, HANDSHAKE_SYN_ACK, HANDSHAKE_COUNT };

/* RFC 5102 section 5.11.3, flowEndReason; 0 for a flow that goes on. */
enum { END_NONE, END_IDLE, END_ACTIVE, END_OF_FLOW, END_FORCED, END_COUNT };

/* A flow in a table's pool: its number, the IPv6 pool's with FLOW_REF_6; 0 is none. */
typedef uint32_t flow_ref;

#define FLOW_REF_6 ((flow_ref)1 << 31)

/* The common part is between the ways, so that a packet's part is contiguous. */
struct flow {
    struct flow_way way0;
    uint64_t key[KEY_WORDS_4]; /* the first words of the flow_key */
    int64_t started;           /* the table's clock at its first and last packet */
    int64_t seen;
    uint64_t number; /* how many packets the table had read before the first */
    int64_t handshake;
    flow_ref next; /* in a bucket of the wheel, the list of the ended or that of the free */
    uint32_t log;  /* the newest block of its log, but for the first segment */
    uint32_t first_seq_end; /* the first entry of the log */
    uint16_t vlan;
    uint16_t tcp_flags[2]; /* seen each way */
    uint8_t events[2];
    uint8_t marks;
    uint8_t end_reason;
    uint8_t handshake_kind;
    uint8_t logged; /* entries in the log; LOGGED_* */
    struct flow_way way1;
};

struct flow6 {
    struct flow flow;
    uint64_t rest[KEY_WORDS_6 - KEY_WORDS_4]; /* of the flow_key */
};

/* Memory is what limits a table: no more than 200 bytes a flow, index and all. */
_Static_assert(sizeof(struct flow) == 184, "a flow is larger than it need be");

/* A flow taken out of its table: room for either version. */
struct flow_copy {
    struct flow6 record;
    bool v6;
};

static inline struct flow_way *flow_way(struct flow *flow, unsigned way)
{
    return way ? &flow->way1 : &flow->way0;
}

static inline const struct flow_way *flow_way_of(const struct flow *flow, unsigned way)
{
    return way ? &flow->way1 : &flow->way0;
}

static inline unsigned flow_forward(const struct flow *flow)
{
    return (flow->marks & MARK_FWD_WAY) != 0;
}

uint8_t flow_proto(const struct flow *flow, bool v6);
/* The key's words, from a flow; those of an IPv4 key are padded with zeroes. */
struct flow_key flow_key_of(const struct flow *flow, bool v6);
/* From a key with the source first; returns the way that it goes. */
unsigned flow_key_from(const struct natkit_key *key, struct flow_key *out);
/* The VLAN in a key, or a fragment's key, of a table by VLAN; 0 in those of others. */
void flow_words_set_vlan(uint64_t *words, bool v6, uint16_t vlan);
uint16_t flow_words_vlan(const uint64_t *words, bool v6);
/* The key with the source of that way first. */
struct natkit_key flow_key_to(const struct flow_key *key, bool v6, unsigned way);

/* TCP ended it: a RST, or a FIN each way. */
bool flow_is_closed(const struct flow *flow);
/* RFC 9293 section 3.3.2's name for what was seen of a TCP connection, NULL where nothing was. */
const char *flow_state(const struct flow *flow, bool v6);

/* --- Packets ---------------------------------------------------------------------------------- */

enum {
    PACKET_TCP = 1,     /* tcp_flags are known */
    PACKET_SEGMENT = 2, /* it takes sequence numbers, up to seq_end */
    PACKET_COUNTS = 4   /* as a retransmission, where it repeats others */
};

/* What of a packet matters to its flow. */
struct flow_packet {
    struct flow_key key;
    uint64_t hash; /* this and hint: set when it is counted */
    int64_t time;
    int64_t clock;   /* the table's: the latest time so far */
    uint64_t number; /* packets read before */
    uint64_t bytes;
    uint32_t ip_bytes;
    uint32_t payload_bytes;
    uint32_t seq_end;
    uint16_t tcp_flags;
    uint16_t vlan;
    uint8_t kind; /* PACKET_* */
    uint8_t way;
    bool v6;
    flow_ref hint; /* where its flow may be, 0 for nowhere */
};

/* --- Index: from keys to flows ---------------------------------------------------------------- */

enum { GROUP_SLOTS = 12 };

/* A cache line of the index. */
struct flow_group {
    uint8_t tags[GROUP_SLOTS]; /* 8 bits of the key's hash, 0 for an empty slot */
    uint32_t passed;           /* keys that found this group full, and are further on */
    flow_ref refs[GROUP_SLOTS];
};

_Static_assert(sizeof(struct flow_group) == 64, "a group is a cache line");

struct flow_index {
    struct flow_group *groups; /* owned; a power of two of them, NULL at first */
    uint64_t group_count;
    unsigned shift;   /* of a hash, to a group's number */
    uint64_t count;   /* flows */
    uint64_t seed[2]; /* so that nobody can choose keys that collide */
};

/* --- Pools, logs ------------------------------------------------------------------------------ */

enum { CHUNK_RECORDS = 1 << 15 };

struct flow_pool {
    uint8_t **chunks; /* owned, and each of them */
    size_t chunk_count;
    size_t size; /* of a record */
    uint32_t used;
    flow_ref free;
};

enum { LOG_BLOCK = 6, MOST_LOGGED_A_WAY = 12, LOG_SIZE = 2 * MOST_LOGGED_A_WAY };

/* Of a flow's `logged`: the number, and what the first entry is, which has no block. */
enum { LOGGED_NUMBER = 31, LOGGED_FIRST_WAY1 = 32, LOGGED_FIRST_COUNTS = 64 };

/* Where a flow's first segments ended that went further than those before, for its merging with an
 * earlier part: see flowtablemerge.c. */
struct flow_log_block {
    uint32_t seq_ends[LOG_BLOCK];
    uint32_t older;
    uint16_t way1;   /* a bit each: the segment went way 1 */
    uint16_t counts; /* PACKET_COUNTS */
};

struct flow_logs {
    struct flow_log_block *blocks; /* owned */
    uint32_t room;
    uint32_t used;
    uint32_t free;
    uint32_t most; /* that there may be */
};

/* A table that is made to be merged has logs of up to 32 MB; another 2 bytes a flow. */
enum { LOG_BLOCKS_A_CHUNK = 1 << 11, MOST_LOG_BLOCKS_TO_MERGE = 1 << 20 };

/* A log taken out, oldest first. */
struct flow_log {
    unsigned count;
    uint32_t seq_ends[LOG_SIZE];
    bool way1[LOG_SIZE];
    bool counts[LOG_SIZE];
};

/* --- Expiry ----------------------------------------------------------------------------------- */

#define FLOW_NEVER      INT64_MAX
#define LONGEST_TIMEOUT (INT64_C(4000000000) * 1000000000)

enum { WHEEL_BUCKETS = 512 };

/* Flows by the time when to look at them. */
struct flow_wheel {
    flow_ref buckets[WHEEL_BUCKETS];
    unsigned shift; /* of nanoseconds, to a bucket's number */
    uint64_t position;
    int64_t due;     /* the last nanosecond of the bucket at position */
    int64_t settled; /* the clock for which there is nothing left to do */
    int64_t clock;   /* that of the packet before */
};

/* --- Fragments -------------------------------------------------------------------------------- */

struct fragment_key {
    uint64_t words[5];
};

/* A packet's first fragment. */
struct fragment {
    struct fragment_key key;
    int64_t clock;
    uint64_t older; /* one more than the number of another with the same hash, 0 for none */
    uint16_t src_port;
    uint16_t dst_port;
    uint8_t proto;
    uint8_t unused[3];
};

/* A later fragment whose first was not known. */
struct orphan {
    struct fragment_key key;
    int64_t clock;
};

/* A later fragment that waits for its first one. */
struct held_fragment {
    struct fragment_key key;
    struct flow_key flow; /* that without ports */
    int64_t time;
    int64_t clock; /* when it came */
    uint64_t number;
    uint64_t bytes;
    uint64_t older; /* as that of a first fragment */
    uint32_t ip_bytes;
    uint32_t payload_bytes; /* if its protocol turns out to have a payload */
    uint16_t vlan;
    uint8_t way;
    uint8_t v6;
    uint8_t found; /* its first one came, and it was counted */
    uint8_t unused[3];
};

enum { FRAGMENTS = 8192, ORPHANS = 4096, HELD = 4096 };

enum {
    ORPHANS_FULL = 1, /* than there is room for */
    ORPHANS_LATE = 2  /* too late for an earlier table's first fragment, if that ended before */
};

struct flow_fragments {
    struct fragment *ring;      /* owned; NULL at first */
    uint64_t *newest;           /* owned: by hash, one more than its number, 0 for none */
    uint64_t count;             /* that there were; the last FRAGMENTS are in the ring */
    struct held_fragment *held; /* owned; NULL at first: a ring too */
    uint64_t *held_newest;      /* owned, as `newest` */
    uint64_t held_first;        /* the number of the oldest that is held */
    uint64_t held_end;          /* of the next one */
    struct fragment claimant;   /* the first one that those of its packet are counted with now */
    bool claims;
    struct orphan *orphans; /* owned; NULL at first */
    uint32_t orphan_count;
    uint8_t orphans_lost; /* ORPHANS_*: there were more */
};

/* --- The table -------------------------------------------------------------------------------- */

struct flow_table {
    struct flow_index index;
    struct flow_pool pools[2]; /* of IPv4 and of IPv6 */
    struct flow_logs logs;
    struct flow_wheel wheel;
    struct flow_fragments fragments;
    const struct natkit_home *home; /* borrowed, or NULL */
    bool by_vlan;                   /* keys have the VLAN */
    int64_t idle;                   /* nanoseconds, FLOW_NEVER without */
    int64_t active;
    int64_t begin;    /* the time of the first packet that has one, else FLOW_NO_TIME */
    int64_t earliest; /* of all packets, the same */
    int64_t clock;    /* the latest, since it last went back, the same */
    bool went_back;   /* it did, by more than FLOW_LATE */
    uint64_t packets;
    uint64_t not_ip;
    uint64_t too_short;
    uint64_t handed_out; /* ended flows that are not here any more */
    uint64_t ended;      /* flows in the list of the ended */
    flow_ref ended_first;
    flow_ref ended_last;
    bool fragments_lost; /* there was no memory for what was to be remembered of one */
};

static inline struct flow *flow_at(const struct flow_table *table, flow_ref ref)
{
    const struct flow_pool *pool = &table->pools[ref >> 31];
    uint32_t number = ref & ~FLOW_REF_6;

    return (struct flow *)(void *)(pool->chunks[number / CHUNK_RECORDS] +
                                   number % CHUNK_RECORDS * pool->size);
}

static inline bool flow_ref_is_6(flow_ref ref)
{
    return ref >> 31;
}

/* flowtable.c */
void flow_table_init(struct flow_table *table, const uint64_t seed[2]);
void flow_table_free(struct flow_table *table);
/* The memory that it has, in bytes. */
size_t flow_table_size(const struct flow_table *table);
/* Count packets: how many were, fewer when out of memory.  It leaves alone what flow_packet_read()
 * changes, so that another thread may read on meanwhile. */
size_t flow_table_feed(struct flow_table *table, struct flow_packet *packets, size_t count);
/* Count the fragments that wait no longer, or all; false when out of memory, and one is lost. */
bool flow_table_catch_up(struct flow_table *table, bool all);
/* End a flow that is not in the index any more, or never was. */
void flow_table_push_ended(struct flow_table *table, flow_ref ref, uint8_t reason);
/* Take a flow out of the index and end it. */
void flow_table_end(struct flow_table *table, flow_ref ref, uint8_t reason);
/* The same for a flow that has a place in the wheel; false when out of memory. */
bool flow_table_end_early(struct flow_table *table, flow_ref ref, uint8_t reason);
/* End all with a reason of END_FORCED. */
void flow_table_flush(struct flow_table *table);
/* The oldest of the ended taken out of the list, its record still to be freed; 0 for none. */
flow_ref flow_table_pop_ended(struct flow_table *table);
/* A new flow of a key in the index and in the wheel, all else 0; 0 when out of memory. */
flow_ref flow_table_insert(struct flow_table *table, const struct flow_key *key, uint64_t hash,
                           bool v6);
/* A flow without what only has a meaning in its table. */
struct flow_copy flow_table_copy(const struct flow_table *table, flow_ref ref);
/* The flows in the index, or those that ended, or both, in the order of their first packets: an
 * array to be freed, NULL when out of memory. */
enum { LIST_LIVE = 1, LIST_ENDED = 2 };
flow_ref *flow_table_list(const struct flow_table *table, int which, size_t *count);

/* flowtablehash.c */
uint64_t flow_hash_words(const uint64_t seed[2], const uint64_t *words, size_t count);
uint64_t flow_hash(const uint64_t seed[2], const struct flow_key *key, bool v6);
/* Have the memory ready that a hash leads to. */
void flow_index_prefetch(const struct flow_index *index, uint64_t hash);
/* A flow whose key may have that hash, 0 for none: a guess, for prefetching. */
flow_ref flow_index_guess(const struct flow_index *index, uint64_t hash);
/* The flow of a key, 0 for none. */
flow_ref flow_index_find(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                         bool v6);
bool flow_key_equals(const struct flow *flow, const struct flow_key *key, bool v6);
/* Room for so many more; false when out of memory. */
bool flow_index_reserve(struct flow_table *table, uint64_t more);
/* Add a flow that is not there, after flow_index_reserve(). */
void flow_index_add(struct flow_index *index, uint64_t hash, flow_ref ref);
void flow_index_remove(struct flow_index *index, uint64_t hash, flow_ref ref);

/* flowtablepool.c */
/* Zeroed memory, aligned to cache lines, NULL when there is none; freed with its size. */
void *flow_memory_new(size_t size);
void flow_memory_free(void *memory, size_t size);
/* A zeroed record, 0 when out of memory. */
flow_ref flow_pool_new(struct flow_table *table, bool v6);
/* Room for so many more, of one version; false when out of memory. */
bool flow_pool_reserve(struct flow_table *table, bool v6, size_t more);
/* Free a record and its log. */
void flow_pool_free(struct flow_table *table, flow_ref ref);
void flow_pools_clear(struct flow_table *table);
void flow_log_append(struct flow_logs *logs, struct flow *flow, uint32_t seq_end, unsigned way,
                     bool counts);
void flow_log_read(const struct flow_logs *logs, const struct flow *flow, struct flow_log *out);
void flow_log_free(struct flow_logs *logs, struct flow *flow);
/* Have no larger logs than those of a table that is not made to be merged. */
void flow_logs_trim(struct flow_table *table);

/* A packet may be so late, in nanoseconds; where it is later, what came before it had wrong times,
 * or the clock was set: from there on its time counts. */
#define FLOW_LATE ((int64_t)60 * 1000000000)
/* flowtablepacket.c: read a packet; false where it belongs to no flow, and was counted as such, or
 * waits as a fragment.  Of the table it changes the clock, the counters and the fragments. */
bool flow_packet_read(struct flow_table *table, const uint8_t *data, uint32_t len,
                      const struct plt_layers *layers, const struct plt_meta *meta,
                      struct flow_packet *out);

/* flowtablefragment.c */
/* Where the transport of a fragment is told: remember a first fragment's ports and protocol, or
 * fill in those of a later one, which returns false where they are not known. */
void flow_fragment_first(struct flow_table *table, const struct fragment_key *key,
                         const struct natkit_key *packet);
bool flow_fragment_later(struct flow_table *table, const struct fragment_key *key,
                         struct natkit_key *packet);
bool flow_fragment_key(const uint8_t *data, uint32_t len, const struct plt_layers *layers,
                       struct fragment_key *key);
const struct fragment *flow_fragment_find(const struct flow_table *table,
                                          const struct fragment_key *key, int64_t clock);
/* Append one to the ring; false when out of memory. */
bool flow_fragment_add(struct flow_table *table, const struct fragment *fragment);
bool flow_orphan_add(struct flow_table *table, const struct fragment_key *key, int64_t clock);
/* Let a later fragment wait for its first one; false when out of memory. */
bool flow_fragment_hold(struct flow_table *table, const struct fragment_key *key,
                        const struct flow_packet *packet);
/* The next of the fragments that wait no longer, or of all; false when there is none.  To be asked
 * until there is none after each packet that is read. */
bool flow_fragment_next(struct flow_table *table, bool all, struct flow_packet *out);
/* Whether one came, no later than a fragment waits, after a fragment of that time. */
bool flow_fragment_followed(const struct flow_table *table, const struct fragment_key *key,
                            int64_t wait, int64_t clock);
/* Whether what later fragments of that protocol have counts as payload. */
static inline bool flow_fragment_carries(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP;
}
/* How long a later fragment waits for its first one. */
int64_t flow_fragment_wait(const struct flow_table *table);
/* Append one to those that wait, for which there is room and memory. */
void flow_held_add(struct flow_table *table, const struct held_fragment *held);
/* Have the memory for first fragments, for orphans and for those that wait; false when there is
 * none. */
bool flow_fragments_reserve(struct flow_fragments *fragments, bool first, bool orphans, bool held);
void flow_fragments_clear(struct flow_fragments *fragments);

/* flowtableupdate.c */
/* Count a packet in its flow. */
void flow_update(struct flow_table *table, struct flow *flow, const struct flow_packet *packet);
/* How far sequence numbers may be apart without a doubt which of them is first. */
#define FLOW_FAR ((uint32_t)1 << 28)
/* Whether the SYN of a packet is that of another connection than the flow's. */
bool flow_syn_is_new(const struct flow *flow, const struct flow_packet *packet);
/* An empty flow begins: its direction and what else its first packet tells. */
void flow_begin(const struct flow_table *table, struct flow *flow,
                const struct flow_packet *packet);
static inline bool flow_is_first_syn(const struct flow_packet *packet)
{
    return (packet->kind & PACKET_TCP) && (packet->tcp_flags & 0x16) == 0x02;
}

/* flowtableexpiry.c */
/* Set the timeouts of a new table, FLOW_NEVER for none. */
void flow_wheel_init(struct flow_table *table, int64_t idle, int64_t active);
bool flow_wheel_is_on(const struct flow_table *table);
void flow_wheel_add(struct flow_table *table, flow_ref ref);
/* End the flows whose time is up, but for those of the bucket that the clock is in. */
void flow_wheel_turn(struct flow_table *table, int64_t clock);
/* The same for all. */
void flow_wheel_settle(struct flow_table *table);
/* Whether the flow has the active timeout's room for packets of those times. */
bool flow_has_room(const struct flow_table *table, const struct flow *flow, int64_t first,
                   int64_t last);
/* The earliest and the latest time of both ways, FLOW_NO_TIME without one. */
int64_t flow_first(const struct flow *flow);
int64_t flow_last(const struct flow *flow);
/* Whether a flow's time is up. */
bool flow_is_over(const struct flow_table *table, const struct flow *flow, int64_t clock);
/* Why it ended, its time being up. */
uint8_t flow_end_reason(const struct flow_table *table, const struct flow *flow);
/* Nanoseconds, not past the ends of their type. */
int64_t flow_time_add(int64_t time, int64_t more);
int64_t flow_time_sub(int64_t time, int64_t less);
/* From a SYN's time to its answer's, -1 where 64 bits can't hold it. */
int64_t flow_handshake(int64_t answer, int64_t syn);

/* flowtablemerge.c */
/* How long a caller waits: asked again and again, until it says no. */
struct flow_patience {
    bool (*lasts)(void *context);
    void *context;
};

enum flow_merge_result { MERGE_EXACT, MERGE_INEXACT, MERGE_GIVEN_UP, MERGE_NO_MEMORY };

/* Add a later table's flows.  The result is not exact where reading on would have given another;
 * with `only_exact` nothing is done then, nor is it where it was given up or memory is short. */
enum flow_merge_result flow_table_merge(struct flow_table *table, const struct flow_table *other,
                                        bool only_exact, const struct flow_patience *patience);

#endif
