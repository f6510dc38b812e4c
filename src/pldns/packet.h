/* The messages of a packet. */
#ifndef PLDNS_PACKET_H
#define PLDNS_PACKET_H

#include "matcher.h"

#include "packet/packet.h"

/* A packet whose messages are being handed out. */
struct pldns_packet {
    const uint8_t *data; /* borrowed from the record */
    uint64_t wire_len;   /* as libtrace defines it; above UINT32_MAX where it is not known */
    struct pldns_ends ends;
    uint32_t at;       /* of the bytes not yet handed out */
    uint32_t captured; /* end of what the headers' lengths cover and was captured */
    uint32_t end;      /* end by the headers' lengths */
    bool open;         /* there may be more messages */
    struct pldns_stream stream;
    bool has_time;
    int64_t time; /* nanoseconds since the epoch */
};

/* A message, or what was captured of it. */
struct pldns_found {
    const uint8_t *wire; /* borrowed, as the packet's data is */
    size_t size;         /* bytes there */
    uint32_t length;     /* by the header of UDP, or by the prefix in TCP */
};

enum { PLDNS_PORTS_SIZE = 65536 / 8 };

/* Look at a record whose layers are given: the packet is open where it may have messages from or to
 * one of the ports, a bit each; false when out of memory. */
bool pldns_packet_open(struct pldns_packet *packet, const struct plt_record *record,
                       const struct plt_layers *layers, const uint8_t ports[PLDNS_PORTS_SIZE],
                       struct pldns_matcher *matcher);
/* The same with the layers that the record has. */
bool pldns_packet_decode(struct pldns_packet *packet, const struct plt_record *record,
                         const uint8_t ports[PLDNS_PORTS_SIZE], struct pldns_matcher *matcher);
/* What a record tells of a packet: its bytes, their number on the wire, and when it came. */
void pldns_packet_set_record(struct pldns_packet *packet, const struct plt_record *record);
/* The next message of an open packet; false when there are no more, and it is no longer open. */
bool pldns_packet_next(struct pldns_packet *packet, struct pldns_matcher *matcher,
                       struct pldns_found *found);

/* Whether a message begins with the bytes of a segment, of which that is not known: its prefixes
 * lead to the segment's end, or a plain question follows the first. */
bool pldns_begins_message(const uint8_t *bytes, uint32_t captured, uint32_t size);
/* Whether a packet with these layers is from or to one of the ports. */
bool pldns_has_port(const uint8_t *data, const struct plt_layers *layers,
                    const uint8_t ports[PLDNS_PORTS_SIZE]);

#endif
