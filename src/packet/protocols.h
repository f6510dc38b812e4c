/* The numbers of protocols, each in this one place: ethertypes, IP protocols, TCP flags.  No Python
 * here. */
#ifndef PLT_PACKET_PROTOCOLS_H
#define PLT_PACKET_PROTOCOLS_H

/* https://www.iana.org/assignments/ieee-802-numbers */
enum {
    ETHERTYPE_IP = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_REVERSE_ARP = 0x8035,
    ETHERTYPE_TRILL = 0x22f3,      /* RFC 6325 */
    ETHERTYPE_80211 = 0x2452,      /* IEEE 802.11 frames, as Wireshark reads it */
    ETHERTYPE_BATMAN_ADV = 0x4305, /* Linux's batman-adv */
    ETHERTYPE_TRANSPARENT_ETHERNET = 0x6558,
    ETHERTYPE_VLAN = 0x8100, /* IEEE 802.1Q */
    ETHERTYPE_IP6 = 0x86dd,
    ETHERTYPE_PPP = 0x880b,
    ETHERTYPE_MAC_CONTROL = 0x8808, /* IEEE 802.3 annex 31 */
    ETHERTYPE_SLOW_PROTOCOLS = 0x8809,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE_DISCOVERY = 0x8863, /* RFC 2516 */
    ETHERTYPE_PPPOE_SESSION = 0x8864,
    ETHERTYPE_QINQ = 0x88a8,     /* 802.1ad */
    ETHERTYPE_WCCP = 0x883e,     /* in GRE */
    ETHERTYPE_EAPOL = 0x888e,    /* IEEE 802.1X */
    ETHERTYPE_ERSPAN = 0x88be,   /* in GRE */
    ETHERTYPE_ERSPAN_3 = 0x22eb, /* in GRE */
    ETHERTYPE_LLDP = 0x88cc,
    ETHERTYPE_LLC =
        0x8870, /* 802.2 in longer frames than a length can say: draft-ietf-isis-ext-eth */
    ETHERTYPE_MACSEC = 0x88e5,
    ETHERTYPE_PBB = 0x88e7,                   /* 802.1ah: provider backbone bridges */
    ETHERTYPE_PTP = 0x88f7,                   /* IEEE 1588 annex F */
    ETHERTYPE_HSR = 0x892f,                   /* IEC 62439-3 */
    ETHERTYPE_BRIDGE_PORT_EXTENSION = 0x893f, /* 802.1BR */
    ETHERTYPE_NSH = 0x894f,                   /* RFC 8300 */
    ETHERTYPE_BROADCOM_TAG = 0x8874,
    ETHERTYPE_FABRICPATH = 0x8903,
    ETHERTYPE_CISCO_METADATA = 0x8909,
    ETHERTYPE_VN_TAG = 0x8926,
    ETHERTYPE_ARISTA = 0xd28b,
    ETHERTYPE_EDSA = 0xdada, /* Marvell switches, as Linux sets them up */
    ETHERTYPE_LOOPBACK = 0x9000,
    ETHERTYPE_QINQ_OLD = 0x9100, /* stacked tags before 802.1ad */
    ETHERTYPE_QINQ_OLDER = 0x9200,
    ETHERTYPE_R_TAG = 0xf1c1, /* IEEE 802.1CB */
    ETHERTYPE_LEAST = 0x0600  /* a lower number is a length (IEEE 802.3) */
};

/* https://www.iana.org/assignments/protocol-numbers */
enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_IGMP = 2,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_DCCP = 33,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_RSVP = 46,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_MINIMAL_ENCAPSULATION = 55, /* RFC 2004 */
    PROTO_ICMP6 = 58,
    PROTO_NO_NEXT_HEADER = 59,
    PROTO_DESTINATION_OPTIONS = 60,
    PROTO_EIGRP = 88,
    PROTO_OSPF = 89,
    PROTO_IPIP_ENCAPSULATION = 94, /* IANA's IPIP */
    PROTO_ETHERIP = 97,
    PROTO_PIM = 103,
    PROTO_IPCOMP = 108, /* RFC 3173 */
    PROTO_VRRP = 112,
    PROTO_L2TP = 115,
    PROTO_ISIS = 124,
    PROTO_SCTP = 132,
    PROTO_MOBILITY = 135,
    PROTO_UDPLITE = 136,
    PROTO_MPLS_IN_IP = 137,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
    PROTO_ETHERNET = 143, /* RFC 8986 section 10.1 */
    PROTO_NSH = 145
};

/* RFC 9293 section 3.1, in the 12 bits after the data offset. */
enum {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020
};

/* Sizes in bytes of headers without options. */
enum { ETHERNET_HEADER = 14, IP_HEADER = 20, IP6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8 };

#endif
