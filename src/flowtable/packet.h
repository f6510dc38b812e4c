/* What of a packet matters to its flow. */
#ifndef PLT_FLOWTABLE_PACKET_H
#define PLT_FLOWTABLE_PACKET_H

#include "flow.h"
#include "segment.h"

#include "packet/protocols.h"

enum {
    PACKET_TCP = 1,     /* tcp_flags are known */
    PACKET_SEGMENT = 2, /* it takes sequence numbers, up to seq_end */
    PACKET_COUNTS = 4   /* as a retransmission, where it repeats others */
};

struct flow_packet {
    struct flow_key key;
    uint64_t hash; /* this and hint: set when it is counted */
    int64_t time;
    int64_t clock;   /* the table's: the latest time so far */
    uint64_t number; /* packets read before */
    uint64_t bytes;
    uint64_t tunnel; /* the word of what it came in */
    uint32_t ip_bytes;
    uint32_t payload_bytes;
    uint32_t seq_end;
    uint16_t tcp_flags;
    uint16_t vlan;
    uint8_t kind; /* PACKET_* */
    uint8_t way;
    bool v6;
    flow_ref hint;               /* where its flow may be, 0 for nowhere */
    struct flow *guess;          /* borrowed: what is there */
    struct flow_segment segment; /* with PACKET_TCP, in a table of TCP quality */
};

/* A SYN without ACK or RST: the first of a connection. */
static inline bool flow_packet_is_first_syn(const struct flow_packet *packet)
{
    return (packet->kind & PACKET_TCP) &&
           (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

#endif
