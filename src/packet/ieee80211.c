/* From the MAC header of a frame to the layer 3 of data frames that are not encrypted. */
#include "ieee80211.h"

#include "bytes.h"
#include "ethertype.h"
#include "framecontrol.h"

enum { SUBTYPE_QOS = 8 };
enum { AGGREGATE = 0x80, MESH = 0x01 }; /* of the QoS control field's bytes (section 9.2.4.5.1) */
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

uint32_t ieee80211_mesh_control_size(const uint8_t *data, uint32_t len, uint32_t at)
{
    const uint32_t least_size = 6, most_addresses = 2, address = 6;
    if (!link_has(len, at, 1) || data[at] > most_addresses)
        return 0;
    return least_size + data[at] * address;
}

void plt_decode_80211(const uint8_t *data, uint32_t len, uint32_t at, bool padded,
                      struct plt_layers *out)
{
    if (at > len || len - at < 2)
        return;
    struct frame_control control = frame_control_read(data + at);
    uint8_t subtype = control.first >> 4;
    uint8_t flags = control.flags;
    if (!frame_control_has_data(control) || (flags & PROTECTED))
        return;
    uint32_t size = header_size(subtype, flags);
    if (len - at < size)
        return;
    bool aggregate = false;
    bool mesh = false;
    if (subtype & SUBTYPE_QOS) {
        const uint8_t *qos = data + at + size - (flags & ORDER ? 6 : 2);
        aggregate = qos[0] & AGGREGATE;
        mesh = (flags & FROM_DS) && (qos[1] & MESH); /* else it is a part of a number */
    }
    if (padded)
        size = (size + 3) & ~3U;
    at += size;
    if (aggregate) { /* A-MSDU: the first subframe has addresses and a length before it */
        out->subframe_at = link_place(at);
        out->length_at = link_place(at + 12);
        at += 14;
    }
    if (mesh)
        at += ieee80211_mesh_control_size(data, len, at);
    plt_decode_llc(data, len, at, out);
}

/* --- Headers before a frame ------------------------------------------------------------------ */

uint8_t plt_radiotap_flags(const uint8_t *data, uint32_t len)
{
    enum { HAS_TSFT = 1, HAS_FLAGS = 2 };
    uint32_t at = 4;
    if (len < 8)
        return 0;
    uint32_t first = load_le32(data + at);
    do { /* bit 31: another word of present bits follows */
        if (len - at < 4)
            return 0;
        at += 4;
    } while (load_le32(data + at - 4) >> 31);
    if (!(first & HAS_FLAGS))
        return 0;
    if (first & HAS_TSFT)
        at = ((at + 7) & ~7U) + 8;
    return at < len ? data[at] : 0;
}

LINK_DECODER(ieee80211)
{
    plt_decode_80211(data, len, at, false, out);
}

/* 802.11 follows a header of `size` bytes, of which the first was captured, if all were. */
static void decode_monitor(const uint8_t *data, uint32_t len, uint32_t at, uint32_t size,
                           bool padded, struct plt_layers *out)
{
    if (size >= len - at)
        return;
    out->layer2 = at + size;
    out->linktype = LIBTRACE_TYPE_80211;
    plt_decode_80211(data, len, at + size, padded, out);
}

/* Prism's own header has its length in bytes 4 to 7, AVS's in the same place. */
LINK_DECODER(prism)
{
    if (!link_has(len, at, 8))
        return;
    bool avs = load_be32(data + at) >> 12 == 0x80211;
    decode_monitor(data, len, at, avs ? load_be32(data + at + 4) : load_le32(data + at + 4), false,
                   out);
}

LINK_DECODER(avs)
{
    if (link_has(len, at, 8))
        decode_monitor(data, len, at, load_be32(data + at + 4), false, out);
}

LINK_DECODER(radiotap)
{
    enum { FLAG_DATA_PAD = 0x20 };
    if (link_has(len, at, 8))
        decode_monitor(data, len, at, load_le16(data + at + 2),
                       plt_radiotap_flags(data + at, len - at) & FLAG_DATA_PAD, out);
}
