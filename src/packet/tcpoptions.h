/* The options of a TCP header (RFC 9293 section 3.2).  No Python here. */
#ifndef PLT_PACKET_TCPOPTIONS_H
#define PLT_PACKET_TCPOPTIONS_H

#include "packet.h"

#include <stdbool.h>

/* The kinds of options: IANA's registry of TCP parameters. */
enum tcp_option {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOTHING = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_SCALE = 3,
    TCP_OPTION_SACK_OK = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_TIMESTAMPS = 8
};

/* An option, and where its value is. */
struct tcp_option_place {
    uint8_t kind;
    uint32_t value; /* the offset of the value, and how many bytes it has */
    uint32_t size;
};

/* The option at *at of the options that end at `end`, and *at past it; false at the end of the
 * options or at a bad length. */
static inline bool tcp_option_next(const uint8_t *data, uint32_t *at, uint32_t end,
                                   struct tcp_option_place *out)
{
    while (*at < end && data[*at] == TCP_OPTION_NOTHING)
        ++*at;
    if (end - *at < 2 || data[*at] == TCP_OPTION_END)
        return false;
    uint32_t length = data[*at + 1];
    if (length < 2 || length > end - *at)
        return false;
    *out = (struct tcp_option_place){data[*at], *at + 2, length - 2};
    *at += length;
    return true;
}

/* How many of the bytes of options that a header tells were captured. */
uint32_t tcp_options_captured(const struct plt_packet *packet, uint32_t length);
/* The value of the first option of a kind that has a value of so many bytes, all of them captured;
 * NULL where there is none before the end of the options, or before one of a malformed length. */
const uint8_t *tcp_option_find(const struct plt_packet *packet, enum tcp_option kind,
                               uint32_t size);
/* Whether a header and all its options were captured. */
bool tcp_options_whole(const struct plt_packet *packet);

#endif
