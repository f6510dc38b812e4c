/* Decoders of link types that put a header before Ethernet, 802.2 or IP.  No Python here. */
#ifndef PLT_PACKET_WRAPPER_H
#define PLT_PACKET_WRAPPER_H

#include "decoder.h"

LINK_DECODER(arcnet);
LINK_DECODER(arcnet_linux);
LINK_DECODER(ax25);
LINK_DECODER(ax25_kiss);
LINK_DECODER(epon);
LINK_DECODER(fibre_channel);
LINK_DECODER(fibre_channel_delimited);
LINK_DECODER(ieee1394);
LINK_DECODER(infiniband);
LINK_DECODER(ip_over_fc);
LINK_DECODER(ipnet);
LINK_DECODER(ipoib);
LINK_DECODER(mpacket);
LINK_DECODER(redback);
LINK_DECODER(tag_before);
LINK_DECODER(tag_of_4);
LINK_DECODER(tag_of_8);

#endif
