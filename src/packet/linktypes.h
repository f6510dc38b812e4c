/* Every link type that is known, a row each: its number stands in no other place.  The numbers are
 * those of pcap and pcapng files (https://www.tcpdump.org/linktypes.html), where libpcap's names
 * begin with LINKTYPE_; what libtrace calls a link type is LIBTRACE_TYPE_.  No Python here. */
#ifndef PLT_PACKET_LINKTYPES_H
#define PLT_PACKET_LINKTYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libtrace's TRACE_TYPE_*; libtrace_compat.h asserts that they are its own. */
enum libtrace_type {
    LIBTRACE_TYPE_UNKNOWN = -1,
    LIBTRACE_TYPE_HDLC_POS = 1,
    LIBTRACE_TYPE_ETH = 2,
    LIBTRACE_TYPE_ATM = 3,
    LIBTRACE_TYPE_80211 = 4,
    LIBTRACE_TYPE_NONE = 5,
    LIBTRACE_TYPE_LINUX_SLL = 6,
    LIBTRACE_TYPE_PFLOG = 7,
    LIBTRACE_TYPE_POS = 9,
    LIBTRACE_TYPE_80211_PRISM = 12,
    LIBTRACE_TYPE_AAL5 = 13,
    LIBTRACE_TYPE_DUCK = 14,
    LIBTRACE_TYPE_80211_RADIO = 15,
    LIBTRACE_TYPE_LLCSNAP = 16,
    LIBTRACE_TYPE_PPP = 17,
    LIBTRACE_TYPE_METADATA = 18,
    LIBTRACE_TYPE_NONDATA = 19,
    LIBTRACE_TYPE_OPENBSD_LOOP = 20
};

/* The frame check sequence, 4 bytes: libtrace's wire length includes it, a file's length field does
 * not. */
enum link_fcs {
    FCS_NONE,
    FCS_ETHERNET,
    FCS_RADIOTAP, /* part of the frame where the header has that flag */
    FCS_COOKED    /* where the packet holds a whole Ethernet frame */
};

enum { ETHERNET_FCS = 4 };

/* Where the link layer's header has the direction. */
enum link_direction {
    DIRECTION_NONE,
    DIRECTION_COOKED,  /* a packet type in its first two bytes, 4 where sent */
    DIRECTION_COOKED2, /* the same at byte 10 */
    DIRECTION_PFLOG,   /* byte 60: 1 in, 2 out */
    DIRECTION_BYTE,    /* the first byte, 0 where received */
    DIRECTION_PPPD,    /* the same, where it stands for the address */
    DIRECTION_JUNIPER  /* bit 0 of byte 3: received */
};

/* libpcap's number for what no live interface has, or it would filter wrongly: as it takes
 * Classical IP for 802.2. */
#define DLT_NO_NUMBER (-1)

/* X(name, number in files, libpcap's own number (DLT_*), libtrace's type, decoder (link_*), FCS,
 * direction, what it is) */
#define LINK_TYPES(X)                                                                              \
    X(NULL, 0, 0, UNKNOWN, family, NONE, NONE, "BSD loopback")                                     \
    X(ETHERNET, 1, 1, ETH, ethernet, ETHERNET, NONE, "Ethernet")                                   \
    X(AX25, 3, 3, UNKNOWN, ax25, NONE, NONE, "AX.25")                                              \
    X(IEEE802_5, 6, 6, UNKNOWN, token_ring, NONE, NONE, "Token Ring")                              \
    X(ARCNET_BSD, 7, 7, UNKNOWN, arcnet, NONE, NONE, "ARCNET")                                     \
    X(SLIP, 8, 8, UNKNOWN, slip, NONE, NONE, "SLIP")                                               \
    X(PPP, 9, 9, PPP, hdlc, NONE, NONE, "PPP, or Cisco HDLC by its first byte")                    \
    X(FDDI, 10, 10, UNKNOWN, fddi, NONE, NONE, "FDDI")                                             \
    X(DLT_ATM_RFC1483, 11, 11, LLCSNAP, llc, NONE, NONE, "LLC/SNAP over ATM, libpcap's number")    \
    X(DLT_RAW, 12, 12, NONE, ip, NONE, NONE, "IP, libpcap's number")                               \
    X(DLT_RAW_OPENBSD, 14, 12, NONE, ip, NONE, NONE, "IP, OpenBSD's number")                       \
    X(DLT_CIP, 18, DLT_NO_NUMBER, UNKNOWN, classical_ip, NONE, NONE,                               \
      "Classical IP over ATM, SuSE's number")                                                      \
    X(DLT_ATM_CLIP, 19, DLT_NO_NUMBER, UNKNOWN, classical_ip, NONE, NONE,                          \
      "Classical IP over ATM, libpcap's number")                                                   \
    X(REDBACK, 32, 32, UNKNOWN, redback, NONE, NONE, "Redback SmartEdge")                          \
    X(PPP_HDLC, 50, 50, POS, hdlc, NONE, NONE, "PPP or Cisco HDLC on a serial line")               \
    X(PPP_ETHER, 51, 51, UNKNOWN, pppoe, NONE, NONE, "PPPoE without Ethernet")                     \
    X(ATM_RFC1483, 100, 11, LLCSNAP, llc, NONE, NONE, "LLC/SNAP over ATM")                         \
    X(RAW, 101, 12, NONE, ip, NONE, NONE, "IP")                                                    \
    X(C_HDLC, 104, 104, HDLC_POS, cisco, NONE, NONE, "Cisco HDLC")                                 \
    X(IEEE802_11, 105, 105, 80211, ieee80211, NONE, NONE, "802.11")                                \
    X(ATM_CLIP, 106, DLT_NO_NUMBER, UNKNOWN, classical_ip, NONE, NONE, "Classical IP over ATM")    \
    X(FRELAY, 107, 107, UNKNOWN, frame_relay, NONE, NONE, "Frame Relay")                           \
    X(LOOP, 108, 108, OPENBSD_LOOP, family, NONE, NONE, "OpenBSD loopback")                        \
    X(ENC, 109, 109, UNKNOWN, enc, NONE, NONE, "OpenBSD's enc")                                    \
    X(LINUX_SLL, 113, 113, LINUX_SLL, cooked, COOKED, COOKED, "Linux cooked")                      \
    X(PFLOG, 117, 117, PFLOG, pflog, NONE, PFLOG, "OpenBSD's pflog")                               \
    X(IEEE802_11_PRISM, 119, 119, 80211_PRISM, prism, NONE, NONE, "802.11 with a Prism header")    \
    X(IP_OVER_FC, 122, 122, UNKNOWN, ip_over_fc, NONE, NONE, "IP over Fibre Channel")              \
    X(SUNATM, 123, 123, UNKNOWN, sunatm, NONE, NONE, "SunATM")                                     \
    X(IEEE802_11_RADIOTAP, 127, 127, 80211_RADIO, radiotap, RADIOTAP, NONE,                        \
      "802.11 with a radiotap header")                                                             \
    X(TZSP, 128, 128, UNKNOWN, tzsp, NONE, NONE, "TZSP, then Ethernet or 802.11")                  \
    X(ARCNET_LINUX, 129, 129, UNKNOWN, arcnet_linux, NONE, NONE, "ARCNET as Linux has it")         \
    X(JUNIPER_MLPPP, 130, 130, UNKNOWN, juniper_mlppp, NONE, JUNIPER, "Juniper multilink PPP")     \
    X(JUNIPER_MLFR, 131, 131, UNKNOWN, juniper_mlfr, NONE, JUNIPER,                                \
      "Juniper multilink Frame Relay")                                                             \
    X(JUNIPER_ES, 132, 132, UNKNOWN, juniper_es, NONE, JUNIPER, "Juniper encryption")              \
    X(JUNIPER_GGSN, 133, 133, UNKNOWN, juniper_ggsn, NONE, JUNIPER, "Juniper GGSN")                \
    X(JUNIPER_MFR, 134, 134, UNKNOWN, juniper_mlfr, NONE, JUNIPER, "Juniper FRF.16")               \
    X(JUNIPER_ATM2, 135, 135, UNKNOWN, juniper_atm2, NONE, JUNIPER, "Juniper ATM2")                \
    X(JUNIPER_SERVICES, 136, 136, UNKNOWN, juniper_services, NONE, JUNIPER, "Juniper services")    \
    X(JUNIPER_ATM1, 137, 137, UNKNOWN, juniper_atm1, NONE, JUNIPER, "Juniper ATM1")                \
    X(APPLE_IP_OVER_IEEE1394, 138, 138, UNKNOWN, ieee1394, NONE, NONE, "IP over IEEE 1394")        \
    X(USER2, 149, 149, UNKNOWN, pktap, NONE, NONE, "PKTAP of older macOS")                         \
    X(IEEE802_11_AVS, 163, 163, UNKNOWN, avs, NONE, NONE, "802.11 with an AVS header")             \
    X(JUNIPER_MONITOR, 164, 164, UNKNOWN, juniper_monitor, NONE, JUNIPER, "Juniper monitoring")    \
    X(PPP_PPPD, 166, 166, POS, pppd, NONE, PPPD, "PPP of pppd")                                    \
    X(JUNIPER_PPPOE, 167, 167, UNKNOWN, juniper_ethernet, NONE, JUNIPER, "Juniper PPPoE")          \
    X(JUNIPER_PPPOE_ATM, 168, 168, UNKNOWN, juniper_pppoe_atm, NONE, JUNIPER,                      \
      "Juniper PPPoE over ATM")                                                                    \
    X(JUNIPER_ETHER, 178, 178, UNKNOWN, juniper_ethernet, NONE, JUNIPER, "Juniper Ethernet")       \
    X(JUNIPER_PPP, 179, 179, UNKNOWN, juniper_ppp, NONE, JUNIPER, "Juniper PPP")                   \
    X(JUNIPER_FRELAY, 180, 180, UNKNOWN, juniper_frame_relay, NONE, JUNIPER,                       \
      "Juniper Frame Relay")                                                                       \
    X(JUNIPER_CHDLC, 181, 181, UNKNOWN, juniper_cisco, NONE, JUNIPER, "Juniper Cisco HDLC")        \
    X(JUNIPER_VP, 183, 183, UNKNOWN, juniper_vp, NONE, JUNIPER, "Juniper voice")                   \
    X(PPI, 192, 192, UNKNOWN, ppi, NONE, NONE, "PPI, then any link type")                          \
    X(ERF, 197, 197, UNKNOWN, erf, NONE, NONE, "an ERF record")                                    \
    X(AX25_KISS, 202, 202, UNKNOWN, ax25_kiss, NONE, NONE, "AX.25 with a KISS header")             \
    X(PPP_WITH_DIR, 204, 204, PPP, ppp_direction, NONE, BYTE, "PPP with a direction")              \
    X(C_HDLC_WITH_DIR, 205, 205, POS, cisco_direction, NONE, BYTE, "Cisco HDLC with a direction")  \
    X(MPLS, 219, 219, UNKNOWN, mpls, NONE, NONE, "MPLS")                                           \
    X(FC_2, 224, 224, UNKNOWN, fibre_channel, NONE, NONE, "Fibre Channel")                         \
    X(FC_2_WITH_FRAME_DELIMS, 225, 225, UNKNOWN, fibre_channel_delimited, NONE, NONE,              \
      "Fibre Channel with delimiters")                                                             \
    X(IPNET, 226, 226, UNKNOWN, ipnet, NONE, NONE, "Solaris ipnet")                                \
    X(IPV4, 228, 228, NONE, ip, NONE, NONE, "IPv4")                                                \
    X(IPV6, 229, 229, NONE, ip, NONE, NONE, "IPv6")                                                \
    X(NFLOG, 239, 239, UNKNOWN, nflog, NONE, NONE, "Linux netfilter log")                          \
    X(NETANALYZER, 240, 240, UNKNOWN, netanalyzer, NONE, NONE, "netANALYZER")                      \
    X(NETANALYZER_TRANSPARENT, 241, 241, UNKNOWN, netanalyzer_preamble, NONE, NONE,                \
      "netANALYZER with preamble")                                                                 \
    X(IPOIB, 242, 242, UNKNOWN, ipoib, NONE, NONE, "IP over InfiniBand")                           \
    X(INFINIBAND, 247, 247, UNKNOWN, infiniband, NONE, NONE, "InfiniBand")                         \
    X(SCTP, 248, 248, UNKNOWN, sctp, NONE, NONE, "SCTP without IP")                                \
    X(WIRESHARK_UPPER_PDU, 252, 252, UNKNOWN, upper_pdu, NONE, NONE,                               \
      "what a dissector of Wireshark exported")                                                    \
    X(PKTAP, 258, 258, UNKNOWN, pktap, NONE, NONE, "macOS's PKTAP, then any link type")            \
    X(EPON, 259, 259, UNKNOWN, epon, NONE, NONE, "Ethernet in passive optical networks")           \
    X(ETHERNET_MPACKET, 274, 274, UNKNOWN, mpacket, NONE, NONE, "Ethernet with preamble")          \
    X(LINUX_SLL2, 276, 276, UNKNOWN, cooked2, NONE, COOKED2, "Linux cooked, version 2")            \
    X(DSA_TAG_BRCM, 281, 281, UNKNOWN, tag_of_4, NONE, NONE, "Ethernet with a Broadcom tag")       \
    X(DSA_TAG_BRCM_PREPEND, 282, 282, UNKNOWN, tag_before, NONE, NONE,                             \
      "Ethernet after a Broadcom tag")                                                             \
    X(DSA_TAG_DSA, 284, 284, UNKNOWN, tag_of_4, NONE, NONE, "Ethernet with a DSA tag")             \
    X(DSA_TAG_EDSA, 285, 285, UNKNOWN, tag_of_8, NONE, NONE, "Ethernet with an EDSA tag")          \
    /* above the 16 bits of files: encapsulations that only libtrace's formats have */             \
    X(ERF_HDLC, 0x10000, DLT_NO_NUMBER, HDLC_POS, hdlc, NONE, NONE, "PPP or Cisco HDLC in ERF")    \
    X(ERF_ATM, 0x10001, DLT_NO_NUMBER, ATM, atm_cell, NONE, NONE, "an ATM cell in ERF")            \
    X(LEGACY_POS, 0x10002, DLT_NO_NUMBER, POS, hdlc, NONE, NONE, "PPP or Cisco HDLC of old DAGs")  \
    X(LEGACY_ATM, 0x10003, DLT_NO_NUMBER, ATM, atm_cell, NONE, NONE, "an ATM cell of old DAGs")    \
    X(DUCK, 0x10004, DLT_NO_NUMBER, DUCK, nothing, NONE, NONE, "a DAG card's clock")               \
    X(UNDECODED, 0x10005, DLT_NO_NUMBER, UNKNOWN, nothing, NONE, NONE, "nothing that is known")

#define LINKTYPE_ENUM(name, number, ...) LINKTYPE_##name = (number),
enum linktype { LINK_TYPES(LINKTYPE_ENUM) };
#undef LINKTYPE_ENUM

struct link_row {
    const char *name; /* libpcap's, without LINKTYPE_ */
    const char *text; /* what it is */
    uint32_t number;  /* in files */
    int dlt;          /* libpcap's own number, DLT_NO_NUMBER where it has none */
    int8_t libtrace;  /* enum libtrace_type */
    uint8_t fcs;      /* enum link_fcs */
    uint8_t direction;
};

/* All rows, ordered by number; count tells how many. */
const struct link_row *link_rows(size_t *count);
/* The row of a number, NULL where it has none. */
const struct link_row *link_row_of(uint32_t number);
/* What libtrace calls the link type of a number, -1 where it has no name for it. */
int16_t plt_linktype_of_dlt(uint32_t dlt);

/* What Linux calls hardware (packet(7)), of which tunnels and others have many more numbers. */
enum hardware {
    ARPHRD_ETHER = 1,
    ARPHRD_FRAD = 770, /* Frame Relay */
    ARPHRD_LOOPBACK = 772,
    ARPHRD_80211 = 801,
    ARPHRD_RADIOTAP = 803
};

/* The link type of what an interface of some hardware receives. */
uint32_t linktype_of_hardware(uint32_t hardware);
/* Whether it can send packets of a link type. */
bool hardware_sends(uint32_t hardware, uint32_t linktype);

#endif
