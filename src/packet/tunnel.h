/* Packets within packets: the tunnel that a packet is, and the packet in it.  No Python here. */
#ifndef PLT_PACKET_TUNNEL_H
#define PLT_PACKET_TUNNEL_H

#include "encapsulation.h"
#include "packet.h"
#include "protocols.h"

/* Deeper than this none is looked for: what is there belongs to the packet around it. */
enum { TUNNEL_MOST_DEPTH = 16, TUNNEL_MOST_PORTS = 64 };

/* UDP ports of tunnels, besides those that are assigned. */
struct tunnel_ports {
    unsigned count;
    struct {
        uint16_t port;
        uint8_t kind; /* enum tunnel_kind, one for which tunnel_kind_has_port() */
        uint8_t unused;
    } rows[TUNNEL_MOST_PORTS];
};

/* What carries a packet. */
struct tunnel {
    uint8_t kind; /* enum tunnel_kind */
    bool has_id;
    uint8_t version; /* of the addresses: 4 or 6, 0 where there are none */
    uint32_t id;
    const uint8_t *src; /* borrowed from the packet that is the tunnel */
    const uint8_t *dst;
};

const char *tunnel_kind_name(enum tunnel_kind kind);
/* TUNNEL_NONE where there is no such name. */
enum tunnel_kind tunnel_kind_of_name(const char *name);
/* Whether the ids of a kind are the same in both directions, so that they tell one flow. */
bool tunnel_kind_id_is_mutual(enum tunnel_kind kind);
/* Whether tunnels of a kind are known by a UDP port. */
bool tunnel_kind_has_port(enum tunnel_kind kind);

/* A packet that was found in another, and the tunnel that it was in. */
struct inner_packet {
    struct plt_record record; /* its bytes are the outer one's; its time too, its lengths its own */
    struct plt_layers layers;
    struct tunnel tunnel;
};

/* The packet in a packet; false where there is none, and where what is there can't be one: its
 * version and its lengths have to be right.  meta is to be known of the outer one. */
bool tunnel_enter(const struct plt_packet *outer, const struct tunnel_ports *ports,
                  struct inner_packet *out);

/* Room for the packets on the way to an innermost one. */
struct innermost {
    struct inner_packet packets[2];
};

bool tunnel_enter_all(struct plt_packet *packet, const struct tunnel_ports *ports,
                      struct innermost *room);

/* Put the innermost packet in a packet's place, as a view of `room`; false where there is none in
 * it, and it stays as it is. */
static inline bool tunnel_innermost(struct plt_packet *packet, const struct tunnel_ports *ports,
                                    struct innermost *room)
{
    /* most traffic is TCP, in which no tunnel is looked for */
    const struct plt_layers *layers = packet->layers;
    if (layers->below == TUNNEL_NONE &&
        (layers->proto == PROTO_TCP || layers->transport == PLT_ABSENT))
        return false;
    return tunnel_enter_all(packet, ports, room);
}

#endif
