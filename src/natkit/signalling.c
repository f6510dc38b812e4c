/* Addresses outside the IP header's two: in ICMP and ARP messages, routes and group reports. */
#include "natkit.h"

#include "bytes.h"

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

/* So many addresses one after another, as far as captured. */
static uint64_t replace_list(struct anonymising *self, const struct stretch *in, uint32_t at,
                             uint32_t count, int version)
{
    uint32_t size = version == 4 ? 4 : 16;
    uint64_t change = 0;

    for (uint32_t i = 0; i < count && at < in->len; i++, at += size)
        change += natkit_replace(self, in, at, version);
    return change;
}

/* --- ARP (RFC 826), and reverse ARP (RFC 903) ------------------------------------------------ */

uint64_t natkit_replace_arp(struct anonymising *self, const struct stretch *in, uint16_t ethertype)
{
    if ((ethertype != 0x0806 && ethertype != 0x8035) || in->len < 8 ||
        load_be16(in->data + 2) != 0x0800 || in->data[5] != 4)
        return 0;
    uint32_t hardware = in->data[4];
    return natkit_replace(self, in, 8 + hardware, 4) +
           natkit_replace(self, in, 8 + 2 * hardware + 4, 4);
}

/* --- Routes ---------------------------------------------------------------------------------- */

/* Options of IPv4 that hold addresses: RFC 791 section 3.1. */
enum { RECORD_ROUTE = 7, TIMESTAMP = 68, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };

static uint64_t replace_route4(struct anonymising *self, const struct stretch *option, uint32_t at,
                               uint64_t *last)
{
    uint32_t count = (option->len - at) / 4; /* the last may be cut */
    uint8_t kind = option->data[at];
    uint64_t final = 0;
    uint64_t change = 0;

    for (uint32_t i = 0; i < count; i++) {
        final = natkit_replace(self, option, at + 3 + 4 * i, 4);
        change += final;
    }
    /* until the route is used up, its end is the final destination (RFC 1122 section 3.2.1.8) */
    if (kind != RECORD_ROUTE && count > 0 && option->data[at + 2] <= option->len - at)
        *last = final;
    return change;
}

/* Addresses each before its time, where the flag says so. */
static uint64_t replace_timestamps(struct anonymising *self, const struct stretch *option,
                                   uint32_t at)
{
    uint64_t change = 0;

    if (option->len - at < 4)
        return 0;
    uint8_t flag = option->data[at + 3] & 0x0f;
    if (flag != 1 && flag != 3)
        return 0;
    for (uint32_t entry = at + 4; entry < option->len; entry += 8)
        change += natkit_replace(self, option, entry, 4);
    return change;
}

static uint64_t replace_options4(struct anonymising *self, const struct stretch *in, uint64_t *last)
{
    uint32_t end = least((in->data[0] & 0x0fU) * 4, in->len);
    uint64_t change = 0;

    for (uint32_t at = 20; at < end && in->data[at] != 0;) {
        if (in->data[at] == 1) { /* no operation */
            at++;
            continue;
        }
        if (end - at < 3 || in->data[at + 1] < 2)
            break;
        struct stretch option = {.data = in->data, .len = least(at + in->data[at + 1], end)};
        uint8_t kind = in->data[at];
        if (kind == TIMESTAMP)
            change += replace_timestamps(self, &option, at);
        else if ((kind == RECORD_ROUTE || kind == LOOSE_ROUTE || kind == STRICT_ROUTE) &&
                 option.len - at >= 3)
            change += replace_route4(self, &option, at, last);
        at = option.len;
    }
    return change;
}

/* The routing header at a place: of RFC 5095 (type 0), RFC 6275 (2) or RFC 8754 (4). */
static uint64_t replace_route6(struct anonymising *self, const struct stretch *header, uint32_t at,
                               uint64_t *last)
{
    uint8_t kind = header->data[at + 2];
    uint32_t count = header->data[at + 1] / 2U;
    uint64_t final = 0;
    uint64_t change = 0;

    if (kind != 0 && kind != 2 && kind != 4)
        return 0;
    if (kind == 4 && header->len - at >= 5)
        count = least(header->data[at + 4] + 1U, count); /* behind the segments are options */
    for (uint32_t i = 0; i < count && at + 8 + 16 * i < header->len; i++) {
        uint64_t one = natkit_replace(self, header, at + 8 + 16 * i, 6);
        /* RFC 8754 lists the last segment first */
        if (i == 0 || kind != 4)
            final = one;
        change += one;
    }
    if (header->data[at + 3] > 0 && count > 0) /* segments left: RFC 8200 section 8.1 */
        *last = final;
    return change;
}

static uint64_t replace_routes6(struct anonymising *self, const struct stretch *in, uint64_t *last)
{
    uint8_t next = in->len > 6 ? in->data[6] : 59;
    uint64_t change = 0;

    for (uint32_t at = 40; in->len > at && in->len - at >= 4;) {
        const uint8_t *header = in->data + at;
        uint32_t size = (header[1] + 1U) * 8;
        bool later_fragment = false;
        switch (next) {
        case 0:   /* hop-by-hop options */
        case 60:  /* destination options */
        case 135: /* mobility, RFC 6275 */
        case 139: /* host identity, RFC 7401 */
        case 140: /* shim6, RFC 5533 */
            break;
        case 43: { /* routing */
            struct stretch route = {.data = in->data, .len = least(at + size, in->len)};
            change += replace_route6(self, &route, at, last);
            break;
        }
        case 44: /* fragment */
            size = 8;
            later_fragment = load_be16(header + 2) >> 3 != 0;
            break;
        case 51: /* authentication, RFC 4302 */
            size = (header[1] + 2U) * 4;
            break;
        default:
            return change;
        }
        if (later_fragment)
            break;
        next = header[0];
        at += size;
    }
    return change;
}

uint64_t natkit_replace_routes(struct anonymising *self, const struct stretch *in,
                               const struct plt_layers *layers, uint64_t *last)
{
    if (!self->signalling)
        return 0;
    return layers->version == 4 ? replace_options4(self, in, last)
                                : replace_routes6(self, in, last);
}

/* --- Groups: IGMP, and its like in ICMPv6 ---------------------------------------------------- */

/* The records of a report: RFC 3376 section 4.2, RFC 3810 section 5.2. */
static uint64_t replace_report(struct anonymising *self, const struct stretch *in, int version)
{
    uint32_t size = version == 4 ? 4 : 16;
    uint64_t change = 0;
    uint32_t at = 8;

    if (in->len < 8)
        return 0;
    for (uint32_t left = load_be16(in->data + 6); left > 0 && at < in->len; left--) {
        if (in->len - at < 4)
            break;
        uint32_t sources = load_be16(in->data + at + 2);
        uint32_t more = in->data[at + 1] * 4U;
        change += replace_list(self, in, at + 4, 1 + sources, version);
        at += 4 + size * (1 + sources) + more;
    }
    return change;
}

uint64_t natkit_replace_igmp(struct anonymising *self, const struct stretch *in)
{
    uint64_t change = 0;

    if (in->len < 1)
        return 0;
    switch (in->data[0]) {
    case 0x11: /* query: RFC 3376 section 4.1 */
        change = natkit_replace(self, in, 4, 4);
        if (in->len >= 12)
            change += replace_list(self, in, 12, load_be16(in->data + 10), 4);
        return change;
    case 0x12: /* reports of versions 1 and 2, and leave: RFC 2236 */
    case 0x16:
    case 0x17:
        return natkit_replace(self, in, 4, 4);
    case 0x22:
        return replace_report(self, in, 4);
    default:
        return 0;
    }
}

/* --- ICMP (RFC 792) -------------------------------------------------------------------------- */

/* Router advertisement, RFC 1256: entries of an address and its preference. */
static uint64_t replace_routers(struct anonymising *self, const struct stretch *in)
{
    uint64_t change = 0;

    if (in->len < 8 || in->data[5] < 1)
        return 0;
    for (uint32_t i = 0; i < in->data[4]; i++)
        change += natkit_replace(self, in, 8 + i * in->data[5] * 4U, 4);
    return change;
}

uint64_t natkit_replace_icmp(struct anonymising *self, const struct stretch *in, bool reversed,
                             int depth)
{
    uint64_t change = 0;

    if (in->len < 1)
        return 0;
    switch (in->data[0]) {
    case 5: /* redirect, to the gateway there */
        if (self->signalling)
            change = natkit_replace(self, in, 4, 4);
        return change + natkit_replace_quoted(self, in, 8, reversed, depth);
    case 3: /* destination unreachable, source quench, time exceeded, parameter problem */
    case 4:
    case 11:
    case 12:
        return natkit_replace_quoted(self, in, 8, reversed, depth);
    case 9:
        return self->signalling ? replace_routers(self, in) : 0;
    default:
        return 0;
    }
}

/* --- ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861) ------------------------------------ */

static uint64_t replace_neighbour_options(struct anonymising *self, const struct stretch *in,
                                          uint32_t at, bool reversed, int depth)
{
    uint64_t change = 0;

    while (in->len > at && in->len - at >= 4 && in->data[at + 1] > 0) {
        struct stretch option = {.data = in->data,
                                 .len = least(at + in->data[at + 1] * 8U, in->len)};
        switch (in->data[at]) {
        case 3: /* prefix information */
            change += natkit_replace_bits(self, &option, at + 16, 6, in->data[at + 2]);
            break;
        case 4: /* redirected header */
            change += natkit_replace_quoted(self, &option, at + 8, reversed, depth);
            break;
        case 24: /* route information, RFC 4191 */
            change += natkit_replace_bits(self, &option, at + 8, 6, in->data[at + 2]);
            break;
        case 25: /* recursive DNS servers, RFC 8106 */
            change += replace_list(self, &option, at + 8, in->data[at + 1] / 2U, 6);
            break;
        default:
            break;
        }
        at += in->data[at + 1] * 8U;
    }
    return change;
}

static uint64_t replace_neighbours(struct anonymising *self, const struct stretch *in,
                                   bool reversed, int depth)
{
    uint64_t change = 0;

    switch (in->data[0]) {
    case 130: /* multicast listener query: RFC 3810 section 5.1 */
        change = natkit_replace(self, in, 8, 6);
        if (in->len >= 28)
            change += replace_list(self, in, 28, load_be16(in->data + 26), 6);
        return change;
    case 131: /* report and done of version 1: RFC 2710 */
    case 132:
        return natkit_replace(self, in, 8, 6);
    case 143:
        return replace_report(self, in, 6);
    case 133: /* router solicitation */
        return replace_neighbour_options(self, in, 8, reversed, depth);
    case 134: /* router advertisement */
        return replace_neighbour_options(self, in, 16, reversed, depth);
    case 135: /* neighbour solicitation and advertisement: the target */
    case 136:
        change = natkit_replace(self, in, 8, 6);
        return change + replace_neighbour_options(self, in, 24, reversed, depth);
    case 137: /* redirect: the target and the destination */
        change = natkit_replace(self, in, 8, 6) + natkit_replace(self, in, 24, 6);
        return change + replace_neighbour_options(self, in, 40, reversed, depth);
    default:
        return 0;
    }
}

uint64_t natkit_replace_icmp6(struct anonymising *self, const struct stretch *in, bool reversed,
                              int depth)
{
    if (in->len < 1)
        return 0;
    if (in->data[0] >= 1 && in->data[0] <= 4) /* errors */
        return natkit_replace_quoted(self, in, 8, reversed, depth);
    return self->signalling ? replace_neighbours(self, in, reversed, depth) : 0;
}
