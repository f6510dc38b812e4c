/* The packet that an ICMP error quotes.  No Python here. */
#ifndef PLT_PACKET_ICMPQUOTE_H
#define PLT_PACKET_ICMPQUOTE_H

#include <stdint.h>

enum { ICMP_HEADER = 8 };

/* How many bytes a quote has by its message's header, where that says so because extension objects
 * follow (RFC 4884 section 4: in words of 4 bytes, of ICMPv6 in words of 8); else 0. */
static inline uint32_t icmp_told_quote(int version, const uint8_t *message, uint32_t len)
{
    enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };
    enum { UNREACHABLE6 = 1, TIME_EXCEEDED6 = 3 };
    if (len < ICMP_HEADER)
        return 0;
    if (version == 6)
        return message[0] == UNREACHABLE6 || message[0] == TIME_EXCEEDED6 ? message[4] * 8U : 0;
    return message[0] == UNREACHABLE || message[0] == TIME_EXCEEDED ||
                   message[0] == PARAMETER_PROBLEM
               ? message[5] * 4U
               : 0;
}

/* Where the quote in a message ends, of which `len` bytes are there; never more than these. */
static inline uint32_t icmp_quote_end(int version, const uint8_t *message, uint32_t len)
{
    uint32_t told = icmp_told_quote(version, message, len);
    return told > 0 && told < len - ICMP_HEADER ? ICMP_HEADER + told : len;
}

#endif
