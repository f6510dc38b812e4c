/* The first packets of a flow, in the order in which they were counted. */
#ifndef PLT_FLOWTABLE_EARLY_H
#define PLT_FLOWTABLE_EARLY_H

#include "packet.h"

#include <stddef.h>

/* How many there may be of a flow. */
enum { MOST_EARLY = 1024 };

struct early_packet {
    int64_t time;  /* FLOW_NO_TIME if unknown */
    uint32_t size; /* of the IP packet, by its header */
    uint32_t way;
};

/* How many a flow has, of so many that are wanted: as many as it has packets. */
static inline size_t early_count(const struct flow *flow, size_t most)
{
    uint64_t packets = flow->way0.packets + flow->way1.packets;
    return packets < most ? (size_t)packets : most;
}

/* Write down the next packet of a flow, before it is counted there. */
static inline void early_add(struct early_packet *all, size_t most, const struct flow *flow,
                             const struct flow_packet *packet)
{
    size_t count = early_count(flow, most);
    if (count < most)
        all[count] = (struct early_packet){packet->time, packet->ip_bytes, packet->way};
}

/* Append the first packets of a later part, before that is joined. */
void early_join(struct early_packet *all, size_t most, const struct flow *flow,
                const struct early_packet *later, const struct flow *later_flow);
/* The time from each packet to the next, of which the first is 0: from the packet before that has a
 * time, 0 where none has, FLOW_NO_TIME for a packet without. */
void early_gaps(const struct early_packet *all, size_t count, int64_t *gaps);
/* Whether bytes that are not trusted are such packets. */
bool early_is_sound(const struct early_packet *all, size_t count);

#endif
