/* Packets within packets: the inner one's layers are found anew, then rewritten as the outer one's
 * were. */
#include "inner.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/ethertype.h"
#include "packet/network.h"
#include "packet/protocols.h"

/* The place of a packet within another; false where too many are within each other. */
static bool enter(const struct place *outer, struct place *inner)
{
    *inner = (struct place){.depth = outer->depth + 1, .reversed = outer->reversed};
    return outer->depth < NATKIT_MAX_DEPTH;
}

uint64_t natkit_inner(struct anonymising *self, const struct stretch *in, uint32_t at, uint32_t dlt,
                      const struct place *place)
{
    struct plt_layers layers;
    struct place within;
    if (!enter(place, &within))
        return natkit_unknown(self, in, at, "nesting", -1);
    if (at >= in->len)
        return 0;
    struct stretch inner = {.data = in->data + at, .len = in->len - at};
    struct plt_record record = {
        .data = inner.data,
        .len = inner.len,
        .meta = {.dlt = dlt, .linktype = PLT_LINKTYPE_OF_DLT, .direction = -1}};
    record_layers(&record, &layers);
    return checksum_shifted(self->rewrite(self, &inner, &layers, &within), at);
}

uint64_t natkit_inner_ethertype(struct anonymising *self, const struct stretch *in, uint32_t at,
                                uint16_t ethertype, const struct place *place)
{
    struct plt_layers layers = {
        .layer2 = 0, .layer3 = PLT_ABSENT, .transport = PLT_ABSENT, .payload = PLT_ABSENT};
    struct place within;
    if (!enter(place, &within))
        return natkit_unknown(self, in, at, "nesting", -1);
    if (at >= in->len)
        return 0;
    struct stretch inner = {.data = in->data + at, .len = in->len - at};
    layers.ip_end = inner.len;
    plt_decode_ethertype(inner.data, inner.len, 0, ethertype, &layers);
    plt_decode_network(inner.data, inner.len, inner.len, &layers);
    return checksum_shifted(self->rewrite(self, &inner, &layers, &within), at);
}

uint64_t natkit_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                       const struct place *place)
{
    struct place turned = *place;
    /* a quoted packet went the other way: its destination sends the message */
    turned.reversed = !place->reversed;
    return natkit_inner(self, in, at, INNER_IP, &turned);
}

/* An application may use the port of a tunnel: its data must not be taken for an IP header. */
bool natkit_looks_like_ip(const struct stretch *in, uint32_t at)
{
    if (!stretch_has(in, at, 1))
        return false;
    const uint8_t *ip = in->data + at;
    uint32_t header = (ip[0] & 0x0fU) * 4;
    if (ip[0] >> 4 == 6)
        return true;
    if (ip[0] >> 4 != 4 || header < IP_HEADER)
        return false;
    /* with a checksum of 0, hardware was to fill it in */
    return !stretch_has(in, at, header) || load_be16(ip + 10) == 0 ||
           checksum_sum(ip, header) == 0xffff;
}

uint64_t natkit_inner_ip(struct anonymising *self, const struct stretch *in, uint32_t at,
                         const char *name, const struct place *place)
{
    return natkit_looks_like_ip(in, at) ? natkit_inner(self, in, at, INNER_IP, place)
                                        : natkit_unknown(self, in, at, name, -1);
}

uint64_t natkit_next_protocol(struct anonymising *self, const struct stretch *in, uint32_t at,
                              uint8_t next, const char *name, const struct place *place)
{
    switch (next) {
    case 1:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_IP, place);
    case 2:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_IP6, place);
    case 3:
        return natkit_inner(self, in, at, INNER_ETHERNET, place);
    case 4:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_NSH, place);
    case 5:
        return natkit_inner_ethertype(self, in, at, ETHERTYPE_MPLS, place);
    default:
        return natkit_unknown(self, in, at, name, next);
    }
}
