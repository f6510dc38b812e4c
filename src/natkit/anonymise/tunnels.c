/* Tunnels below IP and directly in IP: where the inner packet begins. */
#include "tunnels.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/protocols.h"

/* --- Below IP -------------------------------------------------------------------------------- */

uint64_t natkit_quiet(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    (void)self;
    (void)in;
    (void)place;
    return 0;
}

/* RFC 8300 section 2.2 */
uint64_t natkit_nsh(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (!stretch_has(in, 0, 4))
        return 0;
    uint32_t size = (in->data[1] & 0x3fU) * 4;
    if (size < 8)
        return natkit_unknown(self, in, 0, "NSH", -1);
    return natkit_next_protocol(self, in, size, in->data[3], "NSH", place);
}

/* --- Above IP -------------------------------------------------------------------------------- */

uint64_t natkit_ipip(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    return natkit_inner(self, in, 0, INNER_IP, place);
}

/* RFC 4023 section 3, RFC 7510 */
uint64_t natkit_mpls(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    return natkit_inner_ethertype(self, in, 0, ETHERTYPE_MPLS, place);
}

/* RFC 3378: version 3 in the first four bits, then a whole frame. */
uint64_t natkit_etherip(struct anonymising *self, const struct stretch *in,
                        const struct place *place)
{
    if (in->len > 0 && in->data[0] >> 4 != 3)
        return natkit_unknown(self, in, 0, "EtherIP", -1);
    return natkit_inner(self, in, 2, INNER_ETHERNET, place);
}

/* RFC 4302 section 2; without the key its integrity check value can't be corrected. */
uint64_t natkit_ah(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    struct place within = *place;
    if (!stretch_has(in, 0, 2))
        return 0;
    uint32_t size = (in->data[1] + 2U) * 4;
    if (size >= in->len)
        return 0;
    if (within.headers++ >= NATKIT_MAX_DEPTH)
        return natkit_unknown(self, in, size, "nesting", -1);
    return self->transport(self, &(struct stretch){in->data + size, in->len - size}, in->data[0],
                           &within);
}

/* RFC 2004: the addresses of the IP header before encapsulation, which the transport's checksum
 * covers. */
uint64_t natkit_minimal(struct anonymising *self, const struct stretch *in,
                        const struct place *place)
{
    struct place within = *place;
    bool has_source = in->len >= 2 && in->data[1] & 0x80;
    uint32_t size = has_source ? 12 : 8;
    uint64_t change = 0;
    if (place->version != 4)
        return natkit_unknown(self, in, 0, "minimal encapsulation", -1);
    if (place->reversed ? self->src : self->dst)
        change = natkit_replace(self, in, 4, 4);
    within.pseudo = change + place->src;
    if (has_source) {
        within.src = 0;
        if (place->reversed ? self->dst : self->src)
            within.src = natkit_replace(self, in, 8, 4);
        within.pseudo = change + within.src;
        change += within.src;
    }
    change += checksum_adjust(in, 2, change);
    if (in->len <= size)
        return change;
    if (within.headers++ >= NATKIT_MAX_DEPTH)
        return change + natkit_unknown(self, in, size, "nesting", -1);
    return change + self->transport(self, &(struct stretch){in->data + size, in->len - size},
                                    in->data[0], &within);
}

/* --- GRE ------------------------------------------------------------------------------------- */

/* ERSPAN I has no header; ERSPAN II (draft-foschiano-erspan section 4.2) comes with a GRE sequence
 * number. */
static uint64_t rewrite_erspan(struct anonymising *self, const struct stretch *in, uint32_t at,
                               bool sequenced, const struct place *place)
{
    if (sequenced && stretch_has(in, at, 1) && in->data[at] >> 4 != 1)
        return natkit_unknown(self, in, at, "ERSPAN", -1);
    return natkit_inner(self, in, sequenced ? at + 8 : at, INNER_ETHERNET, place);
}

/* ERSPAN III (draft-foschiano-erspan section 4.3). */
static uint64_t rewrite_erspan3(struct anonymising *self, const struct stretch *in, uint32_t at,
                                const struct place *place)
{
    if (!stretch_has(in, at, 12))
        return 0;
    uint32_t size = in->data[at + 11] & 1 ? 20 : 12; /* a platform's subheader */
    uint32_t kind = load_be16(in->data + at + 10) >> 10 & 0x1f;
    if (in->data[at] >> 4 == 2 && kind == 0)
        return natkit_inner(self, in, at + size, INNER_ETHERNET, place);
    if (in->data[at] >> 4 == 2 && kind == 2)
        return natkit_inner_ip(self, in, at + size, "ERSPAN", place);
    return natkit_unknown(self, in, at + size, "ERSPAN", -1);
}

/* WCCP: version 2 has 4 bytes before the packet (draft-mclaggan-wccp-v2rev1 section 4.12). */
static uint64_t rewrite_wccp(struct anonymising *self, const struct stretch *in, uint32_t at,
                             const struct place *place)
{
    return natkit_inner_ip(self, in, natkit_looks_like_ip(in, at) ? at : at + 4, "WCCP", place);
}

/* RFC 2784, RFC 2890, and RFC 2637's enhanced GRE of version 1. */
uint64_t natkit_gre(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len < 4)
        return 0;
    uint16_t flags = load_be16(in->data);
    uint16_t protocol = load_be16(in->data + 2);
    bool has_checksum = flags & 0x8000;
    uint32_t version = flags & 7;
    if (flags & 0x4000 || version > 1) /* RFC 1701's routing; a later version */
        return natkit_unknown(self, in, 4, "GRE", -1);
    uint32_t header = 4;
    for (uint16_t flag = 0x8000; flag >= 0x1000; flag >>= 1) /* checksum, key, sequence number */
        header += flags & flag ? 4 : 0;
    if (version == 1 && flags & 0x80) /* acknowledgment */
        header += 4;
    uint64_t change = 0;
    switch (protocol) {
    case ETHERTYPE_TRANSPARENT_ETHERNET: /* RFC 1701; NVGRE, RFC 7637 */
        change = natkit_inner(self, in, header, INNER_ETHERNET, place);
        break;
    case ETHERTYPE_PPP:
        change = natkit_inner(self, in, header, INNER_PPP, place);
        break;
    case ETHERTYPE_ERSPAN:
        change = rewrite_erspan(self, in, header, flags & 0x1000, place);
        break;
    case ETHERTYPE_ERSPAN_3:
        change = rewrite_erspan3(self, in, header, place);
        break;
    case ETHERTYPE_WCCP:
        change = rewrite_wccp(self, in, header, place);
        break;
    default:
        change = natkit_inner_ethertype(self, in, header, protocol, place);
    }
    return has_checksum ? change + checksum_adjust(in, 4, change) : change;
}
