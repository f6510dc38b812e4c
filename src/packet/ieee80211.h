/* IEEE 802.11 frames, and the headers that monitoring writes before them.  No Python here. */
#ifndef PLT_PACKET_IEEE80211_H
#define PLT_PACKET_IEEE80211_H

#include "decoder.h"

LINK_DECODER(avs);
LINK_DECODER(ieee80211);
LINK_DECODER(prism);
LINK_DECODER(radiotap);

/* The size of the mesh control field that a data frame of a mesh has before 802.2 (IEEE 802.11-2020
 * section 9.2.4.8.3): flags, TTL, sequence number, and up to two more addresses by the flags.  0
 * where the flags can't be those. */
uint32_t ieee80211_mesh_control_size(const uint8_t *data, uint32_t len, uint32_t at);
/* The flags of a radiotap header (https://www.radiotap.org/fields/Flags), 0 without. */
uint8_t plt_radiotap_flags(const uint8_t *data, uint32_t len);

#endif
