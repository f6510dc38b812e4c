/* The only file that knows libtrace's header, and libtrace 3 from 4. */
#ifndef PLT_LIBTRACE_COMPAT_H
#define PLT_LIBTRACE_COMPAT_H

#include "plt.h"

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

/* A source of libtrace's: live interfaces, rt:, and formats that we don't read ourselves. */
struct live_config {
    libtrace_filter_t *filter; /* borrowed, or NULL */
    const char *expression;    /* borrowed, or NULL: the same as text */
    int snaplen;               /* -1 where not set */
    int promisc;               /* -1 where not set */
    double timeout;            /* seconds, 0 for none */
};

struct source *live_source_new(struct plt_state *state, const char *uri,
                               const struct live_config *config);

/* The source of pcapint:, in pcaplive.c. */
struct source *pcap_live_source_new(struct plt_state *state, const char *device,
                                    const struct live_config *config);
/* Seconds on a clock that never goes back. */
double live_now(void);

/* What is known of the interface that is captured from: none of the ways to capture tells reliably
 * when it goes down or away. */
struct watch {
    int index;  /* 0 where it is no interface of the system's */
    int fd;     /* owned: a socket to ask through, -1 for none */
    bool ended; /* it was seen down or gone, which is told when no packet is left */
    bool gone;
    char name[64];
};

void watch_open(struct watch *watch, const char *name);
void watch_close(struct watch *watch);
/* Note whether the interface is down or gone.  It is known by its number: names may change. */
void watch_look(struct watch *watch);
/* Note whether the socket fd has an error, and take that from it: reading would print it. */
void watch_socket(struct watch *watch, int fd);
/* OSError, -1, where the interface was seen down or gone when the last packet had been read; else
 * 0. */
int watch_raise(struct watch *watch);
/* Raises OSError with a text on why a capture does not start, and with the capability that it needs
 * where this process lacks it; -1. */
int live_raise(const char *text);

/* Wait for a descriptor, or for seconds where fd is -1, no longer than until the next look for
 * signals and at the interface; 0, or -1 with an exception, LibtraceError after timeout seconds. */
int live_wait(const struct plt_state *state, struct watch *watch, int fd, double seconds,
              double started, double timeout);

/* --- Filters, in filter.c ----------------------------------------------------------------------
 */

/* libtrace's filter of a plt.filter, for a trace that filters itself.  Borrowed. */
libtrace_filter_t *filter_of(PyObject *filter);
/* Its expression.  Borrowed. */
const char *filter_text(PyObject *filter);
/* Whether an argument of a method is a plt.filter with an expression; else an exception. */
bool filter_check(const struct plt_state *state, PyObject *filter, const char *method);

#endif
