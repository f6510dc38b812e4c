/* A TCP header and its options read for the quality of its connection. */
#include "segment.h"

#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/tcpoptions.h"
#include "packet/values.h"

/* RFC 7323 section 2.3: a larger one counts as this. */
enum { MOST_SCALE = 14 };

/* Whether the first of the blocks repeats what was received before: it is below the ACK, or within
 * the second block. */
static bool is_dsack(const uint8_t *blocks, unsigned count, uint32_t ack)
{
    uint32_t left = load_be32(blocks), right = load_be32(blocks + 4);
    if (seq_distance(right, ack) >= 0)
        return true;
    return count > 1 && seq_distance(load_be32(blocks + 8), left) >= 0 &&
           seq_distance(right, load_be32(blocks + 12)) >= 0;
}

static void read_option(uint8_t kind, const uint8_t *value, uint32_t size, bool syn,
                        struct flow_segment *out)
{
    switch (kind) {
    case TCP_OPTION_MSS:
        if (syn && size == 2) {
            out->mss = load_be16(value);
            out->found |= SEGMENT_MSS;
        }
        break;
    case TCP_OPTION_SCALE:
        if (syn && size == 1) {
            out->scale = *value < MOST_SCALE ? *value : MOST_SCALE;
            out->found |= SEGMENT_SCALE;
        }
        break;
    case TCP_OPTION_SACK_OK:
        if (syn && size == 0)
            out->found |= SEGMENT_SACK_OK;
        break;
    case TCP_OPTION_TIMESTAMPS:
        if (syn && size == 8)
            out->found |= SEGMENT_TIMESTAMPS;
        break;
    case TCP_OPTION_SACK:
        if (size >= 8 && size % 8 == 0) {
            out->sack_blocks = (uint8_t)(size / 8);
            if (is_dsack(value, out->sack_blocks, out->ack))
                out->found |= SEGMENT_DSACK;
        }
        break;
    default:
        break;
    }
}

/* The options, `length` bytes by the header; no more than those that were captured. */
static void read_options(const struct plt_transport *tcp, uint32_t length, bool syn,
                         struct flow_segment *out)
{
    /* what RFC 7323 appendix A recommends for segments that have timestamps alone */
    static const uint32_t aligned_timestamps = 0x0101080a, aligned_length = 12;
    const uint8_t *options = tcp->bytes + TCP_HEADER;
    uint32_t captured = tcp->captured - TCP_HEADER;
    if (captured > length)
        captured = length;
    if (!syn && captured == aligned_length && load_be32(options) == aligned_timestamps)
        return;
    struct tcp_option_place option;
    for (uint32_t at = 0; tcp_option_next(options, &at, captured, &option);)
        read_option(option.kind, options + option.value, option.size, syn, out);
    if (syn && captured == length)
        out->found |= SEGMENT_OPTIONS;
}

void flow_segment_read(const struct plt_transport *tcp, struct flow_segment *out)
{
    const uint8_t *header = tcp->bytes;
    *out = (struct flow_segment){0};
    if (tcp->captured < TCP_HEADER || header[12] >> 4 < TCP_HEADER / 4)
        return;
    out->found = SEGMENT_READ;
    out->seq = load_be32(header + 4);
    out->ack = load_be32(header + 8);
    out->window = load_be16(header + 14);
    uint32_t length = (header[12] >> 4) * 4U - TCP_HEADER;
    bool syn = load_be16(header + 12) & TCP_SYN;
    if (length > 0 || syn)
        read_options(tcp, length, syn, out);
}
