/* IEEE 802.11 frames: from the MAC header to the layer 3 of data frames that are not encrypted. */
#include "decode.h"

#include "bytes.h"
#include "protocols.h"

enum { TYPE_DATA = 2 };
enum { SUBTYPE_NO_DATA = 4, SUBTYPE_QOS = 8 };
enum { TO_DS = 0x01, FROM_DS = 0x02, PROTECTED = 0x40, ORDER = 0x80 };

/* The size of a data frame's header (IEEE 802.11-2020 section 9.3.2.1). */
static uint32_t header_size(uint8_t subtype, uint8_t flags)
{
    uint32_t size = 24;
    if ((flags & TO_DS) && (flags & FROM_DS))
        size += 6; /* a fourth address */
    if (subtype & SUBTYPE_QOS) {
        size += 2;
        if (flags & ORDER)
            size += 4; /* HT control */
    }
    return size;
}

void plt_decode_80211(const uint8_t *data, uint32_t len, uint32_t at, bool padded,
                      struct plt_layers *out)
{
    if (at > len || len - at < 2)
        return;
    uint8_t type = data[at] >> 2 & 3;
    uint8_t subtype = data[at] >> 4;
    uint8_t flags = data[at + 1];
    if (type != TYPE_DATA || (subtype & SUBTYPE_NO_DATA) || (flags & PROTECTED))
        return;
    uint32_t size = header_size(subtype, flags);
    if (len - at < size)
        return;
    bool aggregate = false;
    if (subtype & SUBTYPE_QOS) /* A-MSDU: the first subframe has addresses and a length before it */
        aggregate = data[at + size - (flags & ORDER ? 6 : 2)] & 0x80;
    if (padded)
        size = (size + 3) & ~3U;
    plt_decode_llc(data, len, at + size + (aggregate ? 14 : 0), out);
}
