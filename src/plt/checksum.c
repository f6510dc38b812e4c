/* The Internet checksum (RFC 1071) of IPv4 headers, TCP, UDP, ICMP and ICMPv6. */
#include "checksum.h"

#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/values.h"

#include "frame.h"

#include "packet/ends.h"

/* The one's complement sum of bytes, not folded; a last odd byte counts as a high one. */
static uint64_t sum(const uint8_t *data, uint32_t len, uint64_t start)
{
    uint64_t total = start;
    for (; len > 1; len -= 2, data += 2)
        total += load_be16(data);
    return len ? total + ((uint32_t)data[0] << 8) : total;
}

static uint16_t fold(uint64_t total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

/* --- IPv4 ------------------------------------------------------------------------------------ */

/* The header's length in bytes, 0 where it is not IPv4, is malformed or cut. */
static uint32_t network_header(struct frame *frame)
{
    const struct plt_layers *layers = frame_layers(frame);
    return layers->version == 4 && layers->payload != PLT_ABSENT ? layers->payload - layers->layer3
                                                                 : 0;
}

enum checksum_state checksum_test_network(struct frame *frame)
{
    uint32_t length = network_header(frame);
    if (length == 0)
        return CHECKSUM_NONE;
    return fold(sum(frame->data + frame_layers(frame)->layer3, length, 0)) == 0xffff ? CHECKSUM_GOOD
                                                                                     : CHECKSUM_BAD;
}

bool checksum_set_network(struct frame *frame)
{
    uint32_t length = network_header(frame);
    if (length == 0)
        return false;
    uint8_t *header = frame->data + frame_layers(frame)->layer3;
    store_be16(header + 10, 0);
    store_be16(header + 10, (uint16_t)~fold(sum(header, length, 0)));
    return true;
}

/* --- Transport ------------------------------------------------------------------------------- */

/* What a transport checksum is computed over. */
struct coverage {
    uint8_t *data;
    uint32_t len;
    uint32_t field;  /* offset of the checksum */
    uint64_t pseudo; /* sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) */
};

static uint32_t checksum_field(uint8_t proto)
{
    switch (proto) {
    case PROTO_TCP:
        return 16;
    case PROTO_UDP:
        return 6;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        return 2;
    default:
        return 0;
    }
}

/* Where the IP packet ends by its length field; 0 where that is not known or was not captured.
 * ICMP's checksum has no pseudo-header, so a message by itself, made of bytes, ends with them. */
static uint32_t packet_end(const struct frame *frame, const struct plt_layers *layers)
{
    if (layers->version == 0)
        return layers->proto == PROTO_ICMP ? frame->len : 0;
    if (!layers->told_len || layers->ip_len > frame->len - layers->layer3)
        return 0;
    return layers->layer3 + layers->ip_len;
}

/* The pseudo-header's sum; false where a routing header of an unknown kind is in the way. */
static bool pseudo_header(const struct frame *frame, const struct plt_layers *layers, uint32_t len,
                          uint64_t *total)
{
    struct plt_packet packet = {.data = frame->data, .len = frame->len, .layers = layers};
    uint32_t size = layers->version == 4 ? 4 : 16;
    struct plt_ends ends;
    *total = 0;
    if (layers->proto == PROTO_ICMP)
        return true;
    if (!packet_ends(&packet, &ends))
        return false;
    *total = sum(frame->data + ends.src, size, (uint64_t)layers->proto + len);
    *total = sum(frame->data + ends.dst, size, *total);
    return true;
}

/* Whether a frame has a transport checksum and all that it covers was captured. */
static bool find_coverage(struct frame *frame, struct coverage *out)
{
    const struct plt_layers *layers = frame_layers(frame);
    uint32_t field = checksum_field(layers->proto);
    if (layers->transport == PLT_ABSENT || field == 0 || layers->more_fragments || layers->fragment)
        return false;
    if ((layers->version == 4 && layers->proto == PROTO_ICMP6) ||
        (layers->version == 6 && layers->proto == PROTO_ICMP))
        return false;
    uint32_t end = packet_end(frame, layers);
    if (end <= layers->transport || end - layers->transport < field + 2)
        return false;
    out->data = frame->data + layers->transport;
    out->len = end - layers->transport;
    out->field = field;
    if (layers->proto == PROTO_UDP) {
        uint32_t length = load_be16(out->data + 4);
        if (length == 0 && out->len > UINT16_MAX) /* a jumbogram: RFC 2675 section 4 */
            length = out->len;
        if (length < 8 || length > out->len)
            return false;
        out->len = length;
    }
    return pseudo_header(frame, layers, out->len, &out->pseudo);
}

enum checksum_state checksum_test_transport(struct frame *frame)
{
    struct coverage cover;
    if (!find_coverage(frame, &cover))
        return CHECKSUM_NONE;
    const struct plt_layers *layers = frame_layers(frame);
    if (layers->proto == PROTO_UDP && load_be16(cover.data + 6) == 0)
        return layers->version == 4 ? CHECKSUM_NONE : CHECKSUM_BAD;
    return fold(sum(cover.data, cover.len, cover.pseudo)) == 0xffff ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

bool checksum_set_transport(struct frame *frame)
{
    struct coverage cover;
    if (!find_coverage(frame, &cover))
        return false;
    store_be16(cover.data + cover.field, 0);
    uint16_t checksum = (uint16_t)~fold(sum(cover.data, cover.len, cover.pseudo));
    if (checksum == 0 && frame_layers(frame)->proto == PROTO_UDP)
        checksum = 0xffff; /* RFC 768: zero would mean none */
    store_be16(cover.data + cover.field, checksum);
    return true;
}
