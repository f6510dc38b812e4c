/* Fragments: the first one of a packet has the ports, the later ones get them from here.
 *
 * The last FRAGMENTS first fragments are remembered, for as long as RFC 8200 section 4.5 lets a
 * packet take to be put together.  Later ones that come before their first wait for it as long, or
 * as a timeout where that is shorter: no more than HELD of them, the oldest of which gives way.
 * When it has come they are counted in its flow, else in one without ports. */
#ifndef PLT_FLOWTABLE_FRAGMENTS_H
#define PLT_FLOWTABLE_FRAGMENTS_H

#include "flow.h"
#include "packet.h"

#include "packet/packet.h"
#include "packet/protocols.h"

#include <stddef.h>

/* What the fragments of a packet have in common.  IPv4: the addresses; identification, protocol and
 * 4.  IPv6: the addresses of 2 words each; identification and 6.  In a table by VLAN its id is in
 * the same bits as in a flow_key. */
struct fragment_key {
    uint64_t words[5];
    uint64_t tunnel; /* as that of a flow_key */
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
    uint64_t older;  /* as that of a first fragment */
    uint64_t tunnel; /* its word */
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
    uint64_t seed[2];
    int64_t wait;               /* nanoseconds that a later one waits for its first */
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

void flow_fragments_init(struct flow_fragments *fragments, const uint64_t seed[2]);
void flow_fragments_clear(struct flow_fragments *fragments);
/* Let later ones wait no longer than a timeout. */
void flow_fragments_set_wait(struct flow_fragments *fragments, int64_t timeout);
/* The memory that they have, in bytes. */
size_t flow_fragments_size(const struct flow_fragments *fragments);
/* Have the memory for first fragments, for orphans and for those that wait; false when there is
 * none. */
bool flow_fragments_reserve(struct flow_fragments *fragments, bool first, bool orphans, bool held);

/* The key of a fragment; false where too little was captured. */
bool fragment_key_of(const struct plt_packet *packet, struct fragment_key *key);
/* Whether what later fragments of that protocol have counts as payload. */
static inline bool fragment_has_payload(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP;
}

/* Remember a first fragment; false when out of memory.  The second lets those that wait for it be
 * counted next, and then the first is the last that was added. */
bool flow_fragments_add(struct flow_fragments *fragments, const struct fragment *fragment);
void flow_fragments_claim(struct flow_fragments *fragments, const struct fragment *fragment);
/* The first fragment of a later one that came at that time; NULL where it is not known. */
const struct fragment *flow_fragments_find(const struct flow_fragments *fragments,
                                           const struct fragment_key *key, int64_t clock);
/* Whether one came, no later than `wait`, after a fragment of that time. */
bool flow_fragments_followed(const struct flow_fragments *fragments, const struct fragment_key *key,
                             int64_t wait, int64_t clock);

/* How many places are taken by those that wait, some of which may have been counted since. */
static inline uint64_t flow_fragments_held(const struct flow_fragments *fragments)
{
    return fragments->held_end - fragments->held_first;
}
/* Let a later fragment wait for its first one; false when out of memory. */
bool flow_fragments_hold(struct flow_fragments *fragments, const struct fragment_key *key,
                         const struct flow_packet *packet);
/* Append one to those that wait, for which there is room and memory. */
void flow_fragments_add_held(struct flow_fragments *fragments, const struct held_fragment *held);
/* The next of the fragments that wait no longer at that time, or of all; false when there is none.
 */
bool flow_fragments_next(struct flow_fragments *fragments, int64_t clock, bool all,
                         struct flow_packet *out);

/* Note a later fragment whose first is not known: an earlier table may know it.  False when out of
 * memory.  begin is the time of the table's first packet. */
bool flow_fragments_add_orphan(struct flow_fragments *fragments, const struct fragment_key *key,
                               int64_t clock, int64_t begin);

#endif
