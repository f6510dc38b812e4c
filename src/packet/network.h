/* Layer 3: where an IP packet ends, and where its transport begins.  No Python here. */
#ifndef PLT_PACKET_NETWORK_H
#define PLT_PACKET_NETWORK_H

#include "packet.h"

/* wire is how many bytes were on the wire, without a frame check sequence. */
#define WIRE_UNKNOWN UINT64_MAX
/* The layers from layer 3 on, which is known with its ethertype. */
void plt_decode_network(const uint8_t *data, uint32_t len, uint64_t wire, struct plt_layers *out);
/* The same, where layer 3 is taken for IP of a version whatever its first bits are. */
void plt_decode_ip(const uint8_t *data, uint32_t len, int version, uint64_t wire,
                   struct plt_layers *out);

#endif
