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

/* What columns need of a block: each has what those before it have. */
enum block_need {
    BLOCK_METAS,   /* what sources state about packets */
    BLOCK_HEADERS, /* and where the headers are */
    BLOCK_PACKETS  /* and the packets with their layers */
};

struct packet_block {
    size_t count;
    struct plt_packet packets[PACKETS_OF_BLOCK]; /* of BLOCK_PACKETS */
    const struct plt_meta *metas[PACKETS_OF_BLOCK];
    /* The rest is of BLOCK_HEADERS. */
    struct block_headers ip;
    struct block_headers transport; /* no further than the IP packet: then comes padding */
    uint32_t least_ip;              /* the least room of the packets' IP headers */
    uint32_t least_transport;
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

/* Begin with an empty block, which block_take_packet() then adds packets to. */
static inline void block_begin(struct packet_block *block)
{
    block->count = 0;
    block->least_ip = UINT32_MAX;
    block->least_transport = UINT32_MAX;
}

/* Add a packet whose layers are known: where its headers are. */
static inline void block_take_packet(struct packet_block *block, const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, const struct plt_meta *meta)
{
    size_t i = block->count++;
    uint32_t end = layers->ip_end < len ? layers->ip_end : len;
    bool has_ip = layers->version != 0;
    bool has_transport = layers->transport <= end;
    uint32_t ip_room = has_ip ? len - layers->layer3 : 0;
    uint32_t transport_room = has_transport ? end - layers->transport : 0;
    block->metas[i] = meta;
    block->ip.at[i] = data + (has_ip ? layers->layer3 : 0);
    block->ip.room[i] = ip_room;
    block->transport.at[i] = data + (has_transport ? layers->transport : 0);
    block->transport.room[i] = transport_room;
    block->least_ip = ip_room < block->least_ip ? ip_room : block->least_ip;
    if (transport_room < block->least_transport)
        block->least_transport = transport_room;
    block->version[i] = layers->version;
    block->proto[i] = layers->proto;
}

/* BLOCK_HEADERS of a block that has its packets, whose layers are known. */
void block_find_headers(struct packet_block *block);

/* Bytes, or zeroes.  Compilers are told that neither is more likely, or they make a branch of it.
 */
static inline const uint8_t *block_choose(const uint8_t *bytes, bool present)
{
    return __builtin_expect_with_probability(present, 1, 0.5) ? bytes : block_zeroes;
}

#endif
