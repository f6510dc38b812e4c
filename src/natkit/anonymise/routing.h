/* The messages of routers: OSPF, PIM, VRRP and HSRP.  No Python here. */
#ifndef NATKIT_ANONYMISE_ROUTING_H
#define NATKIT_ANONYMISE_ROUTING_H

#include "inner.h"

natkit_layer natkit_ospf, natkit_pim, natkit_vrrp, natkit_hsrp;

#endif
