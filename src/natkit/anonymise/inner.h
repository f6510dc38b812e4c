/* Packets within packets: in tunnels, and quoted by messages.  No Python here. */
#ifndef NATKIT_ANONYMISE_INNER_H
#define NATKIT_ANONYMISE_INNER_H

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
enum { INNER_ETHERNET = LINKTYPE_ETHERNET, INNER_PPP = LINKTYPE_PPP, INNER_IP = LINKTYPE_RAW };
uint64_t natkit_inner(struct anonymising *self, const struct stretch *in, uint32_t at, uint32_t dlt,
                      const struct place *place);
uint64_t natkit_inner_ethertype(struct anonymising *self, const struct stretch *in, uint32_t at,
                                uint16_t ethertype, const struct place *place);
/* Whether an IP header may be at a place. */
bool natkit_looks_like_ip(const struct stretch *in, uint32_t at);
/* An IP packet where one may be, else the unknown payload of a tunnel of this name. */
uint64_t natkit_inner_ip(struct anonymising *self, const struct stretch *in, uint32_t at,
                         const char *name, const struct place *place);
/* By the "next protocol" of a header: RFC 8300 section 2.2, and VXLAN-GPE
 * (draft-ietf-nvo3-vxlan-gpe section 3.2). */
uint64_t natkit_next_protocol(struct anonymising *self, const struct stretch *in, uint32_t at,
                              uint8_t next, const char *name, const struct place *place);
/* The packet that a message quotes. */
uint64_t natkit_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                       const struct place *place);

#endif
