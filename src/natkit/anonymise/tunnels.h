/* Tunnels, and protocols without addresses.  No Python here. */
#ifndef NATKIT_ANONYMISE_TUNNELS_H
#define NATKIT_ANONYMISE_TUNNELS_H

#include "inner.h"

natkit_layer natkit_quiet; /* of protocols that hold no addresses: leaves them as they are */
natkit_layer natkit_ipip, natkit_mpls, natkit_etherip, natkit_ah, natkit_minimal, natkit_gre;
natkit_layer natkit_nsh, natkit_l2tp, natkit_l2tp3, natkit_ethernet;
/* The fields that Wireshark exports before a packet. */
void natkit_exported(struct anonymising *self, const struct stretch *in);
/* Over UDP. */
natkit_layer natkit_vxlan, natkit_vxlan_gpe, natkit_geneve, natkit_gtp, natkit_teredo, natkit_lisp;
natkit_layer natkit_gue, natkit_capwap, natkit_lwapp, natkit_tzsp;
natkit_layer natkit_wireguard, natkit_nat_traversal;

#endif
