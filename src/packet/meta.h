/* The direction, time and wire length of a packet: from its source, else from its link layer.  No
 * Python here. */
#ifndef PLT_PACKET_META_H
#define PLT_PACKET_META_H

#include "packet.h"

/* libtrace's TRACE_DIR_*. */
enum { DIR_OUTGOING = 0, DIR_INCOMING = 1, DIR_OTHER = 2, DIR_UNKNOWN = -1 };

/* TRACE_DIR_*: as the source states it, else as the link layer's header does, else -1. */
int plt_direction(const uint8_t *data, uint32_t len, const struct plt_meta *meta);
/* Arrival time in ERF's 32.32 fixed point: the source's own, else computed. */
uint64_t plt_erf_time(const struct plt_meta *meta);
/* Set wire_len and fcs from the length field of a pcap format; where that counts the FCS
 * (fcs_counted), fcs was set before. */
void meta_set_wire_len(struct plt_meta *meta, const uint8_t *data, uint32_t len, uint32_t length);
/* Whether all packets of a source's link type are alike in that; then fcs is set, and how much is
 * to be added to the length field. */
bool meta_even_fcs(struct plt_meta *meta, uint8_t *extra);
/* What the length field of a pcap format says of a packet: wire_len without an FCS that such a
 * field does not count. */
uint64_t meta_length_field(const struct plt_meta *meta, const uint8_t *data, uint32_t len);

#endif
