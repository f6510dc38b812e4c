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
    if (ethertype == ETHERTYPE_NSH) { /* what is before layer 3 is looked at, too */
        layers.layer3 = 0;
        layers.ethertype = ethertype;
    } else {
        plt_decode_ethertype(inner.data, inner.len, 0, ethertype, &layers);
        plt_decode_network(inner.data, inner.len, inner.len, &layers);
    }
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

uint64_t natkit_encapsulated(struct anonymising *self, const struct stretch *in,
                             encapsulation_reader *read, const struct place *place)
{
    struct encapsulation header;
    read(in->data, in->len, &header);
    switch ((enum carried)header.carries) {
    case CARRIES_NOTHING:
        return 0;
    case CARRIES_UNKNOWN:
        return natkit_unknown(self, in, header.at, header.name, header.number);
    case CARRIES_IP:
        return natkit_inner(self, in, header.at, INNER_IP, place);
    case CARRIES_ETHERNET:
        return natkit_inner(self, in, header.at, INNER_ETHERNET, place);
    case CARRIES_PPP:
        return natkit_inner(self, in, header.at, INNER_PPP, place);
    case CARRIES_80211:
        return natkit_inner(self, in, header.at, INNER_80211, place);
    case CARRIES_ETHERTYPE:
        break;
    }
    return natkit_inner_ethertype(self, in, header.at, header.ethertype, place);
}
