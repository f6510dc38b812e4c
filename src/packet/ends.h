/* The two addresses that a transport's checksum covers: not always those of the IP header.  No
 * Python here. */
#ifndef PLT_PACKET_ENDS_H
#define PLT_PACKET_ENDS_H

#include "packet.h"

/* Where the addresses of the pseudo-header are, over which a transport's checksum is computed. */
struct plt_ends {
    uint32_t src;
    uint32_t dst;
};

/* A home address (RFC 6275) stands for the source, and the end of a source route for the
 * destination.  False where not all of the IP header and its extension headers was captured, and
 * where a routing header of an unknown kind has segments left. */
bool packet_ends(const struct plt_packet *packet, struct plt_ends *out);

#endif
