/* The messages of hosts: ARP, IGMP, ICMP, ICMPv6; and IEEE 802.2.  No Python here. */
#ifndef NATKIT_ANONYMISE_SIGNALLING_H
#define NATKIT_ANONYMISE_SIGNALLING_H

#include "inner.h"

natkit_layer natkit_arp, natkit_llc, natkit_igmp, natkit_icmp, natkit_icmp6;

#endif
