/* Tunnels below IP and directly in IP, and protocols without addresses.  No Python here. */
#ifndef NATKIT_ANONYMISE_TUNNELS_H
#define NATKIT_ANONYMISE_TUNNELS_H

#include "inner.h"

natkit_layer natkit_quiet; /* of protocols that hold no addresses: leaves them as they are */
natkit_layer natkit_nsh;
natkit_layer natkit_ipip, natkit_mpls, natkit_etherip, natkit_ah, natkit_minimal, natkit_gre;

#endif
