/* What IP carries, by its protocol: TCP and UDP with what is at their ports, and all others. */
#include "transport.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/protocols.h"
#include "protocols.h"

/* --- TCP ------------------------------------------------------------------------------------- */

/* ADD_ADDR (RFC 6824 and RFC 8684, section 3.4.1): its size depends on the address's version. */
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

/* Whether a TCP option is known to hold no address. */
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
        struct stretch option = {in->data, least_of(at + in->data[at + 1], in->len)};
        if (in->data[at] == MPTCP)
            change += replace_mptcp(self, &option, at);
        else if (!is_quiet_option(in->data[at]))
            change += natkit_unknown(self, &option, at + 2, "TCP option", in->data[at]);
        at = option.len;
    }
    return change;
}

/* --- Checksums and payload ------------------------------------------------------------------- */

/* The protocol at the port of either end; NULL where that is an application's. */
static const struct natkit_protocol *row_of_ports(const uint8_t *header, bool tcp)
{
    const struct natkit_protocol *(*find)(uint16_t) =
        tcp ? natkit_protocol_of_tcp : natkit_protocol_of_udp;
    const struct natkit_protocol *row = find(load_be16(header + 2));
    return row ? row : find(load_be16(header));
}

static uint64_t rewrite_payload(struct anonymising *self, const struct stretch *payload,
                                const struct natkit_protocol *row, const struct place *place)
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
        struct stretch whole = {in->data, least_of(header, in->len)};
        change = replace_tcp_options(self, &whole);
        if (in->len > header)
            change += rewrite_payload(self, &(struct stretch){in->data + header, in->len - header},
                                      row_of_ports(in->data, true), place);
    }
    return change + checksum_adjust(in, 16, place->pseudo + change);
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
    change += checksum_adjust_udp(in, 6, place->pseudo + change);
    return change + natkit_payload(self, in, end); /* no checksum covers it */
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
    struct stretch part = {in->data, least_of(covered, in->len)};
    uint64_t change = natkit_payload(self, &part, header);
    change += dccp ? checksum_adjust(in, 6, place->pseudo + change)
                   : checksum_adjust_udp(in, 6, place->pseudo + change);
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
    const struct natkit_protocol *row = natkit_protocol_of_ip(proto);
    if (row && row->rewrite)
        return row->rewrite(self, in, place);
    return row ? natkit_unknown(self, in, 0, row->name, -1)
               : natkit_unknown(self, in, 0, "IP protocol", proto);
}
