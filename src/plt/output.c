/* Output traces: pcap files are written by writer.c, all else by libtrace. */
#include "libtrace_compat.h"
#include "trace.h"

#include <fcntl.h>
#include <string.h>

struct output {
    PyObject ob_base;
    PyObject *uri;          /* owned: str */
    libtrace_out_t *output; /* owned, or NULL: of another writer, or after close_output() */
    struct writer *writer;  /* owned, or NULL: of pcap files */
    struct fence_packet fence;
    int file_flags;
    int compression;
    int level;    /* of compression, -1 where not set */
    bool is_pcap; /* written by writer.c */
    bool started;
    bool closed;
    bool busy; /* in a call that may have given back the GIL */
    int dlt;   /* of the packets that libtrace wrote, TRACE_DLT_ERROR before the first */
};

/* The formats that libtrace 3 writes, or sends, and that it can be told to without harm: on closing
 * what was never written to, its DUCK and libpcap writers end the process. */
static const char *const libtrace_formats[] = {"erf", "int", "ring", "dag", "bpf"};

static PyObject *raise_output(struct output *self, const char *what)
{
    struct plt_state *state = plt_state_of(Py_TYPE((PyObject *)self));
    libtrace_err_t problem = trace_get_err_output(self->output);
    if (state)
        PyErr_Format(state->error, "%s: %U: %s", what, self->uri,
                     problem.problem[0] ? problem.problem : strerror(problem.err_num));
    return NULL;
}

static PyObject *raise_state(PyObject *self_, const char *text)
{
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (state)
        PyErr_SetString(state->error, text);
    return NULL;
}

static bool is_format(const char *uri, size_t len, const char *format)
{
    return strlen(format) == len && memcmp(uri, format, len) == 0;
}

/* Find out who writes to a URI, and have libtrace look at those that it does; 0, or -1 with
 * ValueError. */
static int output_create(struct output *self, const char *uri)
{
    const char *colon = strchr(uri, ':');
    size_t len = colon ? (size_t)(colon - uri) : 0;
    if (len == 0 || !colon[1]) {
        PyErr_Format(PyExc_ValueError, "Couldn't create outputTrace: %U is not format:name",
                     self->uri);
        return -1;
    }
    self->is_pcap = is_format(uri, len, "pcapfile") || is_format(uri, len, "pcap");
    if (self->is_pcap)
        return 0;
    bool known = false;
    for (size_t i = 0; i < sizeof(libtrace_formats) / sizeof(libtrace_formats[0]); i++)
        known = known || is_format(uri, len, libtrace_formats[i]);
    if (!known) {
        PyErr_Format(PyExc_ValueError,
                     "Couldn't create outputTrace: %U: there is no writer for this format",
                     self->uri);
        return -1;
    }
    self->output = trace_create_output(uri);
    if (!self->output) {
        PyErr_NoMemory();
        return -1;
    }
    if (trace_is_err_output(self->output)) {
        libtrace_err_t problem = trace_get_err_output(self->output);
        /* libtrace 3 puts freed memory into its text on a format that it was built without */
        bool unknown = problem.err_num == TRACE_ERR_BAD_FORMAT;
        PyErr_Format(PyExc_ValueError, "Couldn't create outputTrace: %U: %s", self->uri,
                     unknown ? "libtrace was built without this format" : problem.problem);
        return -1;
    }
    return 0;
}

static PyObject *output_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char name[] = "uri";
    static char *names[] = {name, NULL};
    PyObject *path = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:output_trace", names, &path))
        return NULL;
    PyObject *decoded = NULL;
    if (!PyUnicode_FSDecoder(path, &decoded))
        return NULL;
    struct output *self = (struct output *)type->tp_alloc(type, 0);
    if (!self) {
        Py_DECREF(decoded);
        return NULL;
    }
    self->uri = decoded;
    self->dlt = TRACE_DLT_ERROR;
    self->level = -1;
    PyObject *encoded = PyUnicode_EncodeFSDefault(decoded);
    if (!encoded)
        goto error;
    int failed = output_create(self, PyBytes_AS_STRING(encoded));
    Py_DECREF(encoded);
    if (failed)
        goto error;
    if (fence_packet_init(&self->fence) < 0)
        goto error;
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

/* Give the pending exception as LibtraceError where it is a file's; NULL. */
static PyObject *raise_pending(struct output *self, const char *format)
{
    struct plt_state *state = plt_state_of(Py_TYPE((PyObject *)self));
    return state ? trace_error_from(state, format, self->uri, 0) : NULL;
}

/* Close what is open; the GIL is given back, for it may wait for a compressor or a disk. */
static int output_end(struct output *self)
{
    libtrace_out_t *output = self->output;
    struct writer *writer = self->writer;
    self->output = NULL;
    self->writer = NULL;
    self->started = false;
    self->closed = true;
    if (output) {
        Py_BEGIN_ALLOW_THREADS
        trace_destroy_output(output);
        Py_END_ALLOW_THREADS
    }
    return writer ? writer_close(writer) : 0;
}

static void output_dealloc(PyObject *self_)
{
    struct output *self = (struct output *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    if (output_end(self) < 0)
        PyErr_WriteUnraisable(self->uri);
    fence_packet_clear(&self->fence);
    Py_XDECREF(self->uri);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Configuration --------------------------------------------------------------------------- */

static PyObject *configure(PyObject *self_, trace_option_output_t option, int value,
                           const char *what)
{
    struct output *self = (struct output *)self_;
    if (self->closed || self->started)
        return raise_state(self_, "an OutputTrace is configured before it is started");
    if (self->is_pcap)
        Py_RETURN_NONE;
    if (trace_config_output(self->output, option, &value) < 0)
        return raise_output(self, what);
    Py_RETURN_NONE;
}

static PyObject *output_conf_file_flags(PyObject *self_, PyObject *arg)
{
    long flags = attribute_int(arg, "file flags", 0, INT_MAX);
    if (flags < 0)
        return NULL;
    ((struct output *)self_)->file_flags = (int)flags;
    return configure(self_, TRACE_OPTION_OUTPUT_FILEFLAGS, (int)flags, "Couldn't set file flags");
}

static PyObject *output_conf_compress_type(PyObject *self_, PyObject *arg)
{
    long type = attribute_int(arg, "compression type", 0, TRACE_OPTION_COMPRESSTYPE_LAST - 1);
    if (type < 0)
        return NULL;
    ((struct output *)self_)->compression = (int)type;
    return configure(self_, TRACE_OPTION_OUTPUT_COMPRESSTYPE, (int)type,
                     "Couldn't set compression type");
}

static PyObject *output_conf_compress_level(PyObject *self_, PyObject *arg)
{
    long level = attribute_int(arg, "compression level", 0, 9);
    if (level < 0)
        return NULL;
    ((struct output *)self_)->level = (int)level;
    return configure(self_, TRACE_OPTION_OUTPUT_COMPRESS, (int)level,
                     "Couldn't set compression level");
}

/* --- Writing --------------------------------------------------------------------------------- */

/* Open a pcap file for our own writer; 0, or -1 with an exception. */
static int open_writer(struct output *self)
{
    PyObject *module = PyImport_ImportModule("plt._sinks");
    PyObject *path = PyUnicode_Substring(
        self->uri, PyUnicode_FindChar(self->uri, ':', 0, PyUnicode_GetLength(self->uri), 1) + 1,
        PyUnicode_GetLength(self->uri));
    PyObject *opened = NULL;
    PyObject *stream = NULL;
    const char *header = NULL;
    Py_ssize_t header_len = 0;
    if (module && path)
        opened = PyObject_CallMethod(module, "open_sink", "Oiii", path, self->file_flags,
                                     self->compression, self->level);
    if (opened && PyArg_ParseTuple(opened, "Oy#", &stream, &header, &header_len))
        self->writer = writer_new(stream, (const uint8_t *)header, header_len);
    Py_XDECREF(module);
    Py_XDECREF(path);
    Py_XDECREF(opened);
    return self->writer ? 0 : -1;
}

static PyObject *output_start(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct output *self = (struct output *)self_;
    if (self->started)
        Py_RETURN_NONE;
    if (self->closed)
        return raise_state(self_, "OutputTrace is closed");
    if (self->busy)
        return raise_state(self_, "this OutputTrace is in use by another thread");
    if (self->is_pcap && self->compression > TRACE_OPTION_COMPRESSTYPE_BZ2)
        return raise_state(self_, "pcap files are written plain or with zlib or bzip2");
    if (!self->is_pcap && self->file_flags & O_APPEND) /* libtrace 3 empties the file first */
        return raise_state(self_, "only pcap files can be appended to");
    int failed = 0;
    self->busy = true;
    if (self->is_pcap) {
        failed = open_writer(self) < 0;
    } else {
        Py_BEGIN_ALLOW_THREADS
        failed = trace_start_output(self->output) < 0;
        Py_END_ALLOW_THREADS
    }
    self->busy = false;
    if (failed && self->is_pcap)
        return raise_pending(self, "Couldn't start outputTrace: %U: %U");
    if (failed || (self->output && trace_is_err_output(self->output)))
        return raise_output(self, "Couldn't start outputTrace");
    self->started = true;
    Py_RETURN_NONE;
}

/* Have libtrace write a frame; 0, or -1 with LibtraceError. */
static int write_by_libtrace(struct output *self, struct plt_state *state, struct frame *frame)
{
    int dlt = fence_dlt(&frame->meta);
    if (dlt == TRACE_DLT_ERROR) {
        PyErr_Format(state->error, "%U: libtrace can't write packets of link type %u", self->uri,
                     frame->meta.dlt);
        return -1;
    }
    if (self->dlt != TRACE_DLT_ERROR && self->dlt != dlt) {
        PyErr_Format(state->error,
                     "%U: a packet of link type %d can't follow one of link type %d in one trace",
                     self->uri, dlt, self->dlt);
        return -1;
    }
    if (frame->len > FENCE_MAX_WRITTEN) {
        PyErr_Format(state->error, "%U: libtrace can't write packets of %u bytes, but of %u",
                     self->uri, frame->len, FENCE_MAX_WRITTEN);
        return -1;
    }
    fence_packet_set(&self->fence, frame->data, frame->len, dlt, &frame->meta);
    int written = 0;
    Py_BEGIN_ALLOW_THREADS
    written = trace_write_packet(self->output, self->fence.packet);
    Py_END_ALLOW_THREADS
    if (written < 0) {
        raise_output(self, "Couldn't write packet");
        return -1;
    }
    self->dlt = dlt;
    return 0;
}

static PyObject *output_write_packet(PyObject *self_, PyObject *packet)
{
    struct output *self = (struct output *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    const struct view *view = view_of(state, packet);
    if (!view) {
        PyErr_Format(PyExc_TypeError, "write_packet() takes a packet, not %.100s",
                     Py_TYPE(packet)->tp_name);
        return NULL;
    }
    if (!self->started)
        return raise_state(self_, "OutputTrace not started");
    if (self->busy)
        return raise_state(self_, "this OutputTrace is in use by another thread");
    struct frame *frame = view->frame;
    while (frame && frame->parent)
        frame = frame->parent;
    if (!frame || frame->root != ROOT_LINK) {
        PyErr_SetString(PyExc_ValueError, "only packets that came from a trace can be written");
        return NULL;
    }
    int failed = 0;
    self->busy = true;
    frame_hold(frame)->pins++;
    if (self->writer) {
        failed = writer_write(self->writer, frame);
        if (failed)
            raise_pending(self, "Couldn't write packet: %U: %U");
    } else {
        failed = write_by_libtrace(self, state, frame);
    }
    frame->pins--;
    frame_release(frame);
    self->busy = false;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *output_close(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct output *self = (struct output *)self_;
    if (self->busy)
        return raise_state(self_, "this OutputTrace is in use by another thread");
    if (output_end(self) < 0)
        return raise_pending(self, "Couldn't close outputTrace: %U: %U");
    Py_RETURN_NONE;
}

static PyObject *output_enter(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *started = output_start(self_, NULL);
    if (!started)
        return NULL;
    Py_DECREF(started);
    Py_INCREF(self_);
    return self_;
}

static PyObject *output_exit(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return output_close(self_, NULL);
}

static PyObject *output_repr(PyObject *self_)
{
    const struct output *self = (struct output *)self_;
    return PyUnicode_FromFormat("<plt.output_trace %R: %s>", self->uri,
                                self->closed    ? "closed"
                                : self->started ? "started"
                                                : "not started");
}

static PyMethodDef output_methods[] = {
    {"conf_file_flags", output_conf_file_flags, METH_O,
     "conf_file_flags($self, flags, /)\n--\n\nSet the flags with which the file is opened, such as "
     "plt.O_APPEND; before start_output()."},
    {"conf_compress_type", output_conf_compress_type, METH_O,
     "conf_compress_type($self, type, /)\n--\n\nSet the compression, one of NO_COMPRESSION, "
     "ZLIB_COMPRESSION, BZIP2_COMPRESSION and, for formats that libtrace writes, LZO_COMPRESSION; "
     "before start_output()."},
    {"conf_compress_level", output_conf_compress_level, METH_O,
     "conf_compress_level($self, level, /)\n--\n\nSet the compression level, 0 to 9; before "
     "start_output()."},
    {"start_output", output_start, METH_NOARGS,
     "start_output($self, /)\n--\n\nOpen the trace for writing; LibtraceError where that "
     "fails."},
    {"write_packet", output_write_packet, METH_O,
     "write_packet($self, packet, /)\n--\n\nWrite a packet of a trace as it is now.\n\nA pcap file "
     "has nanoseconds where the first packet's clock has, and packets of one link type. "
     "LibtraceError before start_output() and where the format has no room for the packet; "
     "ValueError for objects made from bytes."},
    {"close_output", output_close, METH_NOARGS,
     "close_output($self, /)\n--\n\nClose the trace; again is no error."},
    {"__enter__", output_enter, METH_NOARGS, "__enter__($self, /)\n--\n\nStart the trace."},
    {"__exit__", output_exit, METH_VARARGS, "__exit__($self, /, *args)\n--\n\nClose the trace."},
    {.ml_name = NULL}};

static PyType_Slot output_slots[] = {
    {Py_tp_doc, "output_trace(uri)\n--\n\nA trace to write packets to, named by libtrace's "
                "format:name.\n\nValueError where libtrace can't create it."},
    {Py_tp_new, output_new},
    {Py_tp_dealloc, output_dealloc},
    {Py_tp_repr, output_repr},
    {Py_tp_methods, output_methods},
    {0, NULL}};

PyType_Spec output_spec = {.name = "plt.output_trace",
                           .basicsize = sizeof(struct output),
                           .flags = Py_TPFLAGS_DEFAULT,
                           .slots = output_slots};
