/* How large the packets of a flow are and how far apart, and which TCP flags they have: sums of
 * integers, which join without a loss. */
#ifndef PLT_FLOWTABLE_STATISTICS_H
#define PLT_FLOWTABLE_STATISTICS_H

#include "packet.h"

#include "common/prefetch.h"

/* Times between packets, one after another: nanoseconds, below 0 where time went back. */
struct flow_gaps {
    int64_t last_time; /* of the packets; FLOW_NO_TIME for none */
    int64_t min;       /* more than the most where there are none */
    int64_t max;
    uint64_t squares[2]; /* the sum of their squares, its lower half first; all ones: too large */
};

enum { FLOW_FLAGS = 8 };

/* Two cache lines; of TCP a packet needs the second where it is no mere ACK, others never. */
struct flow_way_statistics {
    struct flow_gaps gaps;
    uint64_t size_squares; /* the lower 64 bits of 96; all ones: too large */
    uint32_t size_squares_high;
    uint32_t untimed;  /* packets without a time, up to UINT32_MAX */
    uint32_t size_min; /* of IP packets; more than the most where there are none */
    uint32_t size_max;
    uint64_t flags[FLOW_FLAGS]; /* of TCP: packets that have each, FIN first, but not ACK */
};

struct flow_statistics {
    struct flow_way_statistics ways[2];
    struct flow_gaps gaps; /* of both ways */
    int64_t first_time;    /* of the first packet that has one, both ways; FLOW_NO_TIME for none */
    int64_t first_times[2];
};

_Static_assert(sizeof(struct flow_way_statistics) == 128 && sizeof(struct flow_statistics) == 320,
               "statistics are not aligned to cache lines");

/* What of a packet is counted in a way's flags, a bit each: most segments are mere ACKs, and so
 * those that have none are counted in its place. */
static inline unsigned flow_statistics_flags(const struct flow_packet *packet)
{
    if (packet->kind & PACKET_TCP)
        return (packet->tcp_flags & 0xff) ^ TCP_ACK;
    uint64_t word = packet->key.words[packet->v6 ? KEY_WORDS_6 - 1 : 0];
    return (uint8_t)(word >> 8) == PROTO_TCP ? TCP_ACK : 0;
}

/* Have the memory ready that a packet needs. */
static inline void flow_statistics_prefetch(const struct flow_statistics *statistics,
                                            const struct flow_packet *packet)
{
    prefetch(&statistics->ways[packet->way]);
    if (flow_statistics_flags(packet))
        prefetch(statistics->ways[packet->way].flags);
    prefetch(&statistics->gaps);
}

/* Statistics of no packet. */
void flow_statistics_begin(struct flow_statistics *statistics);
void flow_statistics_count(struct flow_statistics *statistics, const struct flow_packet *packet);
/* Add a later part. */
void flow_statistics_join(struct flow_statistics *statistics, const struct flow_statistics *later);
/* Whether bytes that are not trusted are the statistics of a flow. */
bool flow_statistics_is_sound(const struct flow_statistics *statistics, const struct flow *flow);

/* Ways of which something is told: a bit each. */
enum { WAY_0 = 1, WAY_1 = 2, WAYS = 3 };

struct flow_range {
    uint32_t min;
    uint32_t max;
};

/* The sizes of some ways; false without a packet.  The standard deviation is that of a sample,
 * false with fewer than two packets, or where squares were too large. */
bool flow_size_range(const struct flow_statistics *statistics, unsigned ways,
                     struct flow_range *range);
bool flow_size_mean(const struct flow *flow, unsigned ways, double *mean);
bool flow_size_deviation(const struct flow_statistics *statistics, const struct flow *flow,
                         unsigned ways, double *deviation);
/* The same of gaps: false without one, and where 64 bits don't hold it.  The mean is in whole
 * nanoseconds, towards 0. */
bool flow_gap_range(const struct flow_statistics *statistics, unsigned ways, int64_t *min,
                    int64_t *max);
bool flow_gap_mean(const struct flow_statistics *statistics, const struct flow *flow, unsigned ways,
                   int64_t *mean);
bool flow_gap_deviation(const struct flow_statistics *statistics, const struct flow *flow,
                        unsigned ways, int64_t *deviation);
/* Packets of some ways of TCP that have a flag, by its bit's number. */
uint64_t flow_flag_packets(const struct flow_statistics *statistics, const struct flow *flow,
                           unsigned ways, unsigned flag);

#endif
