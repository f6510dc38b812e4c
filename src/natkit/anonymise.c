/* Anonymising a packet in place: the addresses of its IP headers, quoted and tunnelled ones too,
 * and the checksums over them.  No Python here. */
#include "anonymise.h"

#include <string.h>

#include "bytes.h"
#include "decode.h"
#include "protocols.h"
#include "values.h"

/* --- Changes, and what they do to checksums -------------------------------------------------- */

/* The words' difference, as RFC 1624 eqn. 3 adds it; an odd byte at either end is half a word. */
uint64_t natkit_difference(const uint8_t *old, const uint8_t *new, uint32_t at, uint32_t size)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < size; i++) {
        uint32_t shift = (at + i) % 2 == 0 ? 8 : 0;
        total += (uint64_t)(uint8_t)~old[i] << shift;
        total += (uint64_t) new[i] << shift;
    }
    /* a byte that is no part of it did not change: ~m + m of it */
    if (at % 2 != 0)
        total += 0xff00;
    if ((at + size) % 2 != 0)
        total += 0x00ff;
    return total;
}

uint64_t natkit_replace_bits(struct anonymising *self, const struct stretch *in, uint32_t at,
                             int version, unsigned bits)
{
    uint32_t size = version == 4 ? 4 : 16;
    uint8_t mapped[16] = {0};
    uint8_t old[16];

    if (at >= in->len)
        return 0;
    if (size > in->len - at)
        size = in->len - at; /* the bits of a cut address become what those of the whole would */
    memcpy(old, in->data + at, size);
    memcpy(mapped, old, size);
    cryptopan_anonymise(self->pan, version, mapped);
    for (uint32_t i = bits / 8; i < size; i++) {
        uint8_t keep = i == bits / 8 ? (uint8_t)(0xff >> bits % 8) : 0xff;
        mapped[i] = (uint8_t)((mapped[i] & ~keep) | (old[i] & keep));
    }
    memcpy(in->data + at, mapped, size);
    self->replaced++;
    return natkit_difference(old, mapped, at, size);
}

uint64_t natkit_replace(struct anonymising *self, const struct stretch *in, uint32_t at,
                        int version)
{
    return natkit_replace_bits(self, in, at, version, version == 4 ? 32 : 128);
}

uint64_t natkit_replace_list(struct anonymising *self, const struct stretch *in, uint32_t at,
                             uint32_t count, int version)
{
    uint32_t size = version == 4 ? 4 : 16;
    uint64_t change = 0;

    for (uint32_t i = 0; i < count && at < in->len; i++, at += size)
        change += natkit_replace(self, in, at, version);
    return change;
}

uint64_t natkit_replace_inverted(struct anonymising *self, const struct stretch *in, uint32_t at)
{
    uint8_t old[4];

    if (at > in->len || in->len - at < 4)
        return 0;
    memcpy(old, in->data + at, 4);
    store_be32(in->data + at, ~load_be32(old));
    natkit_replace(self, in, at, 4);
    store_be32(in->data + at, ~load_be32(in->data + at));
    return natkit_difference(old, in->data + at, at, 4);
}

/* Set the bytes from a place on to zero. */
static uint64_t clear(const struct stretch *in, uint32_t at)
{
    static const uint8_t zeroes[64];
    uint64_t change = 0;

    while (at < in->len) {
        uint32_t size = natkit_least(in->len - at, sizeof(zeroes));
        change += natkit_difference(in->data + at, zeroes, at, size);
        memset(in->data + at, 0, size);
        at += size;
    }
    return change;
}

uint64_t natkit_unknown(struct anonymising *self, const struct stretch *in, uint32_t at,
                        const char *what, int64_t number)
{
    unsigned i = 0;

    if (at >= in->len)
        return 0;
    while (i < self->unknowns &&
           (strcmp(self->unknown[i].what, what) != 0 || self->unknown[i].number != number))
        i++;
    if (i == self->unknowns && i < MAX_UNKNOWN)
        self->unknown[self->unknowns++] = (struct unknown_layer){.what = what, .number = number};
    return self->zero_unknown ? clear(in, at) : 0;
}

uint64_t natkit_payload(struct anonymising *self, const struct stretch *in, uint32_t at)
{
    if (at >= in->len)
        return 0;
    if (self->drop_payload && (!self->payload || in->data + at < self->payload))
        self->payload = in->data + at;
    return self->zero_payload ? clear(in, at) : 0;
}

static uint16_t fold(uint64_t total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

uint64_t natkit_shifted(uint64_t change, uint32_t at)
{
    uint16_t folded = fold(change);

    /* RFC 1071 section 2 (B): the sum of swapped bytes is the swapped sum */
    return at % 2 == 0 ? folded : (uint16_t)(folded << 8 | folded >> 8);
}

uint64_t natkit_adjust(const struct stretch *in, uint32_t at, uint64_t change)
{
    uint16_t folded = fold(change);

    if (at > in->len || in->len - at < 2 || folded == 0 || folded == 0xffff)
        return 0; /* cut, or nothing that a checksum sees */
    uint16_t old = load_be16(in->data + at);
    uint16_t new = (uint16_t)~fold((uint64_t)(uint16_t)~old + folded);
    store_be16(in->data + at, new);
    return (uint64_t)(uint16_t)~old + new;
}

uint64_t natkit_adjust_udp(const struct stretch *in, uint32_t at, uint64_t change)
{
    if (at > in->len || in->len - at < 2 || load_be16(in->data + at) == 0)
        return 0;
    uint16_t old = load_be16(in->data + at);
    natkit_adjust(in, at, change);
    if (load_be16(in->data + at) == 0)
        store_be16(in->data + at, 0xffff);
    return (uint64_t)(uint16_t)~old + load_be16(in->data + at);
}

/* --- What IP carries ------------------------------------------------------------------------- */

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
        change =
            natkit_tcp(self, &(struct stretch){in->data, natkit_least(header, in->len)}, place);
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

/* --- Packets within packets ------------------------------------------------------------------ */

/* Both ends of the pseudo-header, as they were. */
struct former_ends {
    struct plt_ends at;
    uint8_t src[16];
    uint8_t dst[16];
};

/* An IP packet's header, and what it carries. */
static uint64_t rewrite_ip(struct anonymising *self, const struct stretch *frame,
                           const struct plt_layers *layers, struct place *place)
{
    struct plt_packet packet = {.data = frame->data, .len = frame->len, .layers = layers};
    uint32_t end = natkit_least(layers->ip_end, frame->len);
    struct stretch in = {.data = frame->data + layers->layer3, .len = end - layers->layer3};
    uint32_t size = layers->version == 4 ? 4 : 16;
    struct former_ends ends;
    uint64_t change = 0;

    place->version = layers->version;
    place->missing = UINT32_MAX;
    if (layers->told_len && layers->ip_len >= in.len)
        place->missing = layers->ip_len - in.len;
    bool known = packet_ends(&packet, &ends.at);
    if (known) {
        memcpy(ends.src, frame->data + ends.at.src, size);
        memcpy(ends.dst, frame->data + ends.at.dst, size);
    }
    if (place->reversed ? self->dst : self->src)
        change += natkit_replace(self, &in, layers->version == 4 ? 12 : 8, layers->version);
    if (place->reversed ? self->src : self->dst)
        change += natkit_replace(self, &in, layers->version == 4 ? 16 : 24, layers->version);
    uint64_t pseudo = change;
    uint32_t header = layers->payload == PLT_ABSENT ? in.len : layers->payload - layers->layer3;
    struct stretch headers = {.data = in.data, .len = natkit_least(header, in.len)};
    if (headers.len > (layers->version == 4 ? IP_HEADER : IP6_HEADER))
        change += natkit_replace_routes(self, &headers, layers->version, place);
    if (layers->version == 4)
        change += natkit_adjust(&in, 10, change);
    if (layers->fragment && layers->payload != PLT_ABSENT)
        change += natkit_unknown(self, &in, header, "later fragment", -1);
    place->pseudo = pseudo;
    if (known) {
        place->src = natkit_difference(ends.src, frame->data + ends.at.src, 0, size);
        place->pseudo =
            place->src + natkit_difference(ends.dst, frame->data + ends.at.dst, 0, size);
    }
    if (layers->version == 6 && headers.len > IP6_HEADER)
        change += natkit_replace_mobility(self, &headers, place);
    if (layers->transport == PLT_ABSENT || layers->transport >= end)
        return change;
    struct stretch transport = {.data = frame->data + layers->transport,
                                .len = end - layers->transport};
    return change + natkit_shifted(natkit_transport(self, &transport, layers->proto, place),
                                   layers->transport - layers->layer3);
}

/* What is no IP, by its ethertype. */
static uint64_t rewrite_other(struct anonymising *self, const struct stretch *in,
                              uint16_t ethertype, const struct place *place)
{
    const struct natkit_row *row = natkit_row_of_ethertype(ethertype);

    if (row && row->rewrite)
        return row->rewrite(self, in, place);
    if (row)
        return natkit_unknown(self, in, 0, row->name, -1);
    if (ethertype == 0)
        return natkit_unknown(self, in, 0, "layer 3", -1);
    return natkit_unknown(self, in, 0, "ethertype", ethertype);
}

/* A packet whose layers are known; the difference that this makes to all of it. */
static uint64_t rewrite(struct anonymising *self, const struct stretch *frame,
                        const struct plt_layers *layers, struct place *place)
{
    if (layers->layer3 == PLT_ABSENT) {
        if (layers->transport == 0) /* an object made of a transport header's bytes */
            return natkit_transport(self, frame, layers->proto, place);
        if (layers->ethertype != 0 || (layers->layer2 != PLT_ABSENT && frame->len <= 14))
            return 0; /* nothing of layer 3 was captured */
        return natkit_unknown(self, frame, 0, "link layer", -1);
    }
    /* words of checksums are counted from here: the link layer may have an odd length */
    struct stretch in = {.data = frame->data + layers->layer3, .len = frame->len - layers->layer3};
    uint64_t change = layers->version == 0 ? rewrite_other(self, &in, layers->ethertype, place)
                                           : rewrite_ip(self, frame, layers, place);
    change = natkit_shifted(change, layers->layer3);
    if (layers->version != 0 && layers->ip_end < frame->len)
        change += natkit_payload(self, frame, layers->ip_end);
    return change;
}

/* What a packet within another is in; false where it is in too many. */
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
    return natkit_shifted(rewrite(self, &inner, &layers, &within), at);
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
    return natkit_shifted(rewrite(self, &inner, &layers, &within), at);
}

uint64_t natkit_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                       const struct place *place)
{
    struct place turned = *place;

    /* what is quoted went the other way: its destination is who sends the message */
    turned.reversed = !place->reversed;
    return natkit_inner(self, in, at, INNER_IP, &turned);
}

void natkit_anonymise(struct anonymising *self, const struct stretch *frame,
                      const struct plt_layers *layers)
{
    struct place place = {.depth = 0};

    rewrite(self, frame, layers, &place);
}
