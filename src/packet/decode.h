/* The layers of a packet, from its first byte on.  No Python here. */
#ifndef PLT_PACKET_DECODE_H
#define PLT_PACKET_DECODE_H

#include "block.h"
#include "network.h"
#include "packet.h"

/* What the bytes of a packet begin with. */
enum plt_root { ROOT_LINK, ROOT_NETWORK, ROOT_ARP, ROOT_TRANSPORT };

/* How many bytes of a packet were on the wire, without its frame check sequence: WIRE_UNKNOWN where
 * the source does not tell. */
uint64_t plt_wire(const struct plt_meta *meta, uint32_t len);
/* Find the layers of len bytes.  meta has the link type of ROOT_LINK; proto is the IP version of
 * ROOT_NETWORK and the protocol of ROOT_TRANSPORT. */
void plt_decode(const uint8_t *data, uint32_t len, const struct plt_meta *meta, uint8_t root,
                uint8_t proto, struct plt_layers *out);
/* The same without the straight path for what is common (straight.h). */
void plt_decode_general(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                        uint8_t root, uint8_t proto, struct plt_layers *out);
/* The layers of a record, from its link layer on. */
static inline void record_layers(const struct plt_record *record, struct plt_layers *out)
{
    if (record->layers)
        *out = *record->layers;
    else
        plt_decode(record->data, record->len, &record->meta, ROOT_LINK, 0, out);
}
/* The layers of several records; those that a record points to already are where they are to be. */
void record_layers_all(const struct plt_record *records, size_t count, struct plt_layers *out);
/* Where the headers of records are, without layers where that is the shorter way: BLOCK_HEADERS. */
void record_headers_all(struct record_block *records, struct packet_block *out);

#endif
