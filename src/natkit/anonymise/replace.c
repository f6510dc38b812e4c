/* What anonymising does to bytes, and what that is to checksums over them.  No Python here. */
#include "anonymise.h"

#include <string.h>

#include "packet/bytes.h"

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
