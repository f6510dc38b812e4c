/* A block of packets: where their headers are is found once for all columns, each of which then
 * takes its values in a loop of its own.  No Python here. */
#ifndef PLT_PACKET_BLOCK_H
#define PLT_PACKET_BLOCK_H

#include "packet.h"

/* Few enough that what is known of them stays in the processor's nearest cache. */
enum { PACKETS_OF_BLOCK = 64 };

/* Headers of the packets of a block, and how many bytes of them and of what follows were captured:
 * 0 where a packet has none. */
struct block_headers {
    const uint8_t *at[PACKETS_OF_BLOCK];
    uint32_t room[PACKETS_OF_BLOCK];
};

/* Records that are all valid until more is read, and room for their layers. */
struct record_block {
    size_t count;
    struct plt_record records[PACKETS_OF_BLOCK];
    struct plt_layers layers[PACKETS_OF_BLOCK]; /* found where a record points to its own */
};

struct packet_block {
    size_t count;
    struct plt_packet packets[PACKETS_OF_BLOCK];
    /* The rest is set by block_find_headers(). */
    struct block_headers ip;
    struct block_headers transport; /* no further than the IP packet: then comes padding */
    uint8_t version[PACKETS_OF_BLOCK];
    uint8_t proto[PACKETS_OF_BLOCK];
};

/* What a column takes from a block: its values, 0 where there is none, which is where absent is 1;
 * of addresses, their versions: 4, 6 or 0. */
struct block_values {
    uint64_t values[PACKETS_OF_BLOCK];
    uint8_t absent[PACKETS_OF_BLOCK];
};
struct block_versions {
    uint8_t versions[PACKETS_OF_BLOCK];
    uint8_t absent[PACKETS_OF_BLOCK];
};

/* Read in the place of what a packet lacks: a choice of addresses costs less than a branch that is
 * hard to foresee. */
extern const uint8_t block_zeroes[16];

/* Of packets whose layers are known. */
void block_find_headers(struct packet_block *block);

/* Bytes, or zeroes.  Compilers are told that neither is more likely, or they make a branch of it.
 */
static inline const uint8_t *block_choose(const uint8_t *bytes, bool present)
{
    return __builtin_expect_with_probability(present, 1, 0.5) ? bytes : block_zeroes;
}

#endif
