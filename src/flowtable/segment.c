/* A TCP header and its options read for the quality of its connection. */
#include "segment.h"

#include "packet/bytes.h"
#include "packet/protocols.h"
#include "packet/values.h"

/* The kinds of options: IANA's registry of TCP parameters. */
enum {
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    OPTION_SACK_OK = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8
};

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

static void read_option(const uint8_t *option, unsigned length, bool syn, struct flow_segment *out)
{
    switch (option[0]) {
    case OPTION_MSS:
        if (syn && length == 4) {
            out->mss = load_be16(option + 2);
            out->found |= SEGMENT_MSS;
        }
        break;
    case OPTION_SCALE:
        if (syn && length == 3) {
            out->scale = option[2] < MOST_SCALE ? option[2] : MOST_SCALE;
            out->found |= SEGMENT_SCALE;
        }
        break;
    case OPTION_SACK_OK:
        if (syn && length == 2)
            out->found |= SEGMENT_SACK_OK;
        break;
    case OPTION_TIMESTAMPS:
        if (syn && length == 10)
            out->found |= SEGMENT_TIMESTAMPS;
        break;
    case OPTION_SACK:
        if (length >= 10 && length % 8 == 2) {
            out->sack_blocks = (uint8_t)(length / 8);
            if (is_dsack(option + 2, out->sack_blocks, out->ack))
                out->found |= SEGMENT_DSACK;
        }
        break;
    default:
        break;
    }
}

/* The options that were captured, of which a malformed one ends them. */
static void read_options(const uint8_t *options, unsigned length, bool syn,
                         struct flow_segment *out)
{
    for (unsigned at = 0; at < length && options[at] != OPTION_END;) {
        unsigned takes = 1;
        if (options[at] != OPTION_NOTHING) {
            takes = length - at > 1 ? options[at + 1] : 0;
            if (takes < 2 || takes > length - at)
                return;
            read_option(options + at, takes, syn, out);
        }
        at += takes;
    }
}

/* How much of the options was captured. */
static unsigned captured_options(const struct plt_packet *packet, unsigned length)
{
    while (length > 0 && !transport_bytes(packet, TCP_HEADER, length))
        length--;
    return length;
}

void flow_segment_read(const struct plt_packet *packet, struct flow_segment *out)
{
    const uint8_t *header = transport_bytes(packet, 0, TCP_HEADER);
    *out = (struct flow_segment){0};
    if (!header || header[12] >> 4 < TCP_HEADER / 4)
        return;
    out->found = SEGMENT_READ;
    out->seq = load_be32(header + 4);
    out->ack = load_be32(header + 8);
    out->window = load_be16(header + 14);
    unsigned length = (header[12] >> 4) * 4U - TCP_HEADER;
    unsigned captured = captured_options(packet, length);
    bool syn = load_be16(header + 12) & TCP_SYN;
    read_options(header + TCP_HEADER, captured, syn, out);
    if (syn && captured == length)
        out->found |= SEGMENT_OPTIONS;
}
