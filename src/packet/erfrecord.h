/* What an ERF record holds (Endace's extensible record format).  No Python here. */
#ifndef PLT_PACKET_ERFRECORD_H
#define PLT_PACKET_ERFRECORD_H

#include <stdint.h>

enum { ERF_HEADER = 16, ERF_EXTENSION = 8 };

enum erf_type {
    ERF_LEGACY = 0,
    ERF_HDLC_POS = 1,
    ERF_ETH = 2,
    ERF_ATM = 3,
    ERF_AAL5 = 4,
    ERF_MC_HDLC = 5,
    ERF_MC_ATM = 7,
    ERF_MC_AAL5 = 9,
    ERF_COLOR_HDLC_POS = 10,
    ERF_COLOR_ETH = 11,
    ERF_DSM_COLOR_HDLC_POS = 15,
    ERF_DSM_COLOR_ETH = 16,
    ERF_COLOR_MC_HDLC_POS = 17,
    ERF_COLOR_HASH_POS = 19,
    ERF_COLOR_HASH_ETH = 20,
    ERF_IPV4 = 22,
    ERF_IPV6 = 23,
    ERF_META = 27,
    ERF_PAD = 48
};

/* How the payload of a record type begins: bytes before the link layer, and its type. */
struct erf_layout {
    uint32_t skip;
    uint32_t linktype; /* enum linktype */
    int16_t libtrace;  /* enum libtrace_type */
};

struct erf_layout erf_layout_of(uint8_t type);
/* The size of the extension headers of a record of rlen bytes, at least ERF_HEADER. The first bit
 * of each is set where another follows. */
uint32_t erf_extensions_size(const uint8_t *record, uint32_t rlen);

#endif
