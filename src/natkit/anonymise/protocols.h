/* What is done with a protocol, by its ethertype, IP protocol or port.  No Python here. */
#ifndef NATKIT_ANONYMISE_PROTOCOLS_H
#define NATKIT_ANONYMISE_PROTOCOLS_H

#include "inner.h"

struct natkit_protocol {
    uint16_t number;
    const char *name;
    natkit_layer *rewrite; /* NULL: it may hold addresses and is not looked through */
};

/* NULL where there is no such row. */
const struct natkit_protocol *natkit_protocol_of_ethertype(uint16_t ethertype);
const struct natkit_protocol *natkit_protocol_of_ip(uint8_t proto);
const struct natkit_protocol *natkit_protocol_of_udp(uint16_t port);
const struct natkit_protocol *natkit_protocol_of_tcp(uint16_t port);

#endif
