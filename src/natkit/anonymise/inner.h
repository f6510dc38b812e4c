/* Packets within packets: in tunnels, and quoted by messages.  No Python here. */
#ifndef NATKIT_ANONYMISE_INNER_H
#define NATKIT_ANONYMISE_INNER_H

#include "packet/encapsulation.h"
#include "packet/linktypes.h"
#include "replace.h"

/* Tunnels and quotes within each other, to bound the time that a made-up packet may take. */
enum { NATKIT_MAX_DEPTH = 8 };

/* Where a layer is: the packets around it, and what changed in its IP header. */
struct place {
    int version;      /* of the IP header, 0 without one */
    int depth;        /* packets that it is in */
    int headers;      /* of encapsulation in the same packet */
    bool reversed;    /* quoted: it went the other way */
    uint64_t pseudo;  /* the change of the pseudo-header */
    uint64_t src;     /* of its source */
    uint32_t missing; /* bytes of the IP packet after what was captured, UINT32_MAX if unknown */
};

/* The function of a protocol: rewrites the stretch from the protocol's header on, and returns the
 * change that this makes to it (checksum.h). */
typedef uint64_t natkit_layer(struct anonymising *self, const struct stretch *in,
                              const struct place *place);

/* The packet at a place: with a link layer, an enum linktype; or of an ethertype. */
enum {
    INNER_ETHERNET = LINKTYPE_ETHERNET,
    INNER_PPP = LINKTYPE_PPP,
    INNER_80211 = LINKTYPE_IEEE802_11,
    INNER_IP = LINKTYPE_RAW
};
uint64_t natkit_inner(struct anonymising *self, const struct stretch *in, uint32_t at, uint32_t dlt,
                      const struct place *place);
uint64_t natkit_inner_ethertype(struct anonymising *self, const struct stretch *in, uint32_t at,
                                uint16_t ethertype, const struct place *place);
/* What the header of a tunnel carries, found by the reader of such headers. */
uint64_t natkit_encapsulated(struct anonymising *self, const struct stretch *in,
                             encapsulation_reader *read, const struct place *place);
/* The packet that a message quotes. */
uint64_t natkit_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                       const struct place *place);

#endif
