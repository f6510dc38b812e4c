/* Addresses in the messages of hosts: ARP, IGMP, ICMP, ICMPv6; and what IEEE 802.2 carries. */
#include "signalling.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/ethertype.h"
#include "packet/icmpquote.h"
#include "packet/protocols.h"

/* --- ARP (RFC 826), and reverse ARP (RFC 903) ------------------------------------------------ */

uint64_t natkit_arp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    (void)place;
    if (in->len < 8)
        return 0;
    if (load_be16(in->data + 2) != ETHERTYPE_IP || in->data[5] != 4)
        return natkit_unknown(self, in, 8, "ARP for ethertype", load_be16(in->data + 2));
    uint32_t hardware = in->data[4];
    uint64_t change = 0;
    if (self->signalling)
        change = natkit_replace(self, in, 8 + hardware, 4) +
                 natkit_replace(self, in, 8 + 2 * hardware + 4, 4);
    return change + natkit_payload(self, in, 8 + 2 * (hardware + 4));
}

/* --- IEEE 802.2 ------------------------------------------------------------------------------ */

uint64_t natkit_llc(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { SPANNING_TREE = 0x4242, SNAP = 0xaaaa, ROUTEING = 0xfefe, IPX = 0xffff };
    if (in->len < 3)
        return 0;
    switch (load_be16(in->data)) {
    case SPANNING_TREE:
        return 0;
    case ROUTEING: /* ISO 10589 */
        return natkit_unknown(self, in, 0, "IS-IS", -1);
    case SNAP: /* RFC 1042; a whole frame after 2 bytes of padding (RFC 2684 section 5.2) */
        if (in->len >= 8 && snap_bridges_ethernet(in->data + 3))
            return natkit_inner(self, in, 8 + 2, INNER_ETHERNET, place);
        if (in->len >= 8 && load_be32(in->data + 2) >> 8 == 0x030000 &&
            load_be16(in->data + 6) > 1500)
            return natkit_inner_ethertype(self, in, 8, load_be16(in->data + 6), place);
        return natkit_unknown(self, in, 0, "SNAP", -1);
    default:
        return natkit_unknown(self, in, 0, "LLC", in->data[0]);
    }
}

/* --- IGMP (RFC 3376) and MLD (RFC 3810) ------------------------------------------------------- */

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
        change += natkit_replace_list(self, in, at + 4, 1 + sources, version);
        at += 4 + size * (1 + sources) + more;
    }
    return change;
}

static uint64_t replace_igmp(struct anonymising *self, const struct stretch *in)
{
    uint64_t change = 0;
    switch (in->data[0]) {
    case 0x11: /* query: RFC 3376 section 4.1 */
        change = natkit_replace(self, in, 4, 4);
        if (in->len >= 12)
            change += natkit_replace_list(self, in, 12, load_be16(in->data + 10), 4);
        return change;
    case 0x12: /* reports of versions 1 and 2, and leave: RFC 2236 */
    case 0x16:
    case 0x17:
        return natkit_replace(self, in, 4, 4);
    case 0x22:
        return replace_report(self, in, 4);
    case 0x24: /* multicast router advertisement: RFC 4286 */
    case 0x30: /* and discovery */
    case 0x31:
    case 0x32:
        return 0;
    default:
        return natkit_unknown(self, in, 4, "IGMP type", in->data[0]);
    }
}

uint64_t natkit_igmp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    uint64_t change = 0;
    if (place->version == 6)
        return natkit_unknown(self, in, 0, "IGMP", -1);
    if (in->len >= 1 && self->signalling)
        change = replace_igmp(self, in);
    return change + checksum_adjust(in, 2, change);
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

/* The packet that an error of an IP version quotes, and the extension objects after it (RFC 4884
 * section 7). */
static uint64_t replace_quote(struct anonymising *self, const struct stretch *in, int version,
                              const struct place *place)
{
    enum { MPLS = 1 };
    uint32_t end = icmp_quote_end(version, in->data, in->len);
    struct stretch quote = {in->data, end};
    uint64_t change = natkit_quoted(self, &quote, ICMP_HEADER, place);
    if (end == in->len)
        return change;
    struct stretch extension = {in->data + end, in->len - end};
    uint64_t within = 0;
    for (uint32_t at = 4; at < extension.len && extension.len - at >= 4;) {
        uint32_t size = load_be16(extension.data + at);
        if (size < 4)
            break;
        struct stretch object = {extension.data, least_of(at + size, extension.len)};
        if (object.data[at + 2] != MPLS) /* RFC 4950; RFC 5837's objects hold addresses */
            within += natkit_unknown(self, &object, at + 4, "ICMP extension", object.data[at + 2]);
        at += size;
    }
    return change + within + checksum_adjust(&extension, 2, within);
}

static uint64_t replace_icmp(struct anonymising *self, const struct stretch *in,
                             const struct place *place)
{
    uint64_t change = 0;
    switch (in->data[0]) {
    case 5: /* redirect, to the gateway there */
        if (self->signalling)
            change = natkit_replace(self, in, 4, 4);
        return change + replace_quote(self, in, 4, place);
    case 3: /* destination unreachable, source quench, time exceeded, parameter problem */
    case 4:
    case 11:
    case 12:
        return replace_quote(self, in, 4, place);
    case 9:
        return self->signalling ? replace_routers(self, in) : 0;
    case 0: /* echo */
    case 8:
        return natkit_payload(self, in, 8);
    case 10: /* solicitation; timestamps, information, masks */
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
        return 0;
    default:
        return natkit_unknown(self, in, 4, "ICMP type", in->data[0]);
    }
}

uint64_t natkit_icmp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (place->version == 6)
        return natkit_unknown(self, in, 0, "ICMP", -1);
    uint64_t change = in->len >= 1 ? replace_icmp(self, in, place) : 0;
    return change + checksum_adjust(in, 2, change);
}

/* --- ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861) ------------------------------------ */

static uint64_t replace_neighbour_options(struct anonymising *self, const struct stretch *in,
                                          uint32_t at, const struct place *place)
{
    uint64_t change = 0;
    while (in->len > at && in->len - at >= 4 && in->data[at + 1] > 0) {
        struct stretch option = {.data = in->data,
                                 .len = least_of(at + in->data[at + 1] * 8U, in->len)};
        switch (in->data[at]) {
        case 3: /* prefix information */
            change += natkit_replace_bits(self, &option, at + 16, 6, in->data[at + 2]);
            break;
        case 4: /* redirected header */
            change += natkit_quoted(self, &option, at + 8, place);
            break;
        case 24: /* route information, RFC 4191 */
            change += natkit_replace_bits(self, &option, at + 8, 6, in->data[at + 2]);
            break;
        case 25: /* recursive DNS servers, RFC 8106 */
            change += natkit_replace_list(self, &option, at + 8, in->data[at + 1] / 2U, 6);
            break;
        case 1: /* link-layer addresses, MTU, and others without IP addresses */
        case 2:
        case 5:
        case 7:
        case 8:
        case 13:
        case 14:
        case 26:
        case 31:
        case 33:
        case 37:
            break;
        default:
            change +=
                natkit_unknown(self, &option, at + 2, "neighbour discovery option", in->data[at]);
        }
        at = option.len;
    }
    return change;
}

static uint64_t replace_neighbours(struct anonymising *self, const struct stretch *in,
                                   const struct place *place)
{
    uint64_t change = 0;
    switch (in->data[0]) {
    case 130: /* multicast listener query: RFC 3810 section 5.1 */
        change = natkit_replace(self, in, 8, 6);
        if (in->len >= 28)
            change += natkit_replace_list(self, in, 28, load_be16(in->data + 26), 6);
        return change;
    case 131: /* report and done of version 1: RFC 2710 */
    case 132:
        return natkit_replace(self, in, 8, 6);
    case 143:
        return replace_report(self, in, 6);
    case 133: /* router solicitation */
        return replace_neighbour_options(self, in, 8, place);
    case 134: /* router advertisement */
        return replace_neighbour_options(self, in, 16, place);
    case 135: /* neighbour solicitation and advertisement: the target */
    case 136:
        change = natkit_replace(self, in, 8, 6);
        return change + replace_neighbour_options(self, in, 24, place);
    case 137: /* redirect: the target and the destination */
        change = natkit_replace(self, in, 8, 6) + natkit_replace(self, in, 24, 6);
        return change + replace_neighbour_options(self, in, 40, place);
    case 145: /* home agents: RFC 6275 section 6.6 */
        return natkit_replace_list(self, in, 8, UINT32_MAX, 6);
    case 144:
    case 146: /* mobile prefix solicitation and advertisement */
        return 0;
    case 147:
        return replace_neighbour_options(self, in, 8, place);
    case 151: /* multicast routers: RFC 4286 */
    case 152:
    case 153:
        return 0;
    default:
        return natkit_unknown(self, in, 4, "ICMPv6 type", in->data[0]);
    }
}

static uint64_t replace_icmp6(struct anonymising *self, const struct stretch *in,
                              const struct place *place)
{
    enum { UNREACHABLE = 1, PARAMETER_PROBLEM = 4, ECHO = 128, REPLY = 129 };
    uint8_t type = in->data[0];
    if (type >= UNREACHABLE && type <= PARAMETER_PROBLEM)
        return replace_quote(self, in, 6, place);
    if (type == ECHO || type == REPLY)
        return natkit_payload(self, in, 8);
    return self->signalling ? replace_neighbours(self, in, place) : 0;
}

uint64_t natkit_icmp6(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (place->version == 4)
        return natkit_unknown(self, in, 0, "ICMPv6", -1);
    uint64_t change = in->len >= 1 ? replace_icmp6(self, in, place) : 0;
    return change + checksum_adjust(in, 2, place->pseudo + change);
}
