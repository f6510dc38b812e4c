/* Replacing addresses, and clearing or dropping what is not to be kept.  No Python here. */
#ifndef NATKIT_ANONYMISE_REPLACE_H
#define NATKIT_ANONYMISE_REPLACE_H

#include "cryptopan.h"
#include "packet/packet.h"
#include "stretch.h"

struct place;

/* A layer that may hold addresses and was not looked through. */
struct unknown_layer {
    const char *what; /* of static duration */
    int64_t number;   /* of its type in the layer before it, -1 without */
};

enum { MAX_UNKNOWN = 8 };

/* A packet being anonymised: what to replace in it, and what came of it. */
struct anonymising {
    struct cryptopan *pan; /* borrowed */
    bool src;
    bool dst;
    bool signalling;        /* addresses elsewhere than in IP headers */
    bool zero_unknown;      /* clear what is not looked through */
    bool zero_payload;      /* clear what applications carry */
    bool drop_payload;      /* find where that begins */
    const uint8_t *payload; /* its first byte, NULL where there is none */
    unsigned long replaced; /* addresses so far */
    unsigned unknowns;      /* entries of the next, each layer once */
    struct unknown_layer unknown[MAX_UNKNOWN];
    /* Set by natkit_anonymise(): what rewrites a packet whose layers are known, and what an IP
     * header carries.  Tunnels and quotes call them for the packet in them. */
    uint64_t (*rewrite)(struct anonymising *self, const struct stretch *frame,
                        const struct plt_layers *layers, struct place *place);
    uint64_t (*transport)(struct anonymising *self, const struct stretch *in, uint8_t proto,
                          const struct place *place);
};

/* Each returns the change that it makes to the stretch (checksum.h). */

/* Replace an address, as far as it was captured. */
uint64_t natkit_replace(struct anonymising *self, const struct stretch *in, uint32_t at,
                        int version);
/* Only the first bits of an address: those of a prefix. */
uint64_t natkit_replace_bits(struct anonymising *self, const struct stretch *in, uint32_t at,
                             int version, unsigned bits);
/* So many addresses one after another. */
uint64_t natkit_replace_list(struct anonymising *self, const struct stretch *in, uint32_t at,
                             uint32_t count, int version);
/* Replace a whole IPv4 address that is stored with every bit inverted (RFC 4380 section 5.1.1). */
uint64_t natkit_replace_inverted(struct anonymising *self, const struct stretch *in, uint32_t at);
/* From a place to the end is a layer that is not looked through, or what an application carries.
 * Both are cleared where that is wanted.  An empty rest is neither. */
uint64_t natkit_unknown(struct anonymising *self, const struct stretch *in, uint32_t at,
                        const char *what, int64_t number);
uint64_t natkit_payload(struct anonymising *self, const struct stretch *in, uint32_t at);

#endif
