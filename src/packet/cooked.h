/* Linux cooked captures.  No Python here. */
#ifndef PLT_PACKET_COOKED_H
#define PLT_PACKET_COOKED_H

#include "decoder.h"

/* The protocol of packets that hold a whole Ethernet frame (loopback). */
enum { SLL_WHOLE_FRAME = 0x0060 };

LINK_DECODER(cooked);
LINK_DECODER(cooked2);

#endif
