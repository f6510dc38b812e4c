/* The framing of libtrace's packets: time, lengths, link type. */
#ifndef PLT_FRAMING_H
#define PLT_FRAMING_H

#include "libtrace_compat.h"
#include "packet/packet.h"

#include <stdbool.h>

/* Whether what an rt: server sent is no packet but a message: its header is none that can be read.
 */
bool framing_is_message(const libtrace_packet_t *packet);
/* The message that no packet comes after it. */
bool framing_is_end(const libtrace_packet_t *packet);

/* What a packet that libtrace has read is; 0, or -1 with OSError. */
int framing_read(libtrace_packet_t *packet, struct plt_record *record);

#endif
