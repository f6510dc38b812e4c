/* The options of a TCP header, looked through for one. */
#include "tcpoptions.h"

#include "protocols.h"
#include "values.h"

/* The length of the options by the header; false where that was cut or is malformed. */
static bool told_length(const struct plt_packet *packet, uint32_t *length)
{
    const uint8_t *header = transport_bytes(packet, 0, TCP_HEADER);
    if (!header || header[12] >> 4 < TCP_HEADER / 4)
        return false;
    *length = (header[12] >> 4) * 4U - TCP_HEADER;
    return true;
}

bool tcp_options_whole(const struct plt_packet *packet)
{
    uint32_t length = 0;
    return told_length(packet, &length) && transport_bytes(packet, TCP_HEADER, length);
}

uint32_t tcp_options_captured(const struct plt_packet *packet, uint32_t length)
{
    while (length > 0 && !transport_bytes(packet, TCP_HEADER, length))
        length--;
    return length;
}

const uint8_t *tcp_option_find(const struct plt_packet *packet, enum tcp_option kind, uint32_t size)
{
    uint32_t length = 0;
    if (!told_length(packet, &length))
        return NULL;
    length = tcp_options_captured(packet, length);
    const uint8_t *options = transport_bytes(packet, TCP_HEADER, length);
    struct tcp_option_place option;
    for (uint32_t at = 0; options && tcp_option_next(options, &at, length, &option);)
        if (option.kind == kind && option.size == size)
            return options + option.value;
    return NULL;
}
