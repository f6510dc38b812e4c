/* From the first byte of a packet to layer 3, for every link type in the table (linktypes.h).  No
 * Python here. */
#ifndef PLT_PACKET_LINKLAYER_H
#define PLT_PACKET_LINKLAYER_H

#include "packet.h"

void plt_decode_link(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                     struct plt_layers *out);

#endif
