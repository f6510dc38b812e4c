/* Direction, time and lengths: from the source where it states them, else from the link type and
 * the link layer's header. */
#include "meta.h"

#include "bytes.h"
#include "cooked.h"
#include "ieee80211.h"
#include "juniper.h"
#include "link.h"
#include "linktypes.h"

int plt_direction(const uint8_t *data, uint32_t len, const struct plt_meta *meta)
{
    if (meta->direction != DIR_UNKNOWN)
        return meta->direction;
    const struct link_row *row = link_row_of(meta->dlt);
    switch (row ? (enum link_direction)row->direction : DIRECTION_NONE) {
    case DIRECTION_COOKED: /* some writers swap its bytes */
        if (len >= 2)
            return data[0] + data[1] == 4 ? DIR_OUTGOING : DIR_INCOMING;
        break;
    case DIRECTION_COOKED2:
        if (len >= 11)
            return data[10] == 4 ? DIR_OUTGOING : DIR_INCOMING;
        break;
    case DIRECTION_PFLOG:
        if (len >= 61)
            return data[60] == 1 ? DIR_INCOMING : data[60] == 2 ? DIR_OUTGOING : DIR_OTHER;
        break;
    case DIRECTION_BYTE:
        if (len >= 1)
            return data[0] == 0 ? DIR_INCOMING : DIR_OUTGOING;
        break;
    case DIRECTION_PPPD:
        if (pppd_has_direction(data, len, 0))
            return data[0] == 0 ? DIR_INCOMING : DIR_OUTGOING;
        break;
    case DIRECTION_JUNIPER:
        if (len >= 4 && load_be32(data) >> 8 == JUNIPER_MAGIC)
            return data[3] & 1 ? DIR_INCOMING : DIR_OUTGOING;
        break;
    case DIRECTION_NONE:
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

/* The FCS that a kind of link layer has and its length field does not count. */
static uint32_t uncounted_fcs(const uint8_t *data, uint32_t len, enum link_fcs fcs)
{
    enum { RADIOTAP_FCS = 0x10 };
    switch (fcs) {
    case FCS_ETHERNET:
        return ETHERNET_FCS;
    case FCS_RADIOTAP:
        return plt_radiotap_flags(data, len) & RADIOTAP_FCS ? 0 : ETHERNET_FCS;
    case FCS_COOKED:
        return len >= 16 && load_be16(data + 14) == SLL_WHOLE_FRAME ? ETHERNET_FCS : 0;
    case FCS_NONE:
        break;
    }
    return 0;
}

/* How much longer than the length field of a pcap format libtrace's wire length is.  For radiotap
 * that is not meta->fcs, which the frame may hold already. */
static uint32_t wire_extra(const uint8_t *data, uint32_t len, const struct plt_meta *meta)
{
    const struct link_row *row = link_row_of(meta->dlt);
    return row && !meta->fcs_counted ? uncounted_fcs(data, len, (enum link_fcs)row->fcs) : 0;
}

uint64_t meta_length_field(const struct plt_meta *meta, const uint8_t *data, uint32_t len)
{
    uint32_t extra = wire_extra(data, len, meta);

    return meta->wire_len > extra ? meta->wire_len - extra : 0;
}

void meta_set_wire_len(struct plt_meta *meta, const uint8_t *data, uint32_t len, uint32_t length)
{
    uint32_t extra = wire_extra(data, len, meta);
    meta->wire_len = (uint64_t)length + extra;
    if (meta->fcs_counted)
        return;
    meta->fcs = (uint8_t)extra;
    if (meta->dlt == LINKTYPE_IEEE802_11_RADIOTAP)
        meta->fcs = ETHERNET_FCS; /* where nothing was added it is a part of the frame */
}

bool meta_even_fcs(struct plt_meta *meta, uint8_t *extra)
{
    const struct link_row *row = link_row_of(meta->dlt);
    enum link_fcs fcs = row && !meta->fcs_counted ? (enum link_fcs)row->fcs : FCS_NONE;
    if (fcs == FCS_RADIOTAP || fcs == FCS_COOKED) /* as the header of each says */
        return false;
    *extra = (uint8_t)wire_extra(NULL, 0, meta);
    if (!meta->fcs_counted)
        meta->fcs = *extra;
    return true;
}

/* --- Interfaces ------------------------------------------------------------------------------ */

uint32_t linktype_of_hardware(uint32_t hardware)
{
    switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        return LINKTYPE_ETHERNET;
    case ARPHRD_80211:
        return LINKTYPE_IEEE802_11;
    case ARPHRD_RADIOTAP:
        return LINKTYPE_IEEE802_11_RADIOTAP;
    default: /* tunnels, PPP: the packet begins with its IP header */
        return LINKTYPE_DLT_RAW;
    }
}

bool hardware_sends(uint32_t hardware, uint32_t linktype)
{
    uint32_t own = linktype_of_hardware(hardware);

    if (own != LINKTYPE_DLT_RAW)
        return linktype == own;
    switch (linktype) {
    case LINKTYPE_DLT_RAW:
    case LINKTYPE_DLT_RAW_OPENBSD:
    case LINKTYPE_RAW:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
        return true;
    default:
        return false;
    }
}
