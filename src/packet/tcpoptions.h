/* The options of a TCP header (RFC 9293 section 3.2).  No Python here. */
#ifndef PLT_PACKET_TCPOPTIONS_H
#define PLT_PACKET_TCPOPTIONS_H

#include "packet.h"

/* The kinds of options: IANA's registry of TCP parameters. */
enum tcp_option {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOTHING = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_SCALE = 3,
    TCP_OPTION_SACK_OK = 4,
    TCP_OPTION_TIMESTAMPS = 8
};

/* The value of the first option of a kind that has a value of so many bytes, all of them captured;
 * NULL where there is none before the end of the options, or before one of a malformed length. */
const uint8_t *tcp_option_find(const struct plt_packet *packet, enum tcp_option kind,
                               uint32_t size);
/* Whether a header and all its options were captured. */
bool tcp_options_whole(const struct plt_packet *packet);

#endif
