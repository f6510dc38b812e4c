/* Checksums are adjusted by the change of what they cover instead of being computed anew: so they
 * stay right or wrong as they were, in packets that were cut too. */
#include "checksum.h"

#include "packet/bytes.h"

static uint16_t fold(uint64_t total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

uint16_t checksum_sum(const uint8_t *data, uint32_t len)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < len; i++)
        total += (uint64_t)data[i] << (i % 2 == 0 ? 8 : 0);
    return fold(total);
}

/* ~m + m' of each word (RFC 1624 eqn.  3), byte by byte: an odd byte at an end is half a word. */
uint64_t checksum_difference(const uint8_t *old, const uint8_t *new, uint32_t at, uint32_t size)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t shift = (at + i) % 2 == 0 ? 8 : 0;
        total += (uint64_t)(uint8_t)~old[i] << shift;
        total += (uint64_t) new[i] << shift;
    }
    /* the other half did not change: its ~m + m */
    if (at % 2 != 0)
        total += 0xff00;
    if ((at + size) % 2 != 0)
        total += 0x00ff;
    return total;
}

uint64_t checksum_shifted(uint64_t change, uint32_t at)
{
    uint16_t folded = fold(change);
    /* RFC 1071 section 2 (B): the sum of swapped bytes is the swapped sum */
    return at % 2 == 0 ? folded : (uint16_t)(folded << 8 | folded >> 8);
}

uint64_t checksum_adjust(const struct stretch *in, uint32_t at, uint64_t change)
{
    uint16_t folded = fold(change);
    if (at > in->len || in->len - at < 2 || folded == 0 || folded == 0xffff)
        return 0; /* cut, or nothing that a checksum sees */
    uint16_t old = load_be16(in->data + at);
    uint16_t new = (uint16_t)~fold((uint64_t)(uint16_t)~old + folded);
    store_be16(in->data + at, new);
    return (uint64_t)(uint16_t)~old + new;
}

uint64_t checksum_adjust_udp(const struct stretch *in, uint32_t at, uint64_t change)
{
    if (at > in->len || in->len - at < 2 || load_be16(in->data + at) == 0)
        return 0;
    uint16_t old = load_be16(in->data + at);
    checksum_adjust(in, at, change);
    if (load_be16(in->data + at) == 0)
        store_be16(in->data + at, 0xffff);
    return (uint64_t)(uint16_t)~old + load_be16(in->data + at);
}
