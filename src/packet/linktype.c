/* What a link type and a source say of a packet besides its layers: libtrace's name of the link
 * type, direction, the FCS, ERF time. */
#include "decode.h"

#include "bytes.h"
#include "protocols.h"

int16_t plt_linktype_of_dlt(uint32_t dlt)
{
    switch (dlt) {
    case 1:
        return LINKTYPE_ETH;
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
        return LINKTYPE_NONE;
    case 9:
    case 204:
        return LINKTYPE_PPP;
    case 50:
    case 104:
    case 166:
    case 205:
    case DLT_LEGACY_POS:
        return LINKTYPE_POS;
    case DLT_HDLC_POS:
        return LINKTYPE_HDLC_POS;
    case 11:
    case 100:
        return LINKTYPE_LLCSNAP;
    case DLT_ATM_CELL:
    case DLT_LEGACY_ATM:
        return LINKTYPE_ATM;
    case 105:
        return LINKTYPE_80211;
    case 119:
        return LINKTYPE_80211_PRISM;
    case 127:
        return LINKTYPE_80211_RADIO;
    case 113:
        return LINKTYPE_LINUX_SLL;
    case 117:
        return LINKTYPE_PFLOG;
    case 108:
        return LINKTYPE_OPENBSD_LOOP;
    case DLT_DUCK:
        return LINKTYPE_DUCK;
    default:
        return LINKTYPE_UNKNOWN;
    }
}

enum { DIR_OUTGOING = 0, DIR_INCOMING = 1, DIR_OTHER = 2, DIR_UNKNOWN = -1 };

int plt_direction(const uint8_t *data, uint32_t len, const struct plt_meta *meta)
{
    if (meta->direction != DIR_UNKNOWN)
        return meta->direction;
    switch (meta->dlt) {
    case 113: /* Linux cooked: packet type 4 was sent by the host; some writers swap its bytes */
        if (len >= 2)
            return data[0] + data[1] == 4 ? DIR_OUTGOING : DIR_INCOMING;
        break;
    case 276:
        if (len >= 11)
            return data[10] == 4 ? DIR_OUTGOING : DIR_INCOMING;
        break;
    case 117: /* pflog: 1 in, 2 out */
        if (len >= 61)
            return data[60] == 1 ? DIR_INCOMING : data[60] == 2 ? DIR_OUTGOING : DIR_OTHER;
        break;
    case 204: /* with a direction byte, 0 where received */
    case 205:
        if (len >= 1)
            return data[0] == 0 ? DIR_INCOMING : DIR_OUTGOING;
        break;
    default:
        break;
    }
    return DIR_UNKNOWN;
}

uint64_t plt_erf_time(const struct plt_meta *meta)
{
    if (meta->erf_time)
        return meta->erf_time;
    return (uint64_t)meta->sec << 32 | ((uint64_t)meta->nsec << 32) / 1000000000;
}

/* Whether a radiotap header (https://www.radiotap.org) says that the frame's FCS was captured. */
static bool radiotap_has_fcs(const uint8_t *data, uint32_t len)
{
    enum { HAS_TSFT = 1, HAS_FLAGS = 2, FLAG_FCS = 0x10 };
    uint32_t at = 4;
    if (len < 8)
        return false;
    uint32_t first = load_le32(data + at);
    do { /* bit 31: another word of present bits follows */
        if (len - at < 4)
            return false;
        at += 4;
    } while (load_le32(data + at - 4) >> 31);
    if (!(first & HAS_FLAGS))
        return false;
    if (first & HAS_TSFT)
        at = ((at + 7) & ~7U) + 8;
    return at < len && data[at] & FLAG_FCS;
}

uint32_t plt_wire_extra(const uint8_t *data, uint32_t len, uint32_t dlt)
{
    switch (dlt) {
    case 1:
        return 4;
    case 127:
        return radiotap_has_fcs(data, len) ? 0 : 4;
    case 113:
        return len >= 16 && load_be16(data + 14) == SLL_WHOLE_FRAME ? 4 : 0;
    default:
        return 0;
    }
}

void meta_set_wire_len(struct plt_meta *meta, const uint8_t *data, uint32_t len, uint32_t length)
{
    uint32_t extra = plt_wire_extra(data, len, meta->dlt);

    meta->wire_len = (uint64_t)length + extra;
    meta->fcs = (uint8_t)extra;
    if (meta->dlt == 127)
        meta->fcs = 4; /* where nothing was added it is a part of the frame */
}
