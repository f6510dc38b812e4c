/* Decoders of link types: serial lines, loopback, and others with a header of their own.  No Python
 * here. */
#ifndef PLT_PACKET_LINK_H
#define PLT_PACKET_LINK_H

#include "decoder.h"

LINK_DECODER(atm_cell);
LINK_DECODER(cisco);
LINK_DECODER(cisco_direction);
LINK_DECODER(classical_ip);
LINK_DECODER(enc);
LINK_DECODER(family);
LINK_DECODER(frame_relay);
LINK_DECODER(hdlc);
LINK_DECODER(netanalyzer);
LINK_DECODER(netanalyzer_preamble);
LINK_DECODER(nflog);
LINK_DECODER(nothing);
LINK_DECODER(pflog);
LINK_DECODER(ppp_direction);
LINK_DECODER(pppd);
LINK_DECODER(pppoe);
LINK_DECODER(sctp);
LINK_DECODER(slip);
LINK_DECODER(sunatm);

/* Whether a packet of LINKTYPE_PPP_PPPD has the direction, 0 or 1, in place of the address. */
bool pppd_has_direction(const uint8_t *data, uint32_t len, uint32_t at);

#endif
