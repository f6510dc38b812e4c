/* A packet's five-tuple: what tells its flow from others.  No Python here. */
#ifndef PLT_PACKET_FIVETUPLE_H
#define PLT_PACKET_FIVETUPLE_H

#include "packet.h"

struct fivetuple {
    const uint8_t *addresses; /* in the packet: source, then destination, 4 or 16 bytes each */
    uint16_t src_port;        /* 0 both where there are none, or they were not captured */
    uint16_t dst_port;
    uint8_t proto; /* 0 for a later fragment of IPv4, as in python-libtrace's flow keys */
};

/* FIVETUPLE_NO_SRC and _NO_DST: the packet was cut before the end of that address. */
enum fivetuple_result { FIVETUPLE_OK, FIVETUPLE_NOT_IP, FIVETUPLE_NO_SRC, FIVETUPLE_NO_DST };

enum fivetuple_result packet_fivetuple(const struct plt_packet *packet, struct fivetuple *out);

#endif
