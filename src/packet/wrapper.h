/* Decoders of link types that put a header before Ethernet, 802.2 or IP.  No Python here. */
#ifndef PLT_PACKET_WRAPPER_H
#define PLT_PACKET_WRAPPER_H

#include "decoder.h"

LINK_DECODER(infiniband);
LINK_DECODER(ip_over_fc);
LINK_DECODER(ipnet);
LINK_DECODER(ipoib);
LINK_DECODER(tag_before);
LINK_DECODER(tag_of_4);
LINK_DECODER(tag_of_8);

#endif
