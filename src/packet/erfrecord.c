/* The types of ERF records, and where the frame in them begins. */
#include "erfrecord.h"

#include "linktypes.h"

#include <stdbool.h>

struct erf_layout erf_layout_of(uint8_t type)
{
    switch (type) {
    case ERF_ETH:
    case ERF_COLOR_ETH:
    case ERF_DSM_COLOR_ETH:
    case ERF_COLOR_HASH_ETH:
        return (struct erf_layout){2, LINKTYPE_ETHERNET, LIBTRACE_TYPE_ETH};
    case ERF_LEGACY:
    case ERF_HDLC_POS:
    case ERF_COLOR_HDLC_POS:
    case ERF_DSM_COLOR_HDLC_POS:
    case ERF_COLOR_HASH_POS:
        return (struct erf_layout){0, LINKTYPE_ERF_HDLC, LIBTRACE_TYPE_HDLC_POS};
    case ERF_MC_HDLC: /* a multi-channel header first */
    case ERF_COLOR_MC_HDLC_POS:
        return (struct erf_layout){4, LINKTYPE_ERF_HDLC, LIBTRACE_TYPE_HDLC_POS};
    case ERF_ATM:
        return (struct erf_layout){0, LINKTYPE_ERF_ATM, LIBTRACE_TYPE_ATM};
    case ERF_MC_ATM:
        return (struct erf_layout){4, LINKTYPE_ERF_ATM, LIBTRACE_TYPE_ATM};
    case ERF_AAL5:
        return (struct erf_layout){0, LINKTYPE_ERF_ATM, LIBTRACE_TYPE_AAL5};
    case ERF_MC_AAL5:
        return (struct erf_layout){4, LINKTYPE_ERF_ATM, LIBTRACE_TYPE_AAL5};
    case ERF_IPV4:
    case ERF_IPV6:
        return (struct erf_layout){0, LINKTYPE_RAW, LIBTRACE_TYPE_NONE};
    case ERF_META:
        return (struct erf_layout){0, LINKTYPE_UNDECODED, LIBTRACE_TYPE_METADATA};
    default:
        return (struct erf_layout){0, LINKTYPE_UNDECODED, LIBTRACE_TYPE_UNKNOWN};
    }
}

uint32_t erf_extensions_size(const uint8_t *record, uint32_t rlen)
{
    uint32_t at = ERF_HEADER;
    bool more = record[8] & 0x80;
    while (more && rlen - at >= ERF_EXTENSION) {
        more = record[at] & 0x80;
        at += ERF_EXTENSION;
    }
    return at - ERF_HEADER;
}
