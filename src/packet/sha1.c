/* SHA-1 of one block: FIPS 180-4 sections 4.1.1, 4.2.1, 5.1.1, 5.3.1 and 6.1.2. */
#include "sha1.h"

#include "bytes.h"

#include <string.h>

enum { BLOCK = 64, WORDS = 16, ROUNDS = 80, LENGTH_AT = 56 };

static uint32_t rotate_left(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

void sha1_short(const uint8_t *message, size_t len, uint8_t digest[SHA1_SIZE])
{
    static const uint32_t initial[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint8_t block[BLOCK] = {0};
    uint32_t schedule[ROUNDS];
    if (len > SHA1_SHORT)
        len = SHA1_SHORT;
    memcpy(block, message, len);
    block[len] = 0x80;
    store_be16(block + LENGTH_AT + 6, (uint16_t)(len * 8));
    for (unsigned t = 0; t < WORDS; t++)
        schedule[t] = load_be32(block + (size_t)t * 4);
    for (unsigned t = WORDS; t < ROUNDS; t++)
        schedule[t] =
            rotate_left(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
    uint32_t a = initial[0], b = initial[1], c = initial[2], d = initial[3], e = initial[4];
    for (unsigned t = 0; t < ROUNDS; t++) {
        unsigned quarter = t / 20;
        uint32_t mixed = quarter == 0   ? (b & c) ^ (~b & d)
                         : quarter == 2 ? (b & c) ^ (b & d) ^ (c & d)
                                        : b ^ c ^ d;
        uint32_t next = rotate_left(a, 5) + mixed + e + constants[quarter] + schedule[t];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    const uint32_t state[5] = {a, b, c, d, e};
    for (unsigned i = 0; i < 5; i++)
        store_be32(digest + (size_t)i * 4, initial[i] + state[i]);
}
