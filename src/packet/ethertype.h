/* From Ethernet, or an ethertype, to layer 3: VLAN and other tags, MPLS, PPPoE, NSH, 802.2.  No
 * Python here. */
#ifndef PLT_PACKET_ETHERTYPE_H
#define PLT_PACKET_ETHERTYPE_H

#include "decoder.h"

/* PPP's numbers of protocols: https://www.iana.org/assignments/ppp-numbers */
enum {
    PPP_IP = 0x0021,
    PPP_BRIDGING = 0x0031,
    PPP_MULTILINK = 0x003d,
    PPP_IP6 = 0x0057,
    PPP_MPLS = 0x0281,
    PPP_MPLS_MULTICAST = 0x0283
};

LINK_DECODER(ethernet);
LINK_DECODER(fddi);
LINK_DECODER(ip);
LINK_DECODER(llc);
LINK_DECODER(mpls);
LINK_DECODER(ppp);
LINK_DECODER(token_ring);

/* What an ethertype announces begins at a place. */
void plt_decode_ethertype(const uint8_t *data, uint32_t len, uint32_t at, uint16_t ethertype,
                          struct plt_layers *out);
/* IEEE 802.2: SNAP with an ethertype (RFC 1042), IP by its own SAP, or OSI's with a network layer
 * protocol identifier.  Layer 3 stays absent where it is none: the caller knows what to call it. */
void plt_decode_llc(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out);

/* The same from SNAP's organisation on.  A whole frame may be bridged in it, after so many bytes of
 * padding. */
void plt_decode_snap(const uint8_t *data, uint32_t len, uint32_t at, uint32_t padding,
                     struct plt_layers *out);
/* OSI's network layer protocol identifier (ISO/IEC TR 9577) is at a place: what it announces, if
 * that is IP (RFC 2427 section 4.2) or PPP (RFC 1973 section 3, RFC 2364 section 5). */
void plt_decode_nlpid(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out);
/* Whether what follows SNAP's 5 bytes is a bridged Ethernet frame (RFC 2684 section 5.2, RFC 2427
 * section 4.2). */
bool snap_bridges_ethernet(const uint8_t *snap);

#endif
