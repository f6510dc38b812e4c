/* What the decoders of link types share: each finds layer 3 in a packet, from the first byte of the
 * link layer on.  No Python here. */
#ifndef PLT_PACKET_DECODER_H
#define PLT_PACKET_DECODER_H

#include <stdbool.h>

#include "linktypes.h"
#include "packet.h"

/* The decoder of a link type, whose first byte is at a place. */
#define LINK_DECODER(id)                                                                           \
    void link_##id(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)

/* More tags, labels and link layers within each other than any network makes. */
enum { LINK_MAX_DEPTH = 16 };

static inline bool link_has(uint32_t len, uint32_t at, uint32_t need)
{
    return at <= len && len - at >= need;
}

/* Where a length before layer 3 is, as layers have it: 0 where that is further than any is. */
static inline uint16_t link_place(uint32_t at)
{
    return at <= UINT16_MAX ? (uint16_t)at : 0;
}

/* Layer 3 begins at a place, where that was captured. */
static inline void link_set_layer3(struct plt_layers *out, uint32_t len, uint32_t at,
                                   uint16_t ethertype)
{
    out->ethertype = ethertype;
    if (at < len)
        out->layer3 = at;
}

/* A frame of a link type begins at a place: that is layer 2.  False where nothing of it was
 * captured, or too many link layers are within each other; else the decoder is to be called. */
static inline bool link_enter(uint32_t len, uint32_t at, uint32_t linktype, struct plt_layers *out)
{
    if (at >= len || out->depth++ > LINK_MAX_DEPTH)
        return false;
    out->layer2 = at;
    out->linktype = plt_linktype_of_dlt(linktype);
    return true;
}

/* IEEE 802.11: a frame's MAC header is at a place; padded: padding to 4 bytes follows that.  In
 * ieee80211.c, which needs Ethernet's decoder, and is needed by that. */
void plt_decode_80211(const uint8_t *data, uint32_t len, uint32_t at, bool padded,
                      struct plt_layers *out);

#endif
