/* SCTP (RFC 9260): addresses in its chunks, and its CRC32c. */
#include "sctp.h"

#include "checksum.h"
#include "packet/bytes.h"

/* CRC32c of bytes, or of so many zeros where data is NULL, without the inversions at start and end:
 * so it is linear. */
static uint32_t crc(uint32_t state, const uint8_t *data, uint32_t len)
{
    static const uint32_t of_half[] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    for (uint32_t i = 0; i < len; i++) {
        state ^= data ? data[i] : 0;
        state = state >> 4 ^ of_half[state & 15];
        state = state >> 4 ^ of_half[state & 15];
    }
    return state;
}

/* Whether a parameter is known to hold no address. */
static bool is_quiet_parameter(uint16_t type)
{
    switch (type) {
    case 9:      /* cookie preservative */
    case 12:     /* supported address types */
    case 0x8000: /* explicit congestion notification, RFC 4960 appendix A */
    case 0x8001: /* zero checksum, RFC 9653 */
    case 0x8002: /* random number, chunks and digests of authentication, RFC 4895 */
    case 0x8003:
    case 0x8004:
    case 0x8005: /* padding, RFC 4820 */
    case 0x8008: /* supported extensions, RFC 5061 */
    case 0xc000: /* forward TSN, RFC 3758 */
    case 0xc005: /* success, RFC 5061 */
    case 0xc006: /* adaptation layer */
        return true;
    default:
        return false;
    }
}

/* A chunk's parameters (section 3.2.1) and those within them (RFC 5061 section 4.2). */
static uint64_t replace_parameters(struct anonymising *self, const struct stretch *in, uint32_t at,
                                   bool nested)
{
    enum { IP = 5, IP6 = 6, UNRECOGNIZED = 8 };
    enum { ADD = 0xc001, DELETE = 0xc002, SET_PRIMARY = 0xc004 };
    uint64_t change = 0;
    while (at < in->len && in->len - at >= 4) {
        uint16_t type = load_be16(in->data + at);
        uint32_t size = load_be16(in->data + at + 2);
        if (size < 4)
            return change + natkit_unknown(self, in, at, "SCTP parameter", type);
        struct stretch body = {in->data, least_of(at + size, in->len)};
        if (type == IP || type == IP6)
            change += natkit_replace(self, &body, at + 4, type == IP ? 4 : 6);
        else if (!nested && type == UNRECOGNIZED)
            change += replace_parameters(self, &body, at + 4, true);
        else if (!nested && (type == ADD || type == DELETE || type == SET_PRIMARY))
            change += replace_parameters(self, &body, at + 8, true);
        else if (!is_quiet_parameter(type))
            change += natkit_unknown(self, &body, at + 4, "SCTP parameter", type);
        at += (size + 3) & ~3U;
    }
    return change;
}

static uint64_t replace_chunk(struct anonymising *self, const struct stretch *chunk, uint32_t at)
{
    enum { DATA = 0, INIT = 1, INIT_ACK = 2, SACK = 3, HEARTBEAT = 4, ABORT = 6, ERROR = 9 };
    enum { SHUTDOWN = 7, SHUTDOWN_ACK = 8, COOKIE_ACK = 11, ECNE = 12, CWR = 13 };
    enum { SHUTDOWN_COMPLETE = 14, AUTH = 15, I_DATA = 64, ASCONF = 0xc1, FORWARD_TSN = 0xc0 };
    switch (chunk->data[at]) {
    case DATA:
        return natkit_payload(self, chunk, at + 16);
    case I_DATA: /* RFC 8260 */
        return natkit_payload(self, chunk, at + 20);
    case INIT:
    case INIT_ACK:
        return self->signalling ? replace_parameters(self, chunk, at + 20, false) : 0;
    case ASCONF: /* RFC 5061 */
        return self->signalling ? replace_parameters(self, chunk, at + 8, false) : 0;
    case SACK:
    case SHUTDOWN:
    case SHUTDOWN_ACK:
    case COOKIE_ACK:
    case ECNE:
    case CWR:
    case SHUTDOWN_COMPLETE:
    case AUTH:
    case FORWARD_TSN:
        return 0;
    default: /* heartbeats, cookies and errors have contents of their senders' own */
        return natkit_unknown(self, chunk, at + 4, "SCTP chunk", chunk->data[at]);
    }
}

/* CRC32c is linear: the checksum (section 6.8) changes by the CRC of the bits that changed.  0
 * means that there is none (RFC 9653). */
static void adjust_crc(const struct stretch *in, uint32_t before, uint32_t missing)
{
    enum { LONGEST = 0xffff };
    if (missing > LONGEST || load_be32(in->data + 8) == 0)
        return;
    uint32_t change = crc(before ^ crc(0, in->data, in->len), NULL, missing);
    for (int i = 0; i < 4; i++) /* the least significant byte comes first: appendix A */
        in->data[8 + i] ^= (uint8_t)(change >> 8 * i);
}

uint64_t natkit_sctp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    uint64_t change = 0;
    if (in->len < 12)
        return 0;
    /* the change of the CRC counts too: the checksum of a tunnel may cover it */
    uint8_t field[4] = {in->data[8], in->data[9], in->data[10], in->data[11]};
    uint32_t before = crc(0, in->data, in->len);
    for (uint32_t at = 12; at < in->len && in->len - at >= 4;) {
        uint32_t size = load_be16(in->data + at + 2);
        if (size < 4) {
            change += natkit_unknown(self, in, at, "SCTP chunk", in->data[at]);
            break;
        }
        struct stretch chunk = {in->data, least_of(at + size, in->len)};
        change += replace_chunk(self, &chunk, at);
        at += (size + 3) & ~3U;
    }
    adjust_crc(in, before, place->missing); /* a change of 0 may be one from all ones */
    return change + checksum_difference(field, in->data + 8, 8, 4);
}
