/* The tables of protocols.  A protocol that may hold addresses and has no function is listed all
 * the same: it is reported as unknown. */
#include "protocols.h"

#include "packet/protocols.h"
#include "routing.h"
#include "sctp.h"
#include "signalling.h"
#include "tunnels.h"

static const struct natkit_protocol ethertypes[] = {
    {ETHERTYPE_ARP, "ARP", natkit_arp},
    {ETHERTYPE_REVERSE_ARP, "RARP", natkit_arp},
    {ETHERTYPE_NSH, "NSH", natkit_nsh},
    {ETHERTYPE_MAC_CONTROL, "MAC control", natkit_quiet},
    {ETHERTYPE_SLOW_PROTOCOLS, "slow protocols", natkit_quiet},
    {ETHERTYPE_PPPOE_DISCOVERY, "PPPoE discovery", natkit_quiet},
    {ETHERTYPE_EAPOL, "EAPOL", natkit_quiet},
    {ETHERTYPE_LLDP, "LLDP", NULL},
    {ETHERTYPE_PTP, "PTP", natkit_quiet},
    {ETHERTYPE_LOOPBACK, "loopback", natkit_quiet},
};

static const struct natkit_protocol protocols[] = {
    {PROTO_ICMP, "ICMP", natkit_icmp},
    {PROTO_IGMP, "IGMP", natkit_igmp},
    {PROTO_IPIP, "IP in IP", natkit_ipip},
    {PROTO_IPV6, "IPv6 in IP", natkit_ipip},
    {PROTO_RSVP, "RSVP", NULL},
    {PROTO_GRE, "GRE", natkit_gre},
    {PROTO_ESP, "ESP", NULL},
    {PROTO_AH, "AH", natkit_ah},
    {PROTO_MINIMAL_ENCAPSULATION, "minimal encapsulation", natkit_minimal},
    {PROTO_ICMP6, "ICMPv6", natkit_icmp6},
    {PROTO_EIGRP, "EIGRP", NULL},
    {PROTO_OSPF, "OSPF", natkit_ospf},
    {PROTO_IPIP_ENCAPSULATION, "IP in IP", natkit_ipip},
    {PROTO_ETHERIP, "EtherIP", natkit_etherip},
    {PROTO_PIM, "PIM", natkit_pim},
    {PROTO_IPCOMP, "IPComp", NULL},
    {PROTO_VRRP, "VRRP", natkit_vrrp},
    {PROTO_L2TP, "L2TPv3", natkit_l2tp3},
    {PROTO_ISIS, "IS-IS", NULL},
    {PROTO_SCTP, "SCTP", natkit_sctp},
    {PROTO_MPLS_IN_IP, "MPLS in IP", natkit_mpls},
    {PROTO_ETHERNET, "Ethernet in IP", natkit_ethernet},
    {PROTO_NSH, "NSH", natkit_nsh},
};

/* Anything at another port is an application's payload. */
static const struct natkit_protocol udp_ports[] = {
    {67, "DHCP", NULL},
    {68, "DHCP", NULL},
    {500, "IKE", NULL},
    {520, "RIP", NULL},
    {521, "RIPng", NULL},
    {546, "DHCPv6", NULL},
    {547, "DHCPv6", NULL},
    {646, "LDP", NULL},
    {698, "OLSR", NULL},
    {1194, "OpenVPN", NULL},
    {1701, "L2TP", natkit_l2tp},
    {1985, "HSRP", natkit_hsrp},
    {2029, "HSRP", natkit_hsrp},
    {2048, "WCCP", NULL},
    {2123, "GTP-C", NULL},
    {2152, "GTP-U", natkit_gtp},
    {3222, "GLBP", NULL},
    {3478, "STUN", NULL},
    {3544, "Teredo", natkit_teredo},
    {4341, "LISP", natkit_lisp},
    {4342, "LISP control", NULL},
    {4500, "ESP", natkit_nat_traversal},
    {4754, "GRE", natkit_gre}, /* RFC 8086 */
    {4789, "VXLAN", natkit_vxlan},
    {4790, "VXLAN-GPE", natkit_vxlan_gpe},
    {5246, "CAPWAP", NULL},
    {5247, "CAPWAP", natkit_capwap},
    {5351, "PCP", NULL},
    {6080, "GUE", natkit_gue},
    {6081, "Geneve", natkit_geneve},
    {6635, "MPLS", natkit_mpls},
    {6696, "Babel", NULL},
    {8472, "VXLAN", natkit_vxlan}, /* Linux, before a port was assigned */
    {8805, "PFCP", NULL},
    {12222, "LWAPP", natkit_lwapp},
    {12223, "LWAPP", NULL}, /* control */
    {37008, "TZSP", natkit_tzsp},
    {51820, "WireGuard", natkit_wireguard},
};

static const struct natkit_protocol tcp_ports[] = {
    {179, "BGP", NULL},   {639, "MSDP", NULL},  {646, "LDP", NULL},   {1194, "OpenVPN", NULL},
    {1723, "PPTP", NULL}, {3478, "STUN", NULL}, {4189, "PCEP", NULL}, {7471, "STT", NULL},
};

static const struct natkit_protocol *find(const struct natkit_protocol *rows, size_t count,
                                          uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

#define FIND(rows, number) find(rows, sizeof(rows) / sizeof((rows)[0]), number)

const struct natkit_protocol *natkit_protocol_of_ethertype(uint16_t ethertype)
{
    static const struct natkit_protocol llc = {0, "LLC", natkit_llc};
    /* up to 1500 it is a length (IEEE 802.3); 0 is that of a link layer without ethertypes */
    return ethertype > 0 && ethertype <= 1500 ? &llc : FIND(ethertypes, ethertype);
}

const struct natkit_protocol *natkit_protocol_of_ip(uint8_t proto)
{
    return FIND(protocols, proto);
}

const struct natkit_protocol *natkit_protocol_of_udp(uint16_t port)
{
    return FIND(udp_ports, port);
}

const struct natkit_protocol *natkit_protocol_of_tcp(uint16_t port)
{
    return FIND(tcp_ports, port);
}
