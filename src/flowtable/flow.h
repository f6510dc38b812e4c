/* A flow: its key, what is counted of it each way, and what its TCP flags say of its state.
 *
 * A flow has two ends, an address and a port each, and two ways: way 0 from the lower end to the
 * higher one, way 1 back.  Which of them is forward is a mark; nothing else depends on it. */
#ifndef PLT_FLOWTABLE_FLOW_H
#define PLT_FLOWTABLE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- Keys ------------------------------------------------------------------------------------ */

/* A flow's five-tuple, the same for both ways.  IPv4: the lower end's address (32 bits), its port
 * (16), protocol (8) and 4 (8); the higher end's address (32) and port (16).  IPv6: the addresses
 * of 2 words each, then the lower port (16), the higher port (16), protocol (8) and 6 (8).  In a
 * table by VLAN the last word has its id in the upper 16 bits. */
struct flow_key {
    uint64_t words[5]; /* for IPv4 those after the second are 0 */
    uint64_t tunnel;   /* what a tunnel's word tells of all its flows, 0 outside tunnels */
};

enum { KEY_WORDS_4 = 2, KEY_WORDS_6 = 5 };

/* The tunnel that a flow is in, as a word: its id (32 bits), FLOW_TUNNEL_HAS_ID, and from
 * FLOW_TUNNEL_KIND on its kind (8 bits).  0 is no tunnel. */
#define FLOW_TUNNEL_HAS_ID ((uint64_t)1 << 32)
enum { FLOW_TUNNEL_KIND = 40 };

struct tunnel;

uint64_t flow_tunnel_word(const struct tunnel *tunnel);
/* Of a word what belongs to the key: without an id that each direction has its own of. */
uint64_t flow_tunnel_key(uint64_t word);
/* Whether a word can be a tunnel's, or 0. */
bool flow_tunnel_is_sound(uint64_t word);

/* One end of a flow: an IPv4 address is in the first word. */
struct flow_end {
    uint64_t address[2];
    uint16_t port;
};

/* From an address of 4 bytes, or 16 with v6, in network order; and the address as such bytes. */
struct flow_end flow_end_load(const uint8_t *address, bool v6, uint16_t port);
void flow_end_store(const struct flow_end *end, bool v6, uint8_t *address);

/* A five-tuple with a source and a destination. */
struct flow_tuple {
    struct flow_end src;
    struct flow_end dst;
    uint8_t proto;
    bool v6;
};

/* The key of two IPv4 ends, each an address and 16 bits of port; returns the way from the first. */
static inline unsigned flow_key_from_ends4(uint64_t from, uint64_t to, uint8_t proto,
                                           struct flow_key *key)
{
    uint64_t lower = from < to ? from : to;
    *key = (struct flow_key){.words = {lower << 16 | (uint64_t)proto << 8 | 4, from ^ to ^ lower}};
    return from > to;
}

/* The key of a five-tuple; returns the way from its source to its destination. */
unsigned flow_key_from_tuple(const struct flow_tuple *tuple, struct flow_key *key);
/* The five-tuple of a key, its source that of the way. */
struct flow_tuple flow_key_to_tuple(const struct flow_key *key, bool v6, unsigned way);

static inline unsigned flow_key_size(bool v6)
{
    return v6 ? KEY_WORDS_6 : KEY_WORDS_4;
}

/* The VLAN in the words of a key, or of a fragment's key: 0 in a table that is not by VLAN. */
static inline uint16_t flow_words_vlan(const uint64_t *words, bool v6)
{
    return (uint16_t)(words[flow_key_size(v6) - 1] >> 48);
}

static inline void flow_words_set_vlan(uint64_t *words, bool v6, uint16_t vlan)
{
    words[flow_key_size(v6) - 1] |= (uint64_t)vlan << 48;
}

/* --- Flows ----------------------------------------------------------------------------------- */

/* A time that is not known, or that nanoseconds in 64 bits can't hold. */
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
    EVENT_SEQ_FAR = 128   /* some were FLOW_FAR or more from the highest before, or a stray SYN's */
};

/* How far sequence numbers may be apart without a doubt which of them is first. */
#define FLOW_FAR ((uint32_t)1 << 28)

enum {
    MARK_LIVE = 1,         /* in the index */
    MARK_FWD_WAY = 2,      /* way 1 is forward */
    MARK_FIRST_SYN = 4,    /* the flow began with a SYN without ACK */
    MARK_LATER_SYN = 8,    /* such a SYN came later, and ended nothing */
    MARK_AGAIN = 16,       /* it took the place of a flow with the same key */
    MARK_LOG_SHORT_0 = 32, /* not all is in the log that it should hold of way 0 */
    MARK_LOG_SHORT_1 = 64,
    MARK_LOG_SHORT = 96,
    MARKS = 127,
    MARK_TUNNELS = 128 /* of a table that looks into tunnels: its slot's tail has a tunnel */
};

/* What the time in `handshake` is. */
enum { HANDSHAKE_NONE, HANDSHAKE_SYN, HANDSHAKE_RTT, HANDSHAKE_SYN_ACK, HANDSHAKE_COUNT };

/* RFC 5102 section 5.11.3, flowEndReason; 0 for a flow that goes on. */
enum { END_NONE, END_IDLE, END_ACTIVE, END_OF_FLOW, END_FORCED, END_COUNT };

/* A slot of a table's pool: its number, that of an IPv6 flow with FLOW_REF_6; 0 is none. */
typedef uint32_t flow_ref;

#define FLOW_REF_6 ((flow_ref)1 << 31)

static inline bool flow_ref_is_6(flow_ref ref)
{
    return ref >> 31;
}

/* The common part is between the ways, so that a packet's part is contiguous. */
struct flow {
    struct flow_way way0;
    uint64_t key[KEY_WORDS_4]; /* the first words of the flow_key */
    int64_t started;           /* the table's clock at its first and last packet */
    int64_t seen;
    uint64_t number; /* how many packets the table had read before the first */
    int64_t handshake;
    flow_ref next; /* in a bucket of the wheel, the list of the ended or that of free slots */
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

struct tcp_quality;
struct flow_statistics;
struct early_packet;

/* A flow taken out of its table: room for either version. */
struct flow_copy {
    struct flow6 of;
    bool v6;
    uint64_t tunnel; /* its word */
    /* borrowed from its table or owner; NULL for none */
    const struct tcp_quality *quality;
    const struct flow_statistics *statistics;
    const struct early_packet *early;
    size_t early_count;
};

static inline unsigned flow_size(bool v6)
{
    return v6 ? sizeof(struct flow6) : sizeof(struct flow);
}

/* What is in a slot after the flow, where a pool was made with it. */
struct flow_tail {
    uint32_t track; /* 0 for none */
    uint32_t unused;
    uint64_t tunnel; /* the word of its first packet's, with MARK_TUNNELS */
};

static inline struct flow_tail *flow_tail(struct flow *flow, bool v6)
{
    return (struct flow_tail *)(void *)((uint8_t *)flow + flow_size(v6));
}

/* The word of a flow's tunnel, 0 where it is in none; the flow is in its slot. */
static inline uint64_t flow_tunnel(const struct flow *flow, bool v6)
{
    if (!(flow->marks & MARK_TUNNELS))
        return 0;
    return ((const struct flow_tail *)(const void *)((const uint8_t *)flow + flow_size(v6)))
        ->tunnel;
}

/* 0 or 1 by arithmetic: which way packets go can't be foreseen, as a branch would have to be. */
static inline struct flow_way *flow_way(struct flow *flow, unsigned way)
{
    return (struct flow_way *)(void *)((uint8_t *)flow + way * offsetof(struct flow, way1));
}

static inline const struct flow_way *flow_way_of(const struct flow *flow, unsigned way)
{
    return (const struct flow_way *)(const void *)((const uint8_t *)flow +
                                                   way * offsetof(struct flow, way1));
}

/* The way that is forward. */
static inline unsigned flow_forward(const struct flow *flow)
{
    return (flow->marks & MARK_FWD_WAY) != 0;
}

/* A flow's key, and whether it is that one. */
struct flow_key flow_key_of(const struct flow *flow, bool v6);
static inline bool flow_has_key(const struct flow *flow, const struct flow_key *key, bool v6)
{
    uint64_t differ = (flow->key[0] ^ key->words[0]) | (flow->key[1] ^ key->words[1]);
    if (v6) {
        const uint64_t *rest = ((const struct flow6 *)flow)->rest;
        for (unsigned i = 0; i < KEY_WORDS_6 - KEY_WORDS_4; i++)
            differ |= rest[i] ^ key->words[KEY_WORDS_4 + i];
    }
    if (flow->marks & MARK_TUNNELS)
        differ |= flow_tunnel_key(flow_tunnel(flow, v6)) ^ key->tunnel;
    return differ == 0;
}
void flow_set_key(struct flow *flow, const struct flow_key *key, bool v6);
uint8_t flow_proto(const struct flow *flow, bool v6);

/* The earliest and the latest time of both ways, FLOW_NO_TIME without one. */
int64_t flow_first_time(const struct flow *flow);
int64_t flow_last_time(const struct flow *flow);

/* --- TCP ------------------------------------------------------------------------------------- */

/* TCP ended it: a RST, or a FIN each way. */
bool flow_is_closed(const struct flow *flow);
/* RFC 9293 section 3.3.2's name for what was seen of a TCP connection, NULL where nothing was. */
const char *flow_tcp_state(const struct flow *flow, bool v6);
/* From a SYN's time to its answer's, -1 where 64 bits can't hold it. */
int64_t flow_handshake_time(int64_t answer, int64_t syn);

#endif
