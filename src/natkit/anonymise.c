/* Anonymising a packet in place: the addresses of its IP headers, quoted and tunnelled ones too,
 * and the checksums over them.  No Python here. */
#include "natkit.h"

#include <string.h>

#include "bytes.h"
#include "decode.h"
#include "protocols.h"

/* Tunnels and quotes within each other, to bound the time that a made-up packet may take. */
#define MAX_DEPTH 8

/* --- Changes, and what they do to checksums -------------------------------------------------- */

/* The words' difference, as RFC 1624 eqn. 3 adds it; an odd byte at either end is half a word. */
static uint64_t difference(const uint8_t *old, const uint8_t *new, uint32_t at, uint32_t size)
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
    return difference(old, mapped, at, size);
}

uint64_t natkit_replace(struct anonymising *self, const struct stretch *in, uint32_t at,
                        int version)
{
    return natkit_replace_bits(self, in, at, version, version == 4 ? 32 : 128);
}

static uint16_t fold(uint64_t total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

/* Adjust the checksum at a place by a difference of what it covers (RFC 1624 section 3), so that it
 * is right or wrong as before; the difference that this makes itself. */
static uint64_t adjust(const struct stretch *in, uint32_t at, uint64_t change)
{
    uint16_t folded = fold(change);

    if (at > in->len || in->len - at < 2 || folded == 0 || folded == 0xffff)
        return 0; /* cut, or nothing that a checksum sees */
    uint16_t old = load_be16(in->data + at);
    uint16_t new = (uint16_t)~fold((uint64_t)(uint16_t)~old + folded);
    store_be16(in->data + at, new);
    return (uint64_t)(uint16_t)~old + new;
}

/* The same for UDP, where 0 means that there is none (RFC 768). */
static uint64_t adjust_udp(const struct stretch *in, uint32_t at, uint64_t change)
{
    if (at > in->len || in->len - at < 2 || load_be16(in->data + at) == 0)
        return 0;
    uint16_t old = load_be16(in->data + at);
    adjust(in, at, change);
    if (load_be16(in->data + at) == 0)
        store_be16(in->data + at, 0xffff);
    return (uint64_t)(uint16_t)~old + load_be16(in->data + at);
}

/* --- Packets within packets ------------------------------------------------------------------ */

static uint64_t rewrite(struct anonymising *self, const struct stretch *frame,
                        const struct plt_layers *layers, bool reversed, int depth);

static uint64_t rewrite_within(struct anonymising *self, const struct stretch *in, uint32_t at,
                               uint32_t dlt, bool reversed, int depth)
{
    struct plt_layers layers;

    if (depth >= MAX_DEPTH || at >= in->len)
        return 0;
    struct stretch inner = {.data = in->data + at, .len = in->len - at};
    struct plt_record record = {
        .data = inner.data,
        .len = inner.len,
        .meta = {.dlt = dlt, .linktype = PLT_LINKTYPE_OF_DLT, .direction = -1}};
    record_layers(&record, &layers);
    return rewrite(self, &inner, &layers, reversed, depth + 1);
}

uint64_t natkit_replace_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                               bool reversed, int depth)
{
    /* what is quoted went the other way: its destination is who sends the message */
    return rewrite_within(self, in, at, LINKTYPE_RAW, !reversed, depth);
}

/* GRE (RFC 2784, RFC 2890) at the start of a stretch. */
static uint64_t rewrite_gre(struct anonymising *self, const struct stretch *in, bool reversed,
                            int depth)
{
    if (in->len < 4)
        return 0;
    uint16_t flags = load_be16(in->data);
    uint16_t protocol = load_be16(in->data + 2);
    bool has_checksum = flags & 0x8000;
    if (flags & 0x4007) /* RFC 1701's routing; a later version */
        return 0;
    uint32_t header = 4;
    for (uint16_t flag = 0x8000; flag >= 0x1000; flag >>= 1) /* checksum, key, sequence number */
        header += flags & flag ? 4 : 0;
    uint64_t change = 0;
    if (protocol == 0x0800 || protocol == 0x86dd)
        change = rewrite_within(self, in, header, LINKTYPE_RAW, reversed, depth);
    else if (protocol == 0x6558) /* RFC 1701: an Ethernet frame */
        change = rewrite_within(self, in, header, LINKTYPE_ETHERNET, reversed, depth);
    return has_checksum ? change + adjust(in, 4, change) : change;
}

/* What an IP header carries; pseudo is the difference of its pseudo-header. */
static uint64_t rewrite_transport(struct anonymising *self, const struct stretch *in,
                                  const struct plt_layers *layers, uint64_t pseudo, bool reversed,
                                  int depth)
{
    uint64_t change = 0;

    switch (layers->proto) {
    case PROTO_TCP:
        return adjust(in, 16, pseudo);
    case PROTO_UDP:
    case PROTO_UDPLITE:
        return adjust_udp(in, 6, pseudo);
    case PROTO_DCCP:
        return adjust(in, 6, pseudo);
    case PROTO_ICMP:
        if (layers->version == 4)
            change = natkit_replace_icmp(self, in, reversed, depth);
        return change + adjust(in, 2, change);
    case PROTO_IGMP:
        if (layers->version == 4 && self->signalling)
            change = natkit_replace_igmp(self, in);
        return change + adjust(in, 2, change);
    case PROTO_ICMP6:
        if (layers->version != 6)
            return 0;
        change = natkit_replace_icmp6(self, in, reversed, depth);
        return change + adjust(in, 2, pseudo + change);
    case PROTO_IPIP:
    case PROTO_IPV6:
        return rewrite_within(self, in, 0, LINKTYPE_RAW, reversed, depth);
    case PROTO_GRE:
        return rewrite_gre(self, in, reversed, depth);
    default:
        return 0;
    }
}

/* The addresses of a packet whose layers are known; the difference that this makes to all of it. */
static uint64_t rewrite(struct anonymising *self, const struct stretch *frame,
                        const struct plt_layers *layers, bool reversed, int depth)
{
    if (layers->layer3 == PLT_ABSENT)
        return 0;
    /* words of checksums are counted from here: the link layer may have an odd length */
    struct stretch in = {.data = frame->data + layers->layer3, .len = frame->len - layers->layer3};
    if (layers->version == 0)
        return self->signalling ? natkit_replace_arp(self, &in, layers->ethertype) : 0;
    int version = layers->version;
    uint64_t src = 0;
    uint64_t dst = 0;
    if (reversed ? self->dst : self->src)
        src = natkit_replace(self, &in, version == 4 ? 12 : 8, version);
    if (reversed ? self->src : self->dst)
        dst = natkit_replace(self, &in, version == 4 ? 16 : 24, version);
    uint64_t header = src + dst;
    uint64_t last = dst; /* of the final destination, which the pseudo-header has */
    header += natkit_replace_routes(self, &in, layers, &last);
    if (version == 4)
        header += adjust(&in, 10, header);
    if (layers->transport == PLT_ABSENT || layers->transport > layers->ip_end)
        return header;
    struct stretch transport = {.data = frame->data + layers->transport,
                                .len = layers->ip_end - layers->transport};
    return header + rewrite_transport(self, &transport, layers, src + last, reversed, depth);
}

void natkit_anonymise(struct anonymising *self, const struct stretch *frame,
                      const struct plt_layers *layers)
{
    rewrite(self, frame, layers, false, 0);
}
