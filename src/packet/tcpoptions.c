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

const uint8_t *tcp_option_find(const struct plt_packet *packet, enum tcp_option kind, uint32_t size)
{
    uint32_t length = 0;
    if (!told_length(packet, &length))
        return NULL;
    for (uint32_t at = 0; at < length;) {
        const uint8_t *option = transport_bytes(packet, TCP_HEADER + at, 1);
        if (!option || *option == TCP_OPTION_END)
            return NULL;
        uint32_t takes = 1;
        if (*option != TCP_OPTION_NOTHING) {
            const uint8_t *told = transport_bytes(packet, TCP_HEADER + at + 1, 1);
            takes = told && length - at > 1 ? *told : 0;
            if (takes < 2 || takes > length - at)
                return NULL;
            if (*option == kind && takes == size + 2 &&
                transport_bytes(packet, TCP_HEADER + at, takes))
                return option + 2;
        }
        at += takes;
    }
    return NULL;
}
