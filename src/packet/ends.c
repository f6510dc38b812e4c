/* The source and destination of a packet's transport, by IP options and extension headers. */
#include "ends.h"

#include "bytes.h"
#include "protocols.h"

enum { LOOSE_ROUTE = 131, STRICT_ROUTE = 137, HOME_ADDRESS = 0xc9 };

/* RFC 1122 section 3.2.1.8: until a source route is used up, its end is the final destination. */
static void find_ends4(const struct plt_packet *packet, uint32_t end, struct plt_ends *out)
{
    const uint8_t *data = packet->data;
    uint32_t at = packet->layers->layer3 + IP_HEADER;
    while (at < end && data[at] != 0) {
        if (data[at] == 1) { /* no operation */
            at++;
            continue;
        }
        if (end - at < 3 || data[at + 1] < 2 || data[at + 1] > end - at)
            return;
        uint32_t size = data[at + 1];
        if ((data[at] == LOOSE_ROUTE || data[at] == STRICT_ROUTE) && size >= 7 &&
            data[at + 2] <= size)
            out->dst = at + 3 + (size - 3) / 4 * 4 - 4;
        at += size;
    }
}

/* RFC 6275 section 11.3.1: the source is the home address. */
static void find_home_address(const uint8_t *data, uint32_t at, uint32_t end, struct plt_ends *out)
{
    for (at += 2; at < end && end - at >= 2;) {
        if (data[at] == 0) { /* Pad1 */
            at++;
            continue;
        }
        if (data[at] == HOME_ADDRESS && data[at + 1] == 16 && end - at >= 18)
            out->src = at + 2;
        at += 2U + data[at + 1];
    }
}

/* RFC 8200 section 8.1: the last of the addresses, of which segments are left. */
static bool find_last_segment(const uint8_t *data, uint32_t at, struct plt_ends *out)
{
    uint32_t addresses = data[at + 1] / 2U;
    if (data[at + 3] == 0)
        return true;
    if (addresses == 0)
        return false;
    switch (data[at + 2]) {
    case 0: /* RFC 5095 */
    case 2: /* RFC 6275 */
        out->dst = at + 8 + 16 * (addresses - 1);
        return true;
    case 4: /* RFC 8754: in reverse order */
        out->dst = at + 8;
        return true;
    default:
        return false;
    }
}

/* The headers' lengths are read again: the bytes may have changed since they were decoded. */
static bool find_ends6(const struct plt_packet *packet, uint32_t end, struct plt_ends *out)
{
    const uint8_t *data = packet->data;
    uint8_t next = data[packet->layers->layer3 + 6];
    uint32_t at = packet->layers->layer3 + IP6_HEADER;
    while (at < end && end - at >= 8) {
        uint32_t size = (data[at + 1] + 1U) * 8;
        if (next == PROTO_FRAGMENT)
            size = 8;
        else if (next == PROTO_AH)
            size = (data[at + 1] + 2U) * 4;
        if (size > end - at)
            return false;
        if (next == PROTO_DESTINATION_OPTIONS)
            find_home_address(data, at, at + size, out);
        else if (next == PROTO_ROUTING && !find_last_segment(data, at, out))
            return false;
        next = data[at];
        at += size;
    }
    return at == end;
}

bool packet_ends(const struct plt_packet *packet, struct plt_ends *out)
{
    const struct plt_layers *layers = packet->layers;
    uint32_t header = layers->version == 4 ? IP_HEADER : IP6_HEADER;
    uint32_t end = layers->payload;
    if (layers->version == 0 || end == PLT_ABSENT || end > packet->len ||
        end < layers->layer3 + header)
        return false;
    if (layers->version == 4) {
        *out = (struct plt_ends){.src = layers->layer3 + 12, .dst = layers->layer3 + 16};
        find_ends4(packet, end, out);
        return true;
    }
    *out = (struct plt_ends){.src = layers->layer3 + 8, .dst = layers->layer3 + 24};
    return find_ends6(packet, end, out);
}
