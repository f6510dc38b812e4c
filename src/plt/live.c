/* Sources that libtrace reads: live interfaces, rt:, and the formats that have no reader here. */
#include "live.h"

#include "common/monotonic.h"
#include "packet/decode.h"

#include "capture.h"
#include "framing.h"
#include "sockets.h"
#include "source.h"
#include "state.h"
#include "wait.h"
#include "watch.h"

#include <errno.h>
#include <string.h>

enum kind {
    KIND_FILE,   /* read packet by packet */
    KIND_EVENTS, /* live: libtrace tells what to wait for */
    KIND_INT,
    KIND_RING
};

struct live_source {
    struct source base;
    struct plt_state *state;   /* borrowed */
    PyObject *uri;             /* owned: bytes */
    libtrace_t *trace;         /* owned; NULL where it could not be opened again */
    libtrace_packet_t *packet; /* owned */
    uint64_t drops_before;     /* of traces that are closed */
    enum kind kind;
    int fd;                       /* of the socket, libtrace's; -1 where not known */
    struct capture_config config; /* what it captures with; the filter is the trace's */
    bool ready;                   /* record is set and was not handed out */
    bool ended;
    bool started; /* libtrace ends the process where one is asked for drops that isn't */
    double timeout;
    struct watch watch;
    struct plt_record record;
};

static bool is_interface(const struct live_source *self)
{
    return self->kind == KIND_INT || self->kind == KIND_RING;
}

/* What libtrace says went wrong. */
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
    if (framing_read(self->packet, &self->record) < 0)
        return -1;
    self->ready = true;
    return 0;
}

static int fill_live(struct source *base)
{
    struct live_source *self = (struct live_source *)base;
    double started = monotonic_now();
    for (;;) {
        libtrace_eventobj_t event;
        int problem = 0;
        bool ended = self->watch.ended; /* before the last look for packets */
        if (self->kind == KIND_INT)
            watch_socket(&self->watch, self->fd);
        Py_BEGIN_ALLOW_THREADS
        event = trace_event(self->trace, self->packet);
        problem = errno;
        Py_END_ALLOW_THREADS
        switch (event.type) {
        case TRACE_EVENT_PACKET:
            if (event.size < 0 || !framing_is_message(self->packet))
                return take(self, event.size);
            if (framing_is_end(self->packet))
                return take(self, 0);
            if (PyErr_CheckSignals() < 0)
                return -1;
            break;
        case TRACE_EVENT_TERMINATE:
            if (self->watch.index > 0 && watch_raise(&self->watch) < 0)
                return -1;
            if (event.size < 0 && problem == EINTR)
                break;
            if (event.size < 0 && !trace_is_err(self->trace)) { /* libtrace only prints why */
                PyErr_SetString(PyExc_OSError, strerror(problem));
                return -1;
            }
            return take(self, 0);
        case TRACE_EVENT_IOWAIT:
            self->fd = event.fd;
            if ((ended && watch_raise(&self->watch) < 0) ||
                wait_for_packet(self->state, &self->watch, event.fd, 1, started, self->timeout) < 0)
                return -1;
            break;
        case TRACE_EVENT_SLEEP:
            if ((ended && watch_raise(&self->watch) < 0) ||
                wait_for_packet(self->state, &self->watch, -1, event.seconds, started,
                                self->timeout) < 0)
                return -1;
            break;
        }
        if (wait_is_over(base))
            return 0;
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
    if (!self->started)
        return;
    if (is_interface(self) && self->fd >= 0) {
        base->drops += sockets_drops(self->fd);
        return;
    }
    uint64_t drops = trace_get_dropped_packets(self->trace);
    if (drops == UINT64_MAX) /* libtrace's value for not known */
        return;
    /* of an interface libtrace 3 says those since it was asked last, as the kernel does */
    base->drops = drops + (is_interface(self) ? base->drops : self->drops_before);
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
    self->fd = -1;
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
    if (snaplen > 0 && self->kind != KIND_INT &&
        trace_config(self->trace, TRACE_OPTION_SNAPLEN, &snaplen) < 0)
        return raise_problem(self->trace);
    if (promisc >= 0 && trace_config(self->trace, TRACE_OPTION_PROMISC, &promisc) < 0)
        return raise_problem(self->trace);
    if (config->filter && trace_config(self->trace, TRACE_OPTION_FILTER, config->filter) < 0)
        return raise_problem(self->trace);
    return 0;
}

static int start(struct live_source *self)
{
    int failed = 0;
    libtrace_eventobj_t event = {.type = TRACE_EVENT_SLEEP};
    /* libtrace tells its socket when there is nothing to read, which may be too late */
    int fd = is_interface(self) ? sockets_next_descriptor() : -1;
    Py_BEGIN_ALLOW_THREADS
    failed = trace_start(self->trace) < 0;
    self->fd = !failed && sockets_captures(fd, self->watch.index) ? fd : -1;
    if (!failed && self->fd < 0 && is_interface(self))
        event = trace_event(self->trace, self->packet);
    Py_END_ALLOW_THREADS
    self->ready = false;
    self->ended = false;
    self->watch.ended = false;
    if (failed) {
        libtrace_err_t problem;
        const char *text = problem_of(self->trace, &problem);
        if (is_interface(self))
            capture_raise(text);
        else
            PyErr_SetString(PyExc_OSError, text);
        close_trace(self); /* libtrace has freed what it would start again with */
        return -1;
    }
    self->started = true;
    if (event.type == TRACE_EVENT_IOWAIT)
        self->fd = event.fd;
    return event.type == TRACE_EVENT_PACKET ? take(self, event.size) : 0;
}

/* Have the kernel filter no more: whoever reads does it then. */
static bool stop_filtering(struct live_source *self)
{
    self->base.filters = !sockets_stop_filtering(self->fd);
    return !self->base.filters;
}

static int live_configure(struct source *base, const struct capture_config *config)
{
    struct live_source *self = (struct live_source *)base;
    bool other_filter = config->filter != self->config.filter;
    if (self->kind == KIND_FILE) /* of a file libtrace reads, it takes another filter at any time */
        return configure(self, config);
    if (config->promisc != self->config.promisc)
        return 1;
    if (self->kind != KIND_INT && plt_snaplen(config->snaplen) > plt_snaplen(self->config.snaplen))
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
    live_count_drops(base); /* pausing closes the socket of an interface */
    self->drops_before = base->drops;
    if (trace_pause(self->trace) < 0)
        return raise_problem(self->trace);
    if (is_interface(self)) {
        self->started = false;
        self->fd = -1;
    }
    return 0;
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
    if (self->kind == KIND_RING ||
        !self->trace) { /* libtrace 3 forgets that a new ring begins at its start */
        close_trace(self);
        return open_trace(self, config);
    }
    return configure(self, config) < 0 ? -1 : start(self);
}

/* A source of a URI; NULL with an exception. */
static struct source *source_new(struct plt_state *state, const char *uri,
                                 const struct capture_config *config, enum kind kind)
{
    /* libtrace registers its formats at its first call, without a lock but the GIL that all
     * interpreters shared when it was written */
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_OSError, "libtrace is used by the main interpreter only");
        return NULL;
    }
    struct live_source *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->state = state;
    self->kind = kind;
    self->base.next = live_next;
    self->base.fill = kind == KIND_FILE ? fill_file : fill_live;
    self->base.destroy = live_destroy;
    self->base.count_drops = live_count_drops;
    self->base.pause = live_pause;
    self->base.resume = live_resume;
    self->base.configure = live_configure;
    self->fd = self->watch.fd = -1;
    if (is_interface(self))
        watch_open(&self->watch, strchr(uri, ':') + 1);
    self->uri = PyBytes_FromString(uri);
    if (self->uri && open_trace(self, config) == 0)
        return &self->base;
    live_destroy(&self->base);
    return NULL;
}

/* The same of an interface. */
static struct source *interface_new(struct plt_state *state, const char *uri,
                                    const struct capture_config *config, enum kind kind)
{
    if (sockets_are_there())
        return source_new(state, uri, config, kind);
    PyErr_SetString(PyExc_OSError, "this system has no packet sockets: capture with pcapint:");
    return NULL;
}

struct source *int_source_new(struct plt_state *state, const char *uri,
                              const struct capture_config *config)
{
    return interface_new(state, uri, config, KIND_INT);
}

struct source *ring_source_new(struct plt_state *state, const char *uri,
                               const struct capture_config *config)
{
    return interface_new(state, uri, config, KIND_RING);
}

struct source *rt_source_new(struct plt_state *state, const char *uri,
                             const struct capture_config *config)
{
    int free_fd = sockets_next_descriptor();
    struct source *source = source_new(state, uri, config, KIND_EVENTS);
    if (!source)
        sockets_close_unconnected(free_fd);
    return source;
}

struct source *event_source_new(struct plt_state *state, const char *uri,
                                const struct capture_config *config)
{
    return source_new(state, uri, config, KIND_EVENTS);
}

struct source *libtrace_source_new(struct plt_state *state, const char *uri,
                                   const struct capture_config *config)
{
    return source_new(state, uri, config, KIND_FILE);
}
