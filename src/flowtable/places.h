/* Where packets are in their flows: for who wants to know of each packet, and not of flows alone.
 *
 * Flows are numbered from 0 on in the order in which they begin.  Sequence numbers are relative to
 * the first of each way, as tshark has them: the SYN's is 0; where the SYN was not seen the first
 * segment's is 1, as is the first acknowledgement of a way of which nothing was seen. */
#ifndef PLT_FLOWTABLE_PLACES_H
#define PLT_FLOWTABLE_PLACES_H

#include "packet.h"

#include <stddef.h>

enum { PLACE_SEQ = 1, PLACE_ACK = 2 };

/* One packet's. */
struct flow_place {
    /* To be set before it is counted, of one with PACKET_TCP: as they are in the header. */
    uint32_t seq;
    uint32_t ack;
    /* Set when it is counted. */
    uint64_t flow; /* its number */
    uint32_t relative_seq;
    uint32_t relative_ack;
    bool back;     /* not in the direction that is forward */
    uint8_t known; /* PLACE_*: of the relative numbers */
};

/* What is remembered of a live flow. */
struct flow_beginning {
    uint64_t number;
    uint32_t base[2]; /* the sequence numbers, each way, that others are relative to */
    bool has_base[2];
};

struct flow_places {
    struct flow_beginning *beginnings[2]; /* owned: of IPv4 and IPv6, by the number of the slot */
    size_t room[2];
    uint64_t begun;          /* flows so far */
    struct flow_place *next; /* borrowed: of the packets that are fed next, or NULL */
};

void flow_places_clear(struct flow_places *places);
/* Room for the slots of a version up to a number; false when out of memory. */
bool flow_places_reserve(struct flow_places *places, bool v6, size_t slots);
/* A flow has moved to another slot, for which there is room. */
void flow_places_move(struct flow_places *places, flow_ref from, flow_ref to);
/* Note a packet that was counted in a flow, as the n-th of those that are fed. */
void flow_places_note(struct flow_places *places, flow_ref ref, const struct flow *flow,
                      const struct flow_packet *packet, size_t n);

#endif
