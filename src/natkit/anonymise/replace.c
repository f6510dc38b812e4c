/* All changes of a packet's bytes but those of checksums; the layers find the places. */
#include "replace.h"

#include <string.h>

#include "checksum.h"
#include "packet/bytes.h"

uint64_t natkit_replace_bits(struct anonymising *self, const struct stretch *in, uint32_t at,
                             int version, unsigned bits)
{
    uint32_t size = version == 4 ? 4 : 16;
    uint8_t mapped[16] = {0};
    uint8_t old[16];
    if (at >= in->len)
        return 0;
    if (size > in->len - at)
        size = in->len - at; /* the captured bits become what they would in the whole address */
    memcpy(old, in->data + at, size);
    memcpy(mapped, old, size);
    cryptopan_anonymise(self->pan, version, mapped);
    for (uint32_t i = bits / 8; i < size; i++) {
        uint8_t keep = i == bits / 8 ? (uint8_t)(0xff >> bits % 8) : 0xff;
        mapped[i] = (uint8_t)((mapped[i] & ~keep) | (old[i] & keep));
    }
    memcpy(in->data + at, mapped, size);
    self->replaced++;
    return checksum_difference(old, mapped, at, size);
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
    memcpy(old, in->data + at, 4);
    store_be32(in->data + at, ~load_be32(old));
    natkit_replace(self, in, at, 4);
    store_be32(in->data + at, ~load_be32(in->data + at));
    return checksum_difference(old, in->data + at, at, 4);
}

/* Set the bytes from a place on to zero. */
static uint64_t clear(const struct stretch *in, uint32_t at)
{
    static const uint8_t zeroes[64];
    uint64_t change = 0;
    while (at < in->len) {
        uint32_t size = least_of(in->len - at, sizeof(zeroes));
        change += checksum_difference(in->data + at, zeroes, at, size);
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
