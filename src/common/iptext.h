/* The text of addresses (RFC 5952).  No Python here. */
#ifndef PLT_COMMON_IPTEXT_H
#define PLT_COMMON_IPTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "packet/bytes.h"

enum { ADDRESS_TEXT_SIZE = 40 }; /* of the longest, with a byte to end it */

/* The put_ functions write at to and return the place after what they wrote. */

static inline char *put_decimal(char *to, unsigned value)
{
    if (value >= 100)
        *to++ = (char)('0' + value / 100);
    if (value >= 10)
        *to++ = (char)('0' + value / 10 % 10);
    *to++ = (char)('0' + value % 10);
    return to;
}

static inline char *put_hex(char *to, unsigned value)
{
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = value >> shift & 0xf;
        if (digit != 0 || started || shift == 0) {
            *to++ = "0123456789abcdef"[digit];
            started = true;
        }
    }
    return to;
}

/* The text of an octet with the point after it, and the length of both.  Random addresses are a
 * matter of 20 ns less by this table than by division, whose branches nobody can foresee. */
struct octet_text {
    char text[4];
    uint8_t len;
};

#define OCTET(n)                                                                                   \
    {                                                                                              \
        .text = {'0' + ((n) > 99  ? (n) / 100                                                      \
                        : (n) > 9 ? (n) / 10                                                       \
                                  : (n)),                                                          \
                 (n) > 99  ? '0' + (n) / 10 % 10                                                   \
                 : (n) > 9 ? '0' + (n) % 10                                                        \
                           : '.',                                                                  \
                 (n) > 99 ? '0' + (n) % 10 : '.', '.'},                                            \
        .len = (n) > 99  ? 4                                                                       \
               : (n) > 9 ? 3                                                                       \
                         : 2                                                                       \
    }
#define OCTETS_4(n)  OCTET(n), OCTET((n) + 1), OCTET((n) + 2), OCTET((n) + 3)
#define OCTETS_16(n) OCTETS_4(n), OCTETS_4((n) + 4), OCTETS_4((n) + 8), OCTETS_4((n) + 12)
#define OCTETS_64(n) OCTETS_16(n), OCTETS_16((n) + 16), OCTETS_16((n) + 32), OCTETS_16((n) + 48)

static const struct octet_text octet_texts[256] = {OCTETS_64(0), OCTETS_64(64), OCTETS_64(128),
                                                   OCTETS_64(192)};

/* Takes room for a byte more than the text has. */
static inline char *put_ipv4(char *to, const uint8_t *addr)
{
    for (int i = 0; i < 4; i++) {
        const struct octet_text *octet = &octet_texts[addr[i]];
        memcpy(to, octet->text, sizeof(octet->text));
        to += octet->len;
    }
    return to - 1;
}

/* RFC 5952 section 4; IPv4-mapped addresses in mixed notation (its section 5).  inet_ntop() also
 * writes the IPv4-compatible ::/96 so, which RFC 4291 section 2.5.5.1 has deprecated. */
static inline char *put_ipv6(char *to, const uint8_t *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned fields[8];
    int run_start = -1;
    int run_size = 1; /* "::" must stand for more than one field: section 4.2.2 */
    if (memcmp(addr, mapped, sizeof(mapped)) == 0) {
        memcpy(to, "::ffff:", 7);
        return put_ipv4(to + 7, addr + 12);
    }
    for (int i = 0; i < 8; i++)
        fields[i] = load_be16(addr + 2 * i);
    for (int i = 0; i < 8; i++) {
        int size = 0;
        while (i + size < 8 && fields[i + size] == 0)
            size++;
        if (size > run_size) { /* not >=: the first of equal runs is shortened, section 4.2.3 */
            run_start = i;
            run_size = size;
        }
        i += size;
    }
    for (int i = 0; i < 8;) {
        if (i == run_start) {
            *to++ = ':';
            *to++ = ':';
            i += run_size;
        } else {
            if (i > 0 && to[-1] != ':')
                *to++ = ':';
            to = put_hex(to, fields[i]);
            i++;
        }
    }
    return to;
}

#endif
