/* The link types of Juniper's routers (https://www.tcpdump.org/linktypes.html).  No Python here. */
#ifndef PLT_PACKET_JUNIPER_H
#define PLT_PACKET_JUNIPER_H

#include "decoder.h"

/* What the header begins with: MGC. */
enum { JUNIPER_MAGIC = 0x4d4743 };

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

#endif
