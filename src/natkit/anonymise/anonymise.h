/* What the files of anonymising share.  No Python here. */
#ifndef NATKIT_ANONYMISE_H
#define NATKIT_ANONYMISE_H

#include "packet/linktypes.h"
#include "natkit/natkit.h"

/* A layer that may hold addresses and was not looked through. */
struct unknown_layer {
    const char *what; /* of static duration */
    int64_t number;   /* the type that it says it is of, -1 without */
};

enum { MAX_UNKNOWN = 8 };

/* Tunnels and quotes within each other, to bound the time that a made-up packet may take. */
enum { NATKIT_MAX_DEPTH = 8 };

/* What to replace in a packet, and what came of it. */
struct anonymising {
    struct cryptopan *pan;
    bool src;
    bool dst;
    bool signalling;        /* addresses elsewhere than in IP headers */
    bool zero_unknown;      /* clear what is not looked through */
    bool zero_payload;      /* clear what applications carry */
    bool drop_payload;      /* or tell where it begins */
    const uint8_t *payload; /* the first byte of it, NULL where there is none */
    unsigned long replaced; /* addresses so far */
    unsigned unknowns;      /* the first of the unknown layers, each once */
    struct unknown_layer unknown[MAX_UNKNOWN];
};

/* A part of a packet, at the start of words that a checksum adds up. */
struct stretch {
    uint8_t *data;
    uint32_t len;
};

/* What a layer is in. */
struct place {
    int version;      /* of the IP header, 0 without one */
    int depth;        /* packets that it is in */
    int headers;      /* of encapsulation in the same packet */
    bool reversed;    /* quoted: it went the other way */
    uint64_t pseudo;  /* the change of the pseudo-header */
    uint64_t src;     /* of its source */
    uint32_t missing; /* bytes of the IP packet after what was captured, UINT32_MAX if unknown */
};

/* Anonymise a packet in place. */
void natkit_anonymise(struct anonymising *self, const struct stretch *frame,
                      const struct plt_layers *layers);

/* --- Steps: each tells the difference that it makes to the one's complement sum of the stretch
 * (RFC 1624 section 3), not folded ------------------------------------------------------------ */

/* Replace an address, as far as it was captured. */
uint64_t natkit_replace(struct anonymising *self, const struct stretch *in, uint32_t at,
                        int version);
/* Only the first bits of an address: those of a prefix. */
uint64_t natkit_replace_bits(struct anonymising *self, const struct stretch *in, uint32_t at,
                             int version, unsigned bits);
/* So many addresses one after another. */
uint64_t natkit_replace_list(struct anonymising *self, const struct stretch *in, uint32_t at,
                             uint32_t count, int version);
/* Replace the IPv4 address that a place has with every bit inverted (RFC 4380 section 5.1.1). */
uint64_t natkit_replace_inverted(struct anonymising *self, const struct stretch *in, uint32_t at);
/* From a place to the end: not looked through; or what an application carries.  Both are cleared
 * where that is wanted.  An empty rest is known. */
uint64_t natkit_unknown(struct anonymising *self, const struct stretch *in, uint32_t at,
                        const char *what, int64_t number);
uint64_t natkit_payload(struct anonymising *self, const struct stretch *in, uint32_t at);
/* Adjust the checksum at a place by a change of what it covers (RFC 1624 section 3), so that it is
 * right or wrong as before; for UDP, 0 means that there is none (RFC 768). */
uint64_t natkit_adjust(const struct stretch *in, uint32_t at, uint64_t change);
uint64_t natkit_adjust_udp(const struct stretch *in, uint32_t at, uint64_t change);
/* What a change of a part is to the whole, in which the part begins at a place. */
uint64_t natkit_shifted(uint64_t change, uint32_t at);
/* What a change from one address to another is to a sum. */
uint64_t natkit_difference(const uint8_t *old, const uint8_t *new, uint32_t at, uint32_t size);

/* --- Layers ---------------------------------------------------------------------------------- */

/* The packet at a place: with a link layer, an enum linktype; or of an ethertype. */
enum { INNER_ETHERNET = LINKTYPE_ETHERNET, INNER_PPP = LINKTYPE_PPP, INNER_IP = LINKTYPE_RAW };
uint64_t natkit_inner(struct anonymising *self, const struct stretch *in, uint32_t at, uint32_t dlt,
                      const struct place *place);
uint64_t natkit_inner_ethertype(struct anonymising *self, const struct stretch *in, uint32_t at,
                                uint16_t ethertype, const struct place *place);
/* An IP packet where one may be, else the unknown payload of a tunnel of this name. */
uint64_t natkit_inner_ip(struct anonymising *self, const struct stretch *in, uint32_t at,
                         const char *name, const struct place *place);
/* What a header's "next protocol" says: RFC 8300 section 2.2, and VXLAN-GPE
 * (draft-ietf-nvo3-vxlan-gpe section 3.2). */
uint64_t natkit_next_protocol(struct anonymising *self, const struct stretch *in, uint32_t at,
                              uint8_t next, const char *name, const struct place *place);
/* The packet that a message quotes. */
uint64_t natkit_quoted(struct anonymising *self, const struct stretch *in, uint32_t at,
                       const struct place *place);
/* What an IP header carries, by its protocol. */
uint64_t natkit_transport(struct anonymising *self, const struct stretch *in, uint8_t proto,
                          const struct place *place);

typedef uint64_t natkit_layer(struct anonymising *self, const struct stretch *in,
                              const struct place *place);

/* A protocol that is known by its number. */
struct natkit_row {
    uint16_t number;
    const char *name;
    natkit_layer *rewrite; /* NULL: it may hold addresses and is not looked through */
};

/* Rows for what isn't IP, what IP carries, and what is at ports; NULL where there is none. */
const struct natkit_row *natkit_row_of_ethertype(uint16_t ethertype);
const struct natkit_row *natkit_row_of_proto(uint8_t proto);
const struct natkit_row *natkit_row_of_udp(uint16_t port);
const struct natkit_row *natkit_row_of_tcp(uint16_t port);

/* Extension headers and options of IP; they end with the stretch. */
uint64_t natkit_replace_routes(struct anonymising *self, const struct stretch *in, int version,
                               const struct place *place);
uint64_t natkit_replace_mobility(struct anonymising *self, const struct stretch *in,
                                 const struct place *place);
natkit_layer natkit_quiet; /* holds no addresses */
natkit_layer natkit_arp;
natkit_layer natkit_llc;
natkit_layer natkit_nsh;
natkit_layer natkit_gre, natkit_etherip, natkit_ah, natkit_minimal, natkit_l2tp3, natkit_ipip,
    natkit_mpls;
natkit_layer natkit_icmp, natkit_icmp6, natkit_igmp;
natkit_layer natkit_ospf, natkit_pim, natkit_vrrp, natkit_hsrp;
natkit_layer natkit_sctp;
natkit_layer natkit_l2tp, natkit_vxlan, natkit_vxlan_gpe, natkit_geneve, natkit_gtp, natkit_teredo,
    natkit_lisp, natkit_gue, natkit_capwap, natkit_tzsp, natkit_wireguard, natkit_nat_traversal;

static inline bool natkit_has(const struct stretch *in, uint32_t at, uint32_t need)
{
    return at <= in->len && in->len - at >= need;
}

static inline uint32_t natkit_least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

#endif
