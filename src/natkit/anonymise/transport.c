/* What IP carries: addresses that transports have for themselves, and their payload. */
#include "anonymise.h"

#include "packet/bytes.h"
#include "packet/protocols.h"

/* --- TCP ------------------------------------------------------------------------------------- */

/* ADD_ADDR (RFC 6824 and RFC 8684, section 3.4.1): its size tells the version of the address. */
static uint64_t replace_mptcp(struct anonymising *self, const struct stretch *option, uint32_t at)
{
    enum { ADD_ADDRESS = 3 };

    if (option->len - at < 3 || option->data[at + 2] >> 4 != ADD_ADDRESS)
        return 0;
    switch (option->data[at + 1]) {
    case 8: /* with a port 2 more, with a digest 8 more */
    case 10:
    case 16:
    case 18:
        return natkit_replace(self, option, at + 4, 4);
    case 20:
    case 22:
    case 28:
    case 30:
        return natkit_replace(self, option, at + 4, 6);
    default:
        return natkit_unknown(self, option, at + 4, "MPTCP ADD_ADDR", -1);
    }
}

/* Whether an option of TCP is one that holds no address. */
static bool is_quiet_option(uint8_t kind)
{
    return kind <= 30 || kind == 34 || kind == 69 || (kind >= 172 && kind <= 174) || kind >= 253;
}

static uint64_t replace_tcp_options(struct anonymising *self, const struct stretch *in)
{
    enum { MPTCP = 30 };
    uint64_t change = 0;

    for (uint32_t at = TCP_HEADER; self->signalling && at < in->len && in->data[at] != 0;) {
        if (in->data[at] == 1) { /* no operation */
            at++;
            continue;
        }
        if (in->len - at < 2 || in->data[at + 1] < 2)
            break;
        struct stretch option = {in->data, natkit_least(at + in->data[at + 1], in->len)};
        if (in->data[at] == MPTCP)
            change += replace_mptcp(self, &option, at);
        else if (!is_quiet_option(in->data[at]))
            change += natkit_unknown(self, &option, at + 2, "TCP option", in->data[at]);
        at = option.len;
    }
    return change;
}

/* --- SCTP (RFC 9260) ------------------------------------------------------------------------- */

/* CRC32c of bytes, or of so many zeroes, with nothing added before or after: linear. */
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

/* A chunk's parameters (section 3.2.1) and those within them (RFC 5061 section 4.2). */
static uint64_t replace_parameters(struct anonymising *self, const struct stretch *in, uint32_t at,
                                   bool nested)
{
    enum { IP = 5, IP6 = 6, COOKIE = 7, HOST_NAME = 11, ADD = 0xc001, DELETE = 0xc002 };
    enum { SET_PRIMARY = 0xc004 };
    uint64_t change = 0;

    while (at < in->len && in->len - at >= 4) {
        uint16_t type = load_be16(in->data + at);
        uint32_t size = load_be16(in->data + at + 2);
        if (size < 4)
            return change + natkit_unknown(self, in, at, "SCTP parameter", type);
        struct stretch body = {in->data, natkit_least(at + size, in->len)};
        if (type == IP || type == IP6)
            change += natkit_replace(self, &body, at + 4, type == IP ? 4 : 6);
        else if (type == COOKIE || type == HOST_NAME) /* a cookie is its maker's own affair */
            change += natkit_unknown(self, &body, at + 4, "SCTP parameter", type);
        else if (!nested && (type == ADD || type == DELETE || type == SET_PRIMARY))
            change += replace_parameters(self, &body, at + 8, true);
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
    default: /* heartbeats, cookies and errors hold what their senders put into them */
        return natkit_unknown(self, chunk, at + 4, "SCTP chunk", chunk->data[at]);
    }
}

/* CRC32c is linear: that of the bits that changed is what the checksum changes by (section 6.8).
 * 0 stands for none (RFC 9653). */
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
    /* no checksum of IP's kind covers this one, but a tunnel's may */
    uint8_t field[4] = {in->data[8], in->data[9], in->data[10], in->data[11]};
    uint32_t before = crc(0, in->data, in->len);
    for (uint32_t at = 12; at < in->len && in->len - at >= 4;) {
        uint32_t size = load_be16(in->data + at + 2);
        if (size < 4) {
            change += natkit_unknown(self, in, at, "SCTP chunk", in->data[at]);
            break;
        }
        struct stretch chunk = {in->data, natkit_least(at + size, in->len)};
        change += replace_chunk(self, &chunk, at);
        at += (size + 3) & ~3U;
    }
    if (change != 0)
        adjust_crc(in, before, place->missing);
    return change + natkit_difference(field, in->data + 8, 8, 4);
}

/* --- Checksums and payload ------------------------------------------------------------------- */

/* What is at a port that is known, of either end; NULL for an application's. */
static const struct natkit_row *row_of_ports(const uint8_t *header, bool tcp)
{
    const struct natkit_row *(*find)(uint16_t) = tcp ? natkit_row_of_tcp : natkit_row_of_udp;
    const struct natkit_row *row = find(load_be16(header + 2));

    return row ? row : find(load_be16(header));
}

static uint64_t rewrite_payload(struct anonymising *self, const struct stretch *payload,
                                const struct natkit_row *row, const struct place *place)
{
    if (!row)
        return natkit_payload(self, payload, 0);
    if (!row->rewrite)
        return natkit_unknown(self, payload, 0, row->name, -1);
    return row->rewrite(self, payload, place);
}

static uint64_t rewrite_tcp(struct anonymising *self, const struct stretch *in,
                            const struct place *place)
{
    uint64_t change = 0;

    if (in->len >= 13) {
        uint32_t header = (in->data[12] >> 4) * 4U;
        if (header < TCP_HEADER)
            header = TCP_HEADER;
        struct stretch whole = {in->data, natkit_least(header, in->len)};
        change = replace_tcp_options(self, &whole);
        if (in->len > header)
            change += rewrite_payload(self, &(struct stretch){in->data + header, in->len - header},
                                      row_of_ports(in->data, true), place);
    }
    return change + natkit_adjust(in, 16, place->pseudo + change);
}

static uint64_t rewrite_udp(struct anonymising *self, const struct stretch *in,
                            const struct place *place)
{
    uint32_t end = in->len;
    uint64_t change = 0;

    if (in->len > UDP_HEADER) {
        uint16_t told = load_be16(in->data + 4);
        if (told >= UDP_HEADER && told < end)
            end = told;
        change = rewrite_payload(self, &(struct stretch){in->data + UDP_HEADER, end - UDP_HEADER},
                                 row_of_ports(in->data, false), place);
    }
    change += natkit_adjust_udp(in, 6, place->pseudo + change);
    return change + natkit_payload(self, in, end); /* which no checksum covers */
}

/* UDP-Lite (RFC 3828) and DCCP (RFC 4340): the checksum may cover a part. */
static uint64_t rewrite_partly(struct anonymising *self, const struct stretch *in,
                               const struct place *place, bool dccp)
{
    uint32_t header = UDP_HEADER;
    uint32_t covered = UINT32_MAX;

    if (dccp && in->len >= 6) {
        uint32_t words = in->data[5] & 0x0f; /* section 9.2: one less of the payload */
        header = in->data[4] * 4U;
        covered = words == 0 ? UINT32_MAX : header + (words - 1) * 4;
    } else if (in->len >= UDP_HEADER && load_be16(in->data + 4) != 0) {
        covered = load_be16(in->data + 4);
    }
    if (header < UDP_HEADER)
        header = UDP_HEADER;
    struct stretch part = {in->data, natkit_least(covered, in->len)};
    uint64_t change = natkit_payload(self, &part, header);
    change += dccp ? natkit_adjust(in, 6, place->pseudo + change)
                   : natkit_adjust_udp(in, 6, place->pseudo + change);
    return change + natkit_payload(self, in, part.len > header ? part.len : header);
}

uint64_t natkit_transport(struct anonymising *self, const struct stretch *in, uint8_t proto,
                          const struct place *place)
{
    switch (proto) {
    case PROTO_TCP:
        return rewrite_tcp(self, in, place);
    case PROTO_UDP:
        return rewrite_udp(self, in, place);
    case PROTO_UDPLITE:
    case PROTO_DCCP:
        return rewrite_partly(self, in, place, proto == PROTO_DCCP);
    case PROTO_NO_NEXT_HEADER:
        return natkit_payload(self, in, 0);
    default:
        break;
    }
    const struct natkit_row *row = natkit_row_of_proto(proto);
    if (row && row->rewrite)
        return row->rewrite(self, in, place);
    return row ? natkit_unknown(self, in, 0, row->name, -1)
               : natkit_unknown(self, in, 0, "IP protocol", proto);
}
