/* The headers of tunnels: what they carry, where it begins, and what tells tunnels of a kind apart.
 * tunnel.c finds the packets within a packet by them, natkit what to anonymise.  No Python here. */
#ifndef PLT_PACKET_ENCAPSULATION_H
#define PLT_PACKET_ENCAPSULATION_H

#include <stdbool.h>
#include <stdint.h>

/* X(identifier, name, whether both directions have the same id). */
#define TUNNEL_KINDS(X)                                                                            \
    X(IPIP, "ipip", false)                                                                         \
    X(4IN6, "4in6", false)                                                                         \
    X(6IN4, "6in4", false)                                                                         \
    X(6IN6, "6in6", false)                                                                         \
    X(GRE, "gre", true)                                                                            \
    X(PPTP, "pptp", false)                                                                         \
    X(ERSPAN, "erspan", true)                                                                      \
    X(ETHERIP, "etherip", false)                                                                   \
    X(ETHERNET, "ethernet", false)                                                                 \
    X(L2TP, "l2tp", false)                                                                         \
    X(MPLS, "mpls", false)                                                                         \
    X(NSH, "nsh", false)                                                                           \
    X(PPPOE, "pppoe", true)                                                                        \
    X(VXLAN, "vxlan", true)                                                                        \
    X(VXLAN_GPE, "vxlan-gpe", true)                                                                \
    X(GENEVE, "geneve", true)                                                                      \
    X(GTP, "gtp", false)                                                                           \
    X(TEREDO, "teredo", false)                                                                     \
    X(LISP, "lisp", true)                                                                          \
    X(GUE, "gue", false)                                                                           \
    X(CAPWAP, "capwap", false)                                                                     \
    X(LWAPP, "lwapp", false)                                                                       \
    X(TZSP, "tzsp", false)                                                                         \
    X(PIM, "pim", false)

#define DECLARE_TUNNEL_KIND(id, ...) TUNNEL_##id,
enum tunnel_kind { TUNNEL_NONE, TUNNEL_KINDS(DECLARE_TUNNEL_KIND) TUNNEL_COUNT };
#undef DECLARE_TUNNEL_KIND

enum carried {
    CARRIES_NOTHING, /* a message of the tunnel's own, without addresses, or one that is cut */
    CARRIES_UNKNOWN,
    CARRIES_IP, /* by its first four bits */
    CARRIES_ETHERNET,
    CARRIES_PPP,
    CARRIES_80211,
    CARRIES_ETHERTYPE
};

struct encapsulation {
    uint8_t kind;    /* enum tunnel_kind */
    uint8_t carries; /* enum carried */
    bool is_certain; /* that this is no other protocol's payload */
    bool has_id;
    uint32_t id;
    uint32_t at;        /* of what is carried; may be past what was captured */
    uint16_t ethertype; /* of CARRIES_ETHERTYPE */
    int16_t number;     /* what CARRIES_UNKNOWN is, by the header; -1 where that does not tell */
    const char *name;   /* of the header */
};

/* Read the header that `len` bytes begin with.  `at` counts from its first byte. */
typedef void encapsulation_reader(const uint8_t *data, uint32_t len, struct encapsulation *out);

encapsulation_reader encapsulation_ip, encapsulation_gre, encapsulation_etherip;
encapsulation_reader encapsulation_l2tp3, encapsulation_mpls, encapsulation_nsh;
encapsulation_reader encapsulation_pim, encapsulation_ethernet;
/* Over UDP. */
encapsulation_reader encapsulation_l2tp, encapsulation_vxlan, encapsulation_vxlan_gpe;
encapsulation_reader encapsulation_geneve, encapsulation_gtp, encapsulation_teredo;
encapsulation_reader encapsulation_lisp, encapsulation_gue, encapsulation_capwap;
encapsulation_reader encapsulation_tzsp, encapsulation_lwapp;

/* Whether an IP header may be at a place: by its version, and of IPv4 its checksum, where that is
 * not left to hardware. */
bool looks_like_ip(const uint8_t *data, uint32_t len, uint32_t at);

/* Whether an Ethernet header may be at a place: its ethertype is a common one, and fits what
 * follows. */
bool encapsulation_is_ethernet(const uint8_t *data, uint32_t len, uint32_t at);

#endif
