/* The type trace: opening, closing, configuring. */
#include "common/keptexception.h"
#include "common/room.h"

#include "attributes.h"
#include "capture.h"
#include "errors.h"
#include "filter.h"
#include "formats.h"
#include "source.h"
#include "state.h"
#include "trace.h"
#include "uri.h"

/* --- Opening and closing --------------------------------------------------------------------- */

/* A trace without a name, which can't be started. */
static PyObject *trace_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                           PyObject *Py_UNUSED(kwargs))
{
    struct trace *self = (struct trace *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    if (!uri_init(&self->uri)) {
        Py_DECREF(self);
        return NULL;
    }
    self->snaplen = -1;
    self->promisc = -1;
    self->bounds.left = UINT64_MAX;
    return (PyObject *)self;
}

static int trace_init(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char uri_word[] = "uri", filter_word[] = "filter", duration_word[] = "duration",
                count_word[] = "count";
    static char *names[] = {uri_word, filter_word, duration_word, count_word, NULL};
    struct trace *self = (struct trace *)self_;
    PyObject *source = NULL, *filter = Py_None, *duration = Py_None, *count = Py_None;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    struct bounds bounds;
    PyObject *own = NULL;
    if (!state || !PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOO:trace", names, &source,
                                               &filter, &duration, &count))
        return -1;
    if (bounds_read(&bounds, count, duration) < 0)
        return -1;
    if (filter != Py_None && !(own = filter_from(state, filter, "trace")))
        return -1;
    int taken = uri_take_source(&self->uri, &self->origin, source);
    if (taken <= 0) {
        Py_XDECREF(own);
        return taken;
    }
    self->bounds = bounds;
    Py_XSETREF(self->filter, own);
    return 0;
}

static uint64_t drops_of(struct source *source)
{
    if (source->count_drops)
        source->count_drops(source);
    return source->drops;
}

static void trace_end(struct trace *self)
{
    struct source *source = self->source;
    self->source = NULL;
    self->started = false;
    self->closed = true;
    if (source) {
        self->drops = drops_of(source);
        source->destroy(source);
    }
    Py_CLEAR(self->spare[0]);
    Py_CLEAR(self->spare[1]);
}

static int trace_traverse(PyObject *self_, visitproc visit, void *arg)
{
    const struct trace *self = (const struct trace *)self_;
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(self->origin);
    Py_VISIT(self->filter);
    if (self->source)
        Py_VISIT(self->source->input.stream);
    return 0;
}

/* Close the file before the collector comes to it, which is a ResourceWarning for one that is open.
 * What reads a busy trace gives it back later. */
static void trace_finalize(PyObject *self_)
{
    struct trace *self = (struct trace *)self_;
    PyObject *pending = exception_take();
    if (!self->busy)
        trace_end(self);
    else if (self->source)
        input_close(&self->source->input);
    exception_restore(pending);
}

/* The source of one that is busy is in use by what reads it, which is collected, too, and gives it
 * back then. */
static int trace_clear(PyObject *self_)
{
    struct trace *self = (struct trace *)self_;
    if (!self->busy)
        trace_end(self);
    Py_CLEAR(self->origin);
    Py_CLEAR(self->filter);
    return 0;
}

static void trace_dealloc(PyObject *self_)
{
    struct trace *self = (struct trace *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    trace_end(self);
    Py_XDECREF(self->filter);
    Py_XDECREF(self->uri);
    Py_XDECREF(self->origin);
    type->tp_free(self_);
    Py_DECREF(type);
}

static struct capture_config capture_config_of(const struct trace *self)
{
    return (struct capture_config){.filter = self->filter ? filter_of(self->filter) : NULL,
                                   .expression = self->filter ? filter_text(self->filter) : NULL,
                                   .snaplen = self->snaplen,
                                   .promisc = self->promisc,
                                   .timeout = self->timeout};
}

/* Open the URI as a format that opens URIs itself. */
static struct source *open_uri(struct trace *self, struct plt_state *state,
                               const struct format *format)
{
    struct capture_config config = capture_config_of(self);
    PyObject *uri = PyUnicode_EncodeFSDefault(self->uri);
    if (!uri)
        return NULL;
    struct source *source = format->open_uri(state, PyBytes_AS_STRING(uri), &config);
    Py_DECREF(uri);
    /* cppcheck-suppress returnDanglingLifetime ; a source copies what it needs of config */
    return source;
}

static struct source *open_source(struct trace *self, struct plt_state *state)
{
    PyObject *module = PyImport_ImportModule("plt._uris");
    if (!module)
        return NULL;
    PyObject *opened = PyObject_CallMethod(module, "open_uri", "OO", self->uri,
                                           self->origin ? self->origin : Py_None);
    Py_DECREF(module);
    if (!opened)
        return NULL;
    const char *name = NULL;
    const char *ahead = NULL;
    Py_ssize_t ahead_len = 0;
    PyObject *stream = NULL;
    int waits_on = -1;
    struct source *source = NULL;
    if (PyArg_ParseTuple(opened, "sy#Oi", &name, &ahead, &ahead_len, &stream, &waits_on)) {
        const struct format *format = format_named(name);
        if (!format)
            PyErr_Format(PyExc_SystemError, "there is no format %s", name);
        else if (format->open_uri)
            source = open_uri(self, state, format);
        else
            source = format_open_file(format, ahead, (size_t)ahead_len, stream, waits_on);
    }
    Py_DECREF(opened);
    return source;
}

static PyObject *trace_start_(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct trace *self = (struct trace *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    if (self->closed) {
        PyErr_Format(state->error, "Couldn't start trace: %U: it is closed", self->uri);
        return NULL;
    }
    if (self->started)
        Py_RETURN_NONE;
    if (self->busy)
        return trace_busy(self_);
    self->busy = true;
    bool failed = false;
    if (self->source) {
        struct capture_config config = capture_config_of(self);
        failed = self->source->resume && self->source->resume(self->source, &config) < 0;
    } else {
        self->source = open_source(self, state);
        failed = !self->source;
    }
    self->busy = false;
    if (failed)
        return raise_error_from(state, "Couldn't start trace: %U: %U", self->uri, 0);
    self->started = true;
    bounds_start(&self->bounds, self->source);
    Py_RETURN_NONE;
}

static PyObject *trace_pause_(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct trace *self = (struct trace *)self_;
    if (!self->started)
        return raise_error(self_, "Trace not started");
    if (self->busy)
        return trace_busy(self_);
    if (self->source->pause && self->source->pause(self->source) < 0)
        return raise_error_from(plt_state_of(Py_TYPE(self_)), "Couldn't pause trace: %U: %U",
                                self->uri, 0);
    self->started = false;
    Py_RETURN_NONE;
}

static PyObject *trace_close(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct trace *self = (struct trace *)self_;
    if (self->busy)
        return trace_busy(self_);
    trace_end(self);
    Py_RETURN_NONE;
}

static PyObject *trace_enter(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *started = trace_start_(self_, NULL);
    if (!started)
        return NULL;
    Py_DECREF(started);
    Py_INCREF(self_);
    return self_;
}

static PyObject *trace_exit(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return trace_close(self_, NULL);
}

/* --- Configuration --------------------------------------------------------------------------- */

/* What a trace was configured with, to go back to where its source refuses another. */
struct settings {
    PyObject *filter; /* owned by the holder of these */
    int snaplen;
    int promisc;
    double timeout;
};

static struct settings settings_of(const struct trace *self)
{
    Py_XINCREF(self->filter);
    return (struct settings){self->filter, self->snaplen, self->promisc, self->timeout};
}

static void settings_set(struct trace *self, const struct settings *settings)
{
    Py_XSETREF(self->filter, settings->filter);
    self->snaplen = settings->snaplen;
    self->promisc = settings->promisc;
    self->timeout = settings->timeout;
}

/* Have a live source that captures go on as the trace is configured now; 0, or -1 with an exception
 * and the trace paused where it could not be begun again. */
static int reconfigure(struct trace *self)
{
    struct source *source = self->source;
    struct capture_config config = capture_config_of(self);
    int status = source->configure(source, &config);
    if (status <= 0)
        return status;
    if (source->pause(source) == 0 && source->resume(source, &config) == 0)
        return 0;
    self->started = false;
    return -1;
}

/* Configure the trace, and its source where that is captured from already; None, or NULL with
 * LibtraceError.  Takes over the filter in the settings. */
static PyObject *trace_configure(PyObject *self_, struct settings settings)
{
    struct trace *self = (struct trace *)self_;
    if (self->closed || self->busy) {
        Py_XDECREF(settings.filter);
        return self->busy ? trace_busy(self_)
                          : raise_error(self_, "a closed trace can't be configured");
    }
    struct settings before = settings_of(self);
    settings_set(self, &settings);
    if (self->source && settings.filter != before.filter)
        self->source->filter_use = (struct filter_use){.applied = false};
    int failed = 0;
    if (self->started && self->source->configure) {
        self->busy = true;
        failed = reconfigure(self);
        self->busy = false;
    }
    if (failed) {
        settings_set(self, &before);
        return raise_error_from(plt_state_of(Py_TYPE(self_)), "Couldn't configure trace: %U: %U",
                                self->uri, 0);
    }
    Py_XDECREF(before.filter);
    Py_RETURN_NONE;
}

static PyObject *trace_conf_filter(PyObject *self_, PyObject *filter)
{
    struct trace *self = (struct trace *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    PyObject *own = filter_from(state, filter, "conf_filter");
    if (!own)
        return NULL;
    struct settings settings = settings_of(self);
    Py_XSETREF(settings.filter, own);
    return trace_configure(self_, settings);
}

static PyObject *trace_conf_snaplen(PyObject *self_, PyObject *arg)
{
    int64_t snaplen = attribute_int(arg, "snap length", 0, INT_MAX);
    if (snaplen < 0)
        return NULL;
    struct settings settings = settings_of((struct trace *)self_);
    settings.snaplen = (int)snaplen;
    return trace_configure(self_, settings);
}

static PyObject *trace_conf_promisc(PyObject *self_, PyObject *arg)
{
    int promisc = PyObject_IsTrue(arg);
    if (promisc < 0)
        return NULL;
    struct settings settings = settings_of((struct trace *)self_);
    settings.promisc = promisc;
    return trace_configure(self_, settings);
}

static PyObject *trace_conf_timeout(PyObject *self_, PyObject *arg)
{
    double timeout = PyFloat_AsDouble(arg);
    if (timeout == -1 && PyErr_Occurred())
        return NULL;
    if (!(timeout >= 0 && timeout < 1e9)) {
        PyErr_SetString(PyExc_ValueError, "a timeout is 0 or more seconds");
        return NULL;
    }
    struct settings settings = settings_of((struct trace *)self_);
    settings.timeout = timeout;
    return trace_configure(self_, settings);
}

/* --- The type -------------------------------------------------------------------------------- */

static PyObject *trace_pkt_accepts(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return PyLong_FromUnsignedLongLong(((struct trace *)self_)->accepted);
}

static PyObject *trace_pkt_drops(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct trace *self = (struct trace *)self_;
    return PyLong_FromUnsignedLongLong(self->source ? drops_of(self->source) : self->drops);
}

static PyObject *trace_uri_get(PyObject *self_, void *Py_UNUSED(closure))
{
    PyObject *uri = ((struct trace *)self_)->uri;
    Py_INCREF(uri);
    return uri;
}

static PyObject *trace_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("plt._packets", "trace_html", self_);
}

static PyObject *trace_repr(PyObject *self_)
{
    const struct trace *self = (struct trace *)self_;
    return PyUnicode_FromFormat("<plt.trace %R: %s, %llu packets read>", self->uri,
                                self->closed    ? "closed"
                                : self->started ? "started"
                                : self->source  ? "paused"
                                                : "not started",
                                (unsigned long long)self->accepted);
}

static PyGetSetDef trace_getset[] = {
    READONLY(uri, trace_uri_get, "The URI that the trace was made from."), {.name = NULL}};

static PyMethodDef trace_methods[] = {
    {"start", trace_start_, METH_NOARGS,
     "start($self, /)\n--\n\n"
     "Open the trace; LibtraceError where that fails.\n\n"
     "Starting a started trace changes nothing; a closed one can't be started again."},
    {"pause", trace_pause_, METH_NOARGS,
     "pause($self, /)\n--\n\n"
     "Stop reading; conf_*() may follow, then start() goes on."},
    {"close", trace_close, METH_NOARGS,
     "close($self, /)\n--\n\n"
     "End the trace; again is no error.\n\n"
     "Packets and layers got from it stay valid."},
    {"read_packet", trace_read_packet_into, METH_O,
     "read_packet($self, packet, /)\n--\n\n"
     "Read the next packet into a plt.packet; True, or False at the end.\n\n"
     "Layers got from the packet before keep what they were got from. "
     "LibtraceError on a read error, with the packet's number."},
    {"conf_filter", trace_conf_filter, METH_O,
     "conf_filter($self, filter, /)\n--\n\n"
     "Let only packets through that a plt.filter, or the expression of one, accepts.\n\n"
     "It takes the place of an earlier one, from the next packet on where the trace is started. "
     "LibtraceError while columns or a flow table read the trace, as of all conf_*()."},
    {"conf_snaplen", trace_conf_snaplen, METH_O,
     "conf_snaplen($self, length, /)\n--\n\n"
     "Capture at most this many bytes of each packet, 0 for all of them.\n\n"
     "A file's packets are cut to as many, after the filter. "
     "Where a capture with ring: or pcapint: has started, another length may begin it anew: "
     "what was not read is lost."},
    {"conf_promisc", trace_conf_promisc, METH_O,
     "conf_promisc($self, promiscuous, /)\n--\n\n"
     "Capture also what is not for this host, on a live trace.\n\n"
     "A capture that has started is begun anew: what was not read is lost."},
    {"conf_timeout", trace_conf_timeout, METH_O,
     "conf_timeout($self, seconds, /)\n--\n\n"
     "Let a read that waits longer raise LibtraceError; 0 for no limit."},
    {"pkt_accepts", trace_pkt_accepts, METH_NOARGS,
     "pkt_accepts($self, /)\n--\n\n"
     "How many packets were read and accepted by the filter."},
    {"pkt_drops", trace_pkt_drops, METH_NOARGS,
     "pkt_drops($self, /)\n--\n\n"
     "How many packets the capture lost, as far as the trace or interface tells."},
    {"_repr_html_", trace_html, METH_NOARGS,
     "_repr_html_($self, /)\n--\n\n"
     "What the trace is and how far it was read, for notebooks."},
    {"__enter__", trace_enter, METH_NOARGS,
     "__enter__($self, /)\n--\n\n"
     "Start the trace."},
    {"__exit__", trace_exit, METH_VARARGS,
     "__exit__($self, /, *args)\n--\n\n"
     "Close the trace."},
    {.ml_name = NULL}};

static PyType_Slot trace_slots[] = {
    {Py_tp_doc,
     "trace(uri, *, filter=None, duration=None, count=None)\n--\n\n"
     "A packet trace: a path, or libtrace's format:name; nothing is opened before start().\n\n"
     "uri may also be a URL that fsspec opens, such as s3://bucket/x.pcap.gz, or an open binary "
     "file, which is read from where it stands and stays open. "
     "filter is what conf_filter() takes. The trace ends by itself after count packets, and after "
     "duration seconds: of a live capture since start(), of a file since its first packet.\n\n"
     "Iterating gives the packets in order, each one to keep; "
     "LibtraceError on a read error, with the packet's number."},
    {Py_tp_new, trace_new},
    {Py_tp_init, trace_init},
    {Py_tp_dealloc, trace_dealloc},
    {Py_tp_traverse, trace_traverse},
    {Py_tp_clear, trace_clear},
    {Py_tp_finalize, trace_finalize},
    {Py_tp_repr, trace_repr},
    {Py_tp_iter, trace_iter},
    {Py_tp_iternext, trace_iternext},
    {Py_tp_getset, trace_getset},
    {Py_tp_methods, trace_methods},
    {0, NULL}};

PyType_Spec trace_spec = {.name = "plt.trace",
                          .basicsize = sizeof(struct trace),
                          .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                                   Py_TPFLAGS_IMMUTABLETYPE,
                          .slots = trace_slots};
