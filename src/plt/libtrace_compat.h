/* The only file that knows libtrace's header, and libtrace 3 from 4. */
#ifndef PLT_LIBTRACE_COMPAT_H
#define PLT_LIBTRACE_COMPAT_H

#include "packet/linktypes.h"

#include <libtrace.h>
#include <linux/if_packet.h>

/* libtrace 4 is known by its parallel API: its version macros have other names than 3's. */
#if __has_include(<libtrace_parallel.h>)
typedef struct tpacket3_hdr ring_header; /* of a ring: packet, the kernel's: packet(7) */
#define CACHED(packet, field) ((packet)->cached.field)
#else
typedef struct tpacket2_hdr ring_header;
#define CACHED(packet, field) ((packet)->field)
#endif

/* Forget what libtrace computed of a packet before: what is set next counts. */
static inline void compat_clear_cache(libtrace_packet_t *packet)
{
    CACHED(packet, l2_header) = NULL;
    CACHED(packet, l3_header) = NULL;
    CACHED(packet, l4_header) = NULL;
    CACHED(packet, payload_length) = -1;
}

/* Set what libtrace would else compute by reading, and trusting, the packet's framing header. */
static inline void compat_set_cache(libtrace_packet_t *packet, uint32_t len, uint32_t wire_len,
                                    int linktype)
{
    compat_clear_cache(packet);
    CACHED(packet, capture_length) = (int)len;
    CACHED(packet, wire_length) = (int)wire_len;
    CACHED(packet, link_type) = (libtrace_linktype_t)linktype;
}

_Static_assert((int)TRACE_TYPE_UNKNOWN == LIBTRACE_TYPE_UNKNOWN, "libtrace's number");
_Static_assert((int)TRACE_TYPE_HDLC_POS == LIBTRACE_TYPE_HDLC_POS, "libtrace's number");
_Static_assert((int)TRACE_TYPE_ETH == LIBTRACE_TYPE_ETH, "libtrace's number");
_Static_assert((int)TRACE_TYPE_ATM == LIBTRACE_TYPE_ATM, "libtrace's number");
_Static_assert((int)TRACE_TYPE_80211 == LIBTRACE_TYPE_80211, "libtrace's number");
_Static_assert((int)TRACE_TYPE_NONE == LIBTRACE_TYPE_NONE, "libtrace's number");
_Static_assert((int)TRACE_TYPE_LINUX_SLL == LIBTRACE_TYPE_LINUX_SLL, "libtrace's number");
_Static_assert((int)TRACE_TYPE_PFLOG == LIBTRACE_TYPE_PFLOG, "libtrace's number");
_Static_assert((int)TRACE_TYPE_POS == LIBTRACE_TYPE_POS, "libtrace's number");
_Static_assert((int)TRACE_TYPE_80211_PRISM == LIBTRACE_TYPE_80211_PRISM, "libtrace's number");
_Static_assert((int)TRACE_TYPE_AAL5 == LIBTRACE_TYPE_AAL5, "libtrace's number");
_Static_assert((int)TRACE_TYPE_DUCK == LIBTRACE_TYPE_DUCK, "libtrace's number");
_Static_assert((int)TRACE_TYPE_80211_RADIO == LIBTRACE_TYPE_80211_RADIO, "libtrace's number");
_Static_assert((int)TRACE_TYPE_LLCSNAP == LIBTRACE_TYPE_LLCSNAP, "libtrace's number");
_Static_assert((int)TRACE_TYPE_PPP == LIBTRACE_TYPE_PPP, "libtrace's number");
_Static_assert((int)TRACE_TYPE_METADATA == LIBTRACE_TYPE_METADATA, "libtrace's number");
_Static_assert((int)TRACE_TYPE_NONDATA == LIBTRACE_TYPE_NONDATA, "libtrace's number");
_Static_assert((int)TRACE_TYPE_OPENBSD_LOOP == LIBTRACE_TYPE_OPENBSD_LOOP, "libtrace's number");

#endif
