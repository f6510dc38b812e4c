/* What is remembered from packet to packet: queries and TCP streams.  No Python here. */
#ifndef PLDNS_MEMORY_H
#define PLDNS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ends of a packet, as bytes to be compared. */
struct pldns_ends {
    uint8_t version; /* of IP */
    uint8_t proto;
    uint16_t id; /* of a message, 0 for a TCP stream */
    uint16_t src_port;
    uint16_t dst_port;
    uint8_t src[16];
    uint8_t dst[16];
};

/* Where one direction of a TCP connection stands. */
struct pldns_stream {
    uint32_t next;    /* sequence number expected */
    uint16_t skip;    /* bytes of a message that are yet to come, and not looked at */
    uint16_t length;  /* of the message that comes next, as far as `held` bytes of it are there */
    uint8_t held;     /* bytes there of its length prefix */
    bool synchronous; /* it is known where messages begin */
};

struct pldns_entry {
    struct pldns_ends ends;
    uint64_t hash; /* of the ends */
    int64_t time;
    uint64_t question; /* of a query: a digest, 0 without a question */
    struct pldns_stream stream;
    uint32_t chained; /* the next older with the same hash */
    uint32_t older;
    uint32_t newer;
};

/* Entries by the ends of their packets and by age.  Full, it forgets the oldest. */
struct pldns_memory {
    struct pldns_entry *entries; /* owned; those from `used` on were never used */
    uint32_t *buckets;           /* owned; as many as entries */
    uint32_t room;               /* a power of 2 */
    uint32_t most;               /* room there can ever be */
    uint32_t used;
    uint32_t free; /* first of those given back, chained */
    uint32_t oldest;
    uint32_t newest;
    uint64_t seed[2];
};

#define PLDNS_NONE UINT32_MAX

void pldns_memory_clear(struct pldns_memory *memory);
/* The hash of ends, for the two functions that take it. */
uint64_t pldns_memory_hash(const struct pldns_memory *memory, const struct pldns_ends *ends);
/* The newest entry of the ends, NULL without. */
struct pldns_entry *pldns_memory_find(struct pldns_memory *memory, const struct pldns_ends *ends,
                                      uint64_t hash);
/* The next older one of the same ends, NULL without. */
struct pldns_entry *pldns_memory_older(struct pldns_memory *memory,
                                       const struct pldns_entry *entry);
/* A new entry, the newest; NULL when out of memory. */
struct pldns_entry *pldns_memory_add(struct pldns_memory *memory, const struct pldns_ends *ends,
                                     uint64_t hash, int64_t time);
void pldns_memory_remove(struct pldns_memory *memory, struct pldns_entry *entry);
/* Make an entry the newest. */
void pldns_memory_touch(struct pldns_memory *memory, struct pldns_entry *entry);
#endif
