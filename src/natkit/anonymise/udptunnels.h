/* Tunnels over UDP, and L2TP over IP.  No Python here. */
#ifndef NATKIT_ANONYMISE_UDPTUNNELS_H
#define NATKIT_ANONYMISE_UDPTUNNELS_H

#include "inner.h"

natkit_layer natkit_l2tp, natkit_l2tp3;
natkit_layer natkit_vxlan, natkit_vxlan_gpe, natkit_geneve, natkit_gtp, natkit_teredo, natkit_lisp;
natkit_layer natkit_gue, natkit_capwap, natkit_tzsp, natkit_wireguard, natkit_nat_traversal;

#endif
