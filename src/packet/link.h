/* The decoders that the table of link types names, and what they share.  No Python here. */
#ifndef PLT_PACKET_LINK_H
#define PLT_PACKET_LINK_H

#include "decode.h"

/* The decoder of a link type: from the link layer's first byte, at, to layer 3. */
#define LINK_DECODER(id)                                                                           \
    void link_##id(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)

/* In link.c. */
LINK_DECODER(avs);
LINK_DECODER(cisco);
LINK_DECODER(cisco_direction);
LINK_DECODER(cooked);
LINK_DECODER(cooked2);
LINK_DECODER(enc);
LINK_DECODER(ethernet);
LINK_DECODER(family);
LINK_DECODER(fddi);
LINK_DECODER(frame_relay);
LINK_DECODER(hdlc);
LINK_DECODER(ieee80211);
LINK_DECODER(ip);
LINK_DECODER(llc);
LINK_DECODER(mpls);
LINK_DECODER(netanalyzer);
LINK_DECODER(netanalyzer_preamble);
LINK_DECODER(nflog);
LINK_DECODER(nothing);
LINK_DECODER(pflog);
LINK_DECODER(ppp);
LINK_DECODER(ppp_direction);
LINK_DECODER(pppoe);
LINK_DECODER(prism);
LINK_DECODER(radiotap);
LINK_DECODER(slip);
LINK_DECODER(sunatm);
LINK_DECODER(token_ring);
/* In wrapper.c: what wraps another link type, or IP in few bytes. */
LINK_DECODER(erf);
LINK_DECODER(infiniband);
LINK_DECODER(ip_over_fc);
LINK_DECODER(ipnet);
LINK_DECODER(ipoib);
LINK_DECODER(pktap);
LINK_DECODER(ppi);
LINK_DECODER(tag_before);
LINK_DECODER(tag_of_4);
LINK_DECODER(tag_of_8);
/* In juniper.c. */
LINK_DECODER(juniper_atm1);
LINK_DECODER(juniper_atm2);
LINK_DECODER(juniper_cisco);
LINK_DECODER(juniper_es);
LINK_DECODER(juniper_ethernet);
LINK_DECODER(juniper_frame_relay);
LINK_DECODER(juniper_ggsn);
LINK_DECODER(juniper_mlfr);
LINK_DECODER(juniper_mlppp);
LINK_DECODER(juniper_monitor);
LINK_DECODER(juniper_ppp);
LINK_DECODER(juniper_pppoe_atm);
LINK_DECODER(juniper_services);
LINK_DECODER(juniper_vp);

static inline bool link_has(uint32_t len, uint32_t at, uint32_t need)
{
    return at <= len && len - at >= need;
}

/* Layer 3 begins at a place, where that was captured. */
static inline void link_set_layer3(struct plt_layers *out, uint32_t len, uint32_t at,
                                   uint16_t ethertype)
{
    out->ethertype = ethertype;
    if (at < len)
        out->layer3 = at;
}

/* A whole frame of another link type within this one: it is layer 2. */
void link_within(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                 struct plt_layers *out);

#endif
