/* What of a TCP header matters to the quality of its connection, beside flags and lengths. */
#ifndef PLT_FLOWTABLE_SEGMENT_H
#define PLT_FLOWTABLE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct plt_transport;

/* What a SYN says, and what a header was found to have. */
enum {
    SEGMENT_READ = 1,         /* its 20 bytes were captured */
    SEGMENT_OPTIONS = 2,      /* and all options of a SYN; without this bit some may be missing */
    SEGMENT_MSS = 4,          /* RFC 9293 section 3.7.1 */
    SEGMENT_SCALE = 8,        /* RFC 7323 section 2.2 */
    SEGMENT_SACK_OK = 16,     /* RFC 2018 section 2 */
    SEGMENT_TIMESTAMPS = 32,  /* RFC 7323 section 3.2 */
    SEGMENT_DSACK = 64,       /* the first block is a D-SACK: RFC 2883 section 4 */
    SEGMENT_SYN_OPTIONS = 62, /* of a SYN */
    SEGMENT_ALL = 127
};

struct flow_segment {
    uint32_t seq;
    uint32_t ack;
    uint16_t window;
    uint16_t mss;
    uint8_t scale; /* 14 at the most */
    uint8_t found; /* SEGMENT_* */
    uint8_t sack_blocks;
    uint8_t unused;
};

/* Read a segment; all is 0 where its TCP header was cut. */
void flow_segment_read(const struct plt_transport *tcp, struct flow_segment *out);

/* Sequence numbers from one to another, negative where the other is before it. */
static inline int32_t seq_distance(uint32_t from, uint32_t to)
{
    uint32_t ahead = to - from;
    return ahead >> 31 ? -(int32_t)(UINT32_MAX - ahead) - 1 : (int32_t)ahead;
}

#endif
