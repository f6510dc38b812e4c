/* Sources of libtrace's: live interfaces, rt:, and the formats that only libtrace reads. */
#include "live.h"

#include "packet/decode.h"

#include "capture.h"
#include "libtrace_compat.h"
#include "pcaplive.h"
#include "source.h"
#include "state.h"
#include "wait.h"
#include "watch.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct live_source {
    struct source base;
    struct plt_state *state;      /* borrowed */
    PyObject *uri;                /* owned: bytes */
    libtrace_t *trace;            /* owned; NULL where it could not be opened again */
    libtrace_packet_t *packet;    /* owned */
    uint64_t drops_before;        /* of traces that are closed */
    bool live;                    /* has events; else a file */
    bool native;                  /* int: */
    bool ring;                    /* ring: */
    int fd;                       /* of the socket, libtrace's; -1 where not known */
    struct capture_config config; /* what it captures with; the filter is the trace's */
    bool ready;                   /* record is set and was not handed out */
    bool ended;
    bool started; /* libtrace ends the process where one is asked for drops that isn't */
    double timeout;
    struct watch watch;
    struct plt_record record;
};

/* libtrace's word on what went wrong. */
static const char *problem_of(libtrace_t *trace, libtrace_err_t *problem)
{
    *problem = trace_get_err(trace);
    if (problem->problem[0])
        return problem->problem;
    return problem->err_num > 0 ? strerror(problem->err_num) : "libtrace says no more";
}

/* That as an OSError, which the trace turns into LibtraceError. */
static int raise_problem(libtrace_t *trace)
{
    libtrace_err_t problem;
    PyErr_SetString(PyExc_OSError, problem_of(trace, &problem));
    return -1;
}

/* --- What a packet of libtrace's is ---------------------------------------------------------- */

static uint32_t dlt_of_hardware(unsigned hardware)
{
    switch (hardware) {
    case 1:   /* ARPHRD_ETHER */
    case 772: /* ARPHRD_LOOPBACK */
        return LINKTYPE_ETHERNET;
    case ARPHRD_80211:
        return LINKTYPE_IEEE802_11;
    case ARPHRD_RADIOTAP:
        return LINKTYPE_IEEE802_11_RADIOTAP;
    default: /* tunnels, PPP: the packet begins with its IP header */
        return LINKTYPE_DLT_RAW;
    }
}

static void set_address(struct plt_meta *meta, const struct sockaddr_ll *address)
{
    meta->dlt = dlt_of_hardware(address->sll_hatype);
    meta->direction =
        address->sll_pkttype == PACKET_OUTGOING ? TRACE_DIR_OUTGOING : TRACE_DIR_INCOMING;
}

/* The header of a ring: packet is the kernel's (packet(7)). */
static void read_ring(const uint8_t *header, struct plt_record *record)
{
    ring_header ring;
    struct sockaddr_ll address;
    memcpy(&ring, header, sizeof(ring));
    memcpy(&address,
           header + (sizeof(ring) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT,
           sizeof(address));
    record->len = ring.tp_snaplen;
    record->meta.sec = ring.tp_sec;
    record->meta.nsec = ring.tp_nsec;
    record->meta.fine_clock = true;
    record->meta.wire_len = ring.tp_len;
    set_address(&record->meta, &address);
}

/* The header of an int: packet is libtrace's own, as measured: three clock words, the mode of the
 * time stamp, wire length, capture length, the kernel's address. */
static bool read_native(const uint8_t *header, struct plt_record *record)
{
    enum { WIRE = 20, CAPTURE = 24, ADDRESS = 28 };
    struct sockaddr_ll address;
    uint32_t lengths[2];
    memcpy(lengths, header + WIRE, sizeof(lengths));
    memcpy(&address, header + ADDRESS, sizeof(address));
    if (address.sll_family != AF_PACKET || lengths[1] > LIBTRACE_PACKET_BUFSIZE)
        return false; /* another layout than we know */
    record->len = lengths[1];
    record->meta.fine_clock = true;
    record->meta.wire_len = lengths[0];
    set_address(&record->meta, &address);
    return true;
}

/* How to decode what formats have that only libtrace reads. */
static uint32_t dlt_of_linktype(libtrace_linktype_t linktype)
{
    switch (linktype) {
    case TRACE_TYPE_ETH:
        return LINKTYPE_ETHERNET;
    case TRACE_TYPE_NONE:
        return LINKTYPE_DLT_RAW;
    case TRACE_TYPE_ATM:
    case TRACE_TYPE_AAL5:
        return LINKTYPE_ERF_ATM;
    case TRACE_TYPE_POS:
    case TRACE_TYPE_HDLC_POS:
    case TRACE_TYPE_PPP:
        return LINKTYPE_ERF_HDLC;
    case TRACE_TYPE_LLCSNAP:
        return LINKTYPE_ATM_RFC1483;
    case TRACE_TYPE_LINUX_SLL:
        return LINKTYPE_LINUX_SLL;
    case TRACE_TYPE_80211:
        return LINKTYPE_IEEE802_11;
    case TRACE_TYPE_80211_RADIO:
        return LINKTYPE_IEEE802_11_RADIOTAP;
    default:
        return LINKTYPE_UNDECODED;
    }
}

/* Read a packet's framing ourselves where libtrace would end the process on its values. */
static int read_framing(struct live_source *self)
{
    libtrace_packet_t *packet = self->packet;
    struct plt_record *record = &self->record;
    int type = (int)packet->type;
    *record = (struct plt_record){.data = packet->payload,
                                  .meta = {.linktype = PLT_LINKTYPE_OF_DLT, .direction = -1}};
    if (!packet->header || !packet->payload) {
        PyErr_SetString(PyExc_OSError, "libtrace gave a packet without bytes");
        return -1;
    }
    if (type == TRACE_RT_DATA_LINUX_RING) {
        read_ring(packet->header, record);
    } else if (type == TRACE_RT_DATA_LINUX_NATIVE && read_native(packet->header, record)) {
        compat_set_cache(packet, record->len, record->len, LIBTRACE_TYPE_ETH);
        struct timespec time = trace_get_timespec(packet);
        record->meta.sec = time.tv_sec;
        record->meta.nsec = (uint32_t)time.tv_nsec;
    } else {
        uint32_t remaining = 0;
        libtrace_linktype_t linktype = TRACE_TYPE_UNKNOWN;
        record->data = trace_get_packet_buffer(packet, &linktype, &remaining);
        record->len = record->data ? remaining : 0;
        struct timespec time = trace_get_timespec(packet);
        record->meta.sec = time.tv_sec;
        record->meta.nsec = (uint32_t)time.tv_nsec;
        record->meta.wire_len = trace_get_wire_length(packet);
        record->meta.capture_len = record->len;
        record->meta.linktype = (int16_t)linktype;
        record->meta.direction = (int8_t)trace_get_direction(packet);
        record->meta.dlt = dlt_of_linktype(linktype);
        return 0;
    }
    record->meta.capture_len = record->len;
    meta_set_wire_len(&record->meta, record->data, record->len, (uint32_t)record->meta.wire_len);
    return 0;
}

/* --- Reading --------------------------------------------------------------------------------- */

static enum source_result live_next(struct source *base, struct plt_record *record)
{
    struct live_source *self = (struct live_source *)base;
    if (self->ended)
        return SOURCE_END;
    if (!self->ready)
        return SOURCE_MORE;
    *record = self->record;
    self->ready = false;
    base->count++;
    return SOURCE_RECORD;
}

/* What trace_read_packet or a packet event answered; 0, or -1 with an exception. */
static int take(struct live_source *self, int size)
{
    if (size < 0 || trace_is_err(self->trace))
        return raise_problem(self->trace);
    if (size == 0) {
        self->ended = true;
        return 0;
    }
    self->ready = true;
    return read_framing(self);
}

static int fill_live(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    double started = wait_now();
    for (;;) {
        libtrace_eventobj_t event;
        bool ended = self->watch.ended; /* before the last look for packets */
        if (self->native)
            watch_socket(&self->watch, self->fd);
        Py_BEGIN_ALLOW_THREADS
        event = trace_event(self->trace, self->packet);
        Py_END_ALLOW_THREADS
        switch (event.type) {
        case TRACE_EVENT_PACKET:
            return take(self, event.size);
        case TRACE_EVENT_TERMINATE:
            if (self->watch.index > 0 && watch_raise(&self->watch) < 0)
                return -1;
            return take(self, 0);
        case TRACE_EVENT_IOWAIT:
            self->fd = event.fd;
            if ((ended && watch_raise(&self->watch) < 0) ||
                wait_for(self->state, &self->watch, event.fd, 1, started, self->timeout) < 0)
                return -1;
            break;
        case TRACE_EVENT_SLEEP:
            if ((ended && watch_raise(&self->watch) < 0) ||
                wait_for(self->state, &self->watch, -1, event.seconds, started, self->timeout) < 0)
                return -1;
            break;
        }
    }
}

static int fill_file(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    int size = 0;
    Py_BEGIN_ALLOW_THREADS
    size = trace_read_packet(self->trace, self->packet);
    Py_END_ALLOW_THREADS
    return take(self, size);
}

/* --- Opening and closing --------------------------------------------------------------------- */

static void live_count_drops(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    uint64_t drops = self->started ? trace_get_dropped_packets(self->trace) : UINT64_MAX;
    if (drops != UINT64_MAX) /* libtrace's word for not known */
        base->drops = self->drops_before + drops;
}

static void close_trace(struct live_source *self)
{
    libtrace_t *trace = self->trace;
    live_count_drops(&self->base);
    self->drops_before = self->base.drops;
    if (self->packet)
        trace_destroy_packet(self->packet);
    if (trace) {
        Py_BEGIN_ALLOW_THREADS
        trace_destroy(trace);
        Py_END_ALLOW_THREADS
    }
    self->packet = NULL;
    self->trace = NULL;
    self->started = false;
}

static void live_destroy(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    close_trace(self);
    watch_close(&self->watch);
    Py_XDECREF(self->uri);
    PyMem_Free(self);
}

static int configure(struct live_source *self, const struct capture_config *config)
{
    int snaplen = config->snaplen;
    int promisc = config->promisc;
    self->config = *config;
    self->timeout = config->timeout;
    self->base.filters = config->filter != NULL;
    /* libtrace's int: would forget how long a packet was that it cuts, and the trace cuts it */
    if (snaplen > 0 && !self->native &&
        trace_config(self->trace, TRACE_OPTION_SNAPLEN, &snaplen) < 0)
        return raise_problem(self->trace);
    if (promisc >= 0 && trace_config(self->trace, TRACE_OPTION_PROMISC, &promisc) < 0)
        return raise_problem(self->trace);
    if (config->filter && trace_config(self->trace, TRACE_OPTION_FILTER, config->filter) < 0)
        return raise_problem(self->trace);
    return 0;
}

/* The number that the next descriptor of this process is likely to have. */
static int next_descriptor(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd;
}

/* Whether a descriptor is a packet socket of an interface. */
static bool captures(int fd, int index)
{
    struct sockaddr_ll address = {.sll_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    return fd >= 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           address.sll_family == AF_PACKET && address.sll_ifindex == index;
}

static int start(struct live_source *self)
{
    int failed = 0;
    libtrace_eventobj_t event = {.type = TRACE_EVENT_SLEEP};
    /* libtrace tells its socket when there is nothing to read, which may be too late */
    int fd = self->native ? next_descriptor() : -1;
    Py_BEGIN_ALLOW_THREADS
    failed = trace_start(self->trace) < 0;
    self->fd = !failed && captures(fd, self->watch.index) ? fd : -1;
    if (!failed && self->fd < 0 && (self->native || self->ring))
        event = trace_event(self->trace, self->packet);
    Py_END_ALLOW_THREADS
    self->ready = false;
    self->watch.ended = false;
    if (failed && (self->native || self->ring)) {
        libtrace_err_t problem;
        return capture_raise(problem_of(self->trace, &problem));
    }
    if (failed)
        return raise_problem(self->trace);
    self->started = true;
    if (event.type == TRACE_EVENT_IOWAIT)
        self->fd = event.fd;
    return event.type == TRACE_EVENT_PACKET ? take(self, event.size) : 0;
}

/* Have the kernel filter no more: whoever reads does it then. */
static bool stop_filtering(struct live_source *self)
{
    int unused = 0;
    if (self->fd < 0 ||
        setsockopt(self->fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) < 0)
        return false;
    self->base.filters = false;
    return true;
}

static int live_configure(struct source *base, const struct capture_config *config)
{
    struct live_source *self = (struct live_source *)base;
    bool other_filter = config->filter != self->config.filter;
    if (!self->live) /* of a file libtrace reads, it takes another filter at any time */
        return configure(self, config);
    if (config->promisc != self->config.promisc)
        return 1;
    if (!self->native && plt_snaplen(config->snaplen) > plt_snaplen(self->config.snaplen))
        return 1;
    if (other_filter && base->filters && !stop_filtering(self))
        return 1;
    self->timeout = config->timeout;
    self->config.filter = config->filter;
    return 0;
}

static int live_pause(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    return trace_pause(self->trace) < 0 ? raise_problem(self->trace) : 0;
}

/* Have libtrace open the URI, and start; 0, or -1 with an exception. */
static int open_trace(struct live_source *self, const struct capture_config *config)
{
    self->trace = trace_create(PyBytes_AS_STRING(self->uri));
    self->packet = trace_create_packet();
    if (!self->trace || !self->packet) {
        PyErr_NoMemory();
        return -1;
    }
    if (trace_is_err(self->trace)) /* starting it now would end the process */
        return raise_problem(self->trace);
    return configure(self, config) < 0 ? -1 : start(self);
}

static int live_resume(struct source *base, const struct capture_config *config)
{
    struct live_source *self = (struct live_source *)base;
    if (self->ring || !self->trace) { /* libtrace 3 forgets that a new ring begins at its start */
        close_trace(self);
        return open_trace(self, config);
    }
    return configure(self, config) < 0 ? -1 : start(self);
}

/* Close what libtrace's rt: leaves open where it can't connect: a TCP socket without a peer, at the
 * number that was free before.  Only where no other thread can have opened that meanwhile. */
static void close_unconnected(int fd)
{
    PyThreadState *threads = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    int domain = 0;
    socklen_t domain_size = sizeof(domain);
    if (fd < 0 || PyThreadState_Next(threads) || fd == next_descriptor())
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 && domain == AF_INET &&
        getpeername(fd, (struct sockaddr *)&peer, &size) < 0 && errno == ENOTCONN)
        close(fd);
}

static bool has_events(const char *uri)
{
    static const char *const formats[] = {"int:", "ring:", "bpf:", "rt:", "dag:"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strncmp(uri, formats[i], strlen(formats[i])) == 0)
            return true;
    return false;
}

struct source *live_source_new(struct plt_state *state, const char *uri,
                               const struct capture_config *config)
{
    int free_fd = -1;
    struct live_source *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->state = state;
    self->live = has_events(uri);
    self->native = strncmp(uri, "int:", 4) == 0;
    self->ring = strncmp(uri, "ring:", 5) == 0;
    if (strncmp(uri, "pcapint:", 8) == 0) {
        PyMem_Free(self);
        return pcap_live_source_new(state, uri + 8, config);
    }
    self->base.next = live_next;
    self->base.fill = self->live ? fill_live : fill_file;
    self->base.destroy = live_destroy;
    self->base.count_drops = live_count_drops;
    self->base.pause = live_pause;
    self->base.resume = live_resume;
    self->base.configure = live_configure;
    self->fd = self->watch.fd = -1;
    if (self->native || self->ring)
        watch_open(&self->watch, strchr(uri, ':') + 1);
    if (strncmp(uri, "rt:", 3) == 0)
        free_fd = next_descriptor();
    self->uri = PyBytes_FromString(uri);
    if (self->uri && open_trace(self, config) == 0)
        return &self->base;
    live_destroy(&self->base);
    close_unconnected(free_fd);
    return NULL;
}
