/* Finding the layers of a packet, from its first byte on.  No Python here. */
#ifndef PLT_PACKET_DECODE_H
#define PLT_PACKET_DECODE_H

#include "linktypes.h"
#include "packet.h"

/* The protocol of Linux cooked packets that hold a whole Ethernet frame (loopback). */
#define SLL_WHOLE_FRAME 0x0060

/* What Juniper's captures begin with: MGC. */
#define JUNIPER_MAGIC 0x4d4743

/* What the bytes of a packet begin with. */
enum plt_root { ROOT_LINK, ROOT_NETWORK, ROOT_TRANSPORT };

/* Find the layers of len bytes.  meta tells the link type of ROOT_LINK; proto is the IP version of
 * ROOT_NETWORK and the protocol of ROOT_TRANSPORT. */
void plt_decode(const uint8_t *data, uint32_t len, const struct plt_meta *meta, uint8_t root,
                uint8_t proto, struct plt_layers *out);
/* The layers of a record, from its link layer on. */
static inline void record_layers(const struct plt_record *record, struct plt_layers *out)
{
    plt_decode(record->data, record->len, &record->meta, ROOT_LINK, 0, out);
}
/* The steps of it: from the link layer to layer 3, 802.11's part of that, and from layer 3 on. */
void plt_decode_link(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                     struct plt_layers *out);
/* padded: the header is followed by padding to 4 bytes. */
void plt_decode_80211(const uint8_t *data, uint32_t len, uint32_t at, bool padded,
                      struct plt_layers *out);
void plt_decode_llc(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out);
void plt_decode_ethertype(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                          struct plt_layers *out);
/* wire is how many bytes were on the wire, without a frame check sequence. */
#define WIRE_UNKNOWN UINT64_MAX
void plt_decode_network(const uint8_t *data, uint32_t len, uint64_t wire, struct plt_layers *out);

/* TRACE_DIR_*: the source's word, else what the link layer's header tells, else -1. */
int plt_direction(const uint8_t *data, uint32_t len, const struct plt_meta *meta);
/* Arrival time in ERF's 32.32 fixed point: the source's own, else computed. */
uint64_t plt_erf_time(const struct plt_meta *meta);
uint8_t plt_radiotap_flags(const uint8_t *data, uint32_t len);
/* Set wire_len and fcs from the length field of a pcap format; where that counts the FCS
 * (fcs_counted), fcs was set before. */
void meta_set_wire_len(struct plt_meta *meta, const uint8_t *data, uint32_t len, uint32_t length);
/* What the length field of a pcap format says of a packet: wire_len without an FCS that such a
 * field does not count. */
uint64_t meta_length_field(const struct plt_meta *meta, const uint8_t *data, uint32_t len);
/* TRACE_TYPE_* of a link type as libtrace would name it, -1 where it has no name. */
int16_t plt_linktype_of_dlt(uint32_t dlt);

#endif
