/* The framing of libtrace's packets: time, lengths, link type. */
#ifndef PLT_FRAMING_H
#define PLT_FRAMING_H

#include "libtrace_compat.h"
#include "packet/packet.h"

/* What a packet that libtrace has read is; 0, or -1 with OSError. */
int framing_read(libtrace_packet_t *packet, struct plt_record *record);

#endif
