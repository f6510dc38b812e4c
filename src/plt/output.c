/* Output traces: files, which a format's writer fills, and interfaces, which a socket sends to. */
#include "attributes.h"
#include "errors.h"
#include "formats.h"
#include "libtrace_compat.h"
#include "sink.h"
#include "state.h"
#include "uri.h"
#include "view.h"
#include "writer.h"

#include "common/keptexception.h"

#include <fcntl.h>

struct output {
    PyObject ob_base;
    PyObject *uri;  /* owned: str */
    PyObject *path; /* owned: str where the URI is a path, which tells the format; else NULL */
    const struct format
        *format;           /* borrowed: static; with a writer it is of files, else of interfaces */
    struct writer *writer; /* owned, or NULL: of a file that is open */
    PyObject *socket;      /* owned, or NULL: of an interface that is open */
    uint32_t hardware;     /* of that: ARPHRD_* */
    int file_flags;
    int compression; /* -1 where not set */
    int level;       /* of compression, -1 where not set */
    bool started;
    bool closed;
    bool busy; /* in a call that may have given back the GIL */
};

/* Where a URI, FORMAT:NAME, has its colon; -1 where it has none between two names. */
static Py_ssize_t colon_of(PyObject *uri)
{
    Py_ssize_t len = PyUnicode_GetLength(uri);
    Py_ssize_t colon = PyUnicode_FindChar(uri, ':', 0, len, 1);
    return colon > 0 && colon + 1 < len ? colon : -1;
}

/* Take a URI that is a path: its end names the format; 0, or -1 with an exception. */
static int take_path(struct output *self)
{
    const char *name = NULL;
    PyObject *path = NULL;
    PyObject *module = PyImport_ImportModule("plt._output");
    PyObject *found = module ? PyObject_CallMethod(module, "format_of", "O", self->uri) : NULL;
    Py_XDECREF(module);
    if (found && PyArg_ParseTuple(found, "sU", &name, &path)) {
        self->format = format_named(name);
        if (self->format) {
            Py_INCREF(path);
            Py_XSETREF(self->path, path);
        } else {
            PyErr_Format(PyExc_ValueError, "there is no format of the name %s", name);
        }
    }
    Py_XDECREF(found);
    return self->path ? 0 : -1;
}

/* Find out which format a URI names; 0, or -1 with ValueError. */
static int set_format(struct output *self)
{
    Py_ssize_t colon = colon_of(self->uri);
    Py_ssize_t slash = PyUnicode_FindChar(self->uri, '/', 0, PyUnicode_GetLength(self->uri), 1);
    if (colon < 0 || (slash >= 0 && slash < colon))
        return take_path(self);
    PyObject *name = PyUnicode_Substring(self->uri, 0, colon);
    if (!name)
        return -1;
    self->format = format_written_as(name);
    Py_DECREF(name);
    return self->format ? 0 : take_path(self);
}

/* An output trace without a name, closed. */
static PyObject *output_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    struct output *self = (struct output *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    if (!uri_init(&self->uri)) {
        Py_DECREF(self);
        return NULL;
    }
    self->level = -1;
    self->compression = -1;
    self->closed = true;
    return (PyObject *)self;
}

static int output_init(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    struct output *self = (struct output *)self_;
    int taken = uri_take(&self->uri, args, kwargs, "O:output_trace");
    if (taken <= 0)
        return taken;
    if (set_format(self) < 0)
        return -1;
    self->closed = false;
    return 0;
}

/* Give the pending exception as LibtraceError where it is a file's; NULL. */
static PyObject *raise_pending(struct output *self, const char *format)
{
    struct plt_state *state = plt_state_of(Py_TYPE((PyObject *)self));
    return state ? raise_error_from(state, format, self->uri, 0) : NULL;
}

/* The same of an exception in writing.  One that came through Python code is the user's: files and
 * sockets raise theirs from C, a signal's handler from its frame. */
static PyObject *raise_written(struct output *self, const char *format)
{
    PyObject *error = exception_take();
    PyObject *traceback = error ? PyException_GetTraceback(error) : NULL;
    bool is_user_s = traceback != NULL;
    Py_XDECREF(traceback);
    exception_restore(error);
    return is_user_s ? NULL : raise_pending(self, format);
}

/* Close what is open; 0, or -1 with an exception. */
static int output_end(struct output *self)
{
    struct writer *writer = self->writer;
    self->writer = NULL;
    self->started = false;
    self->closed = true;
    if (self->socket) {
        PyObject *socket = self->socket;
        PyObject *closed = PyObject_CallMethod(socket, "close", NULL);
        self->socket = NULL;
        Py_DECREF(socket);
        Py_XDECREF(closed);
        return closed ? 0 : -1;
    }
    return writer ? writer_close(writer) : 0;
}

static void output_dealloc(PyObject *self_)
{
    struct output *self = (struct output *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject *pending = exception_take();
    bool told = self->writer && writer_failed(self->writer);
    if (output_end(self) < 0) {
        if (told)
            PyErr_Clear();
        else
            PyErr_WriteUnraisable(self->uri);
    }
    Py_XDECREF(self->uri);
    Py_XDECREF(self->path);
    exception_restore(pending);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Configuration --------------------------------------------------------------------------- */

/* Set an int of the configuration, low to high; None, or NULL with an exception. */
static PyObject *configure(PyObject *self_, PyObject *arg, int *option, const char *name, long high)
{
    const struct output *self = (struct output *)self_;
    int64_t value = attribute_int(arg, name, 0, high);
    if (value < 0)
        return NULL;
    if (self->closed || self->started)
        return raise_error(self_, "an OutputTrace is configured before it is started");
    *option = (int)value;
    Py_RETURN_NONE;
}

static PyObject *output_conf_file_flags(PyObject *self_, PyObject *arg)
{
    return configure(self_, arg, &((struct output *)self_)->file_flags, "file flags", INT_MAX);
}

static PyObject *output_conf_compress_type(PyObject *self_, PyObject *arg)
{
    int64_t type = attribute_int(arg, "compression type", 0, TRACE_OPTION_COMPRESSTYPE_LZO);
    if (type < 0)
        return NULL;
    if (type == TRACE_OPTION_COMPRESSTYPE_LZO) /* which nothing here reads again */
        return raise_error(self_, "Couldn't set compression type: a trace is written plain or "
                                  "with zlib or bzip2, not with LZO");
    return configure(self_, arg, &((struct output *)self_)->compression, "compression type",
                     TRACE_OPTION_COMPRESSTYPE_LZO);
}

static PyObject *output_conf_compress_level(PyObject *self_, PyObject *arg)
{
    return configure(self_, arg, &((struct output *)self_)->level, "compression level", 9);
}

/* --- Writing --------------------------------------------------------------------------------- */

/* Open a file with plt._output; 0, or -1 with an exception. */
static int open_file(struct output *self, PyObject *module, PyObject *name)
{
    PyObject *file = NULL;
    PyObject *new_compressor = NULL;
    const char *header = NULL;
    Py_ssize_t header_len = 0;
    int members = 0;
    PyObject *opened = PyObject_CallMethod(module, "open_file", "OsiiiO", name, self->format->name,
                                           self->file_flags, self->compression, self->level,
                                           self->path ? Py_True : Py_False);
    if (opened &&
        PyArg_ParseTuple(opened, "OOpy#", &file, &new_compressor, &members, &header, &header_len)) {
        struct sink *sink = sink_new(file, new_compressor, members);
        if (sink)
            self->writer =
                self->format->open_writer(sink, (const uint8_t *)header, (size_t)header_len);
    }
    Py_XDECREF(opened);
    return self->writer ? 0 : -1;
}

/* Open an interface with plt._output; 0, or -1 with an exception. */
static int open_interface(struct output *self, PyObject *module, PyObject *name)
{
    PyObject *socket = NULL;
    unsigned int hardware = 0;
    PyObject *opened = PyObject_CallMethod(module, "open_interface", "O", name);
    if (opened && PyArg_ParseTuple(opened, "OI", &socket, &hardware)) {
        Py_INCREF(socket);
        self->socket = socket;
        self->hardware = hardware;
    }
    Py_XDECREF(opened);
    return self->socket ? 0 : -1;
}

/* Open what the URI names; 0, or -1 with an exception. */
static int open_uri(struct output *self)
{
    PyObject *module = PyImport_ImportModule("plt._output");
    PyObject *name = self->path;
    if (name)
        Py_INCREF(name);
    else
        name =
            PyUnicode_Substring(self->uri, colon_of(self->uri) + 1, PyUnicode_GetLength(self->uri));
    int failed = -1;
    if (module && name)
        failed = self->format->open_writer ? open_file(self, module, name)
                                           : open_interface(self, module, name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return failed;
}

static PyObject *output_start(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct output *self = (struct output *)self_;
    if (self->started)
        Py_RETURN_NONE;
    if (self->closed)
        return raise_error(self_, "OutputTrace is closed");
    if (self->busy)
        return raise_error(self_, "this OutputTrace is in use by another thread");
    self->busy = true;
    int failed = open_uri(self);
    self->busy = false;
    if (failed)
        return raise_pending(self, "Couldn't start outputTrace: %U: %U");
    self->started = true;
    Py_RETURN_NONE;
}

/* Send a packet to an interface; 0, or -1 with an exception. */
static int send_packet(struct output *self, const struct frame *frame)
{
    if (!hardware_sends(self->hardware, frame->meta.dlt)) {
        PyErr_Format(PyExc_OSError, "a packet of link type %u can't go to this interface",
                     frame->meta.dlt);
        return -1;
    }
    PyObject *sent = PyObject_CallMethod(self->socket, "send", "y#", (const char *)frame->data,
                                         (Py_ssize_t)frame->len);
    Py_XDECREF(sent);
    return sent ? 0 : -1;
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
        return raise_error(self_, "OutputTrace not started");
    if (self->busy)
        return raise_error(self_, "this OutputTrace is in use by another thread");
    struct frame *frame = frame_packet(view->frame);
    if (!frame || frame->root != ROOT_LINK) {
        PyErr_SetString(PyExc_ValueError, "only packets that came from a trace can be written");
        return NULL;
    }
    int failed = 0;
    self->busy = true;
    frame_hold(frame)->pins++;
    failed = self->writer ? writer_write(self->writer, frame) : send_packet(self, frame);
    if (failed)
        raise_written(self, "Couldn't write packet: %U: %U");
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
        return raise_error(self_, "this OutputTrace is in use by another thread");
    if (output_end(self) < 0)
        return raise_written(self, "Couldn't close outputTrace: %U: %U");
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
     "conf_file_flags($self, flags, /)\n--\n\n"
     "Set the flags with which the file is opened, such as plt.O_APPEND; before start_output()."},
    {"conf_compress_type", output_conf_compress_type, METH_O,
     "conf_compress_type($self, type, /)\n--\n\n"
     "Set the compression, one of NO_COMPRESSION, ZLIB_COMPRESSION and BZIP2_COMPRESSION; "
     "before start_output().\n\n"
     "LibtraceError for LZO_COMPRESSION: nothing here reads it."},
    {"conf_compress_level", output_conf_compress_level, METH_O,
     "conf_compress_level($self, level, /)\n--\n\n"
     "Set the compression level, 0 to 9; before start_output()."},
    {"start_output", output_start, METH_NOARGS,
     "start_output($self, /)\n--\n\n"
     "Open the trace for writing; LibtraceError where that fails."},
    {"write_packet", output_write_packet, METH_O,
     "write_packet($self, packet, /)\n--\n\n"
     "Write a packet of a trace as it is now.\n\n"
     "A pcap file has nanoseconds where the first packet's clock has, "
     "and packets of one link type; a pcapng file has those of any, nanoseconds, directions and "
     "comments; an ERF file has those link types for which there is a record "
     "type. LibtraceError before start_output(), where the format has no room for the packet, "
     "and where the file takes no more: then this packet is not part of it. "
     "ValueError for objects made from bytes."},
    {"close_output", output_close, METH_NOARGS,
     "close_output($self, /)\n--\n\n"
     "Close the trace; again is no error.\n\n"
     "LibtraceError where not all that was written could be put into the file, "
     "because the disk is full or a pipe is closed. "
     "A plain or gzip file then ends with a whole packet, a bzip2 file is cut."},
    {"__enter__", output_enter, METH_NOARGS,
     "__enter__($self, /)\n--\n\n"
     "Start the trace."},
    {"__exit__", output_exit, METH_VARARGS,
     "__exit__($self, /, *args)\n--\n\n"
     "Close the trace."},
    {.ml_name = NULL}};

static PyType_Slot output_slots[] = {
    {Py_tp_doc, "output_trace(uri)\n--\n\n"
                "A trace to write packets to: pcapfile:NAME, pcapng:NAME, erf:NAME, int:INTERFACE, "
                "or a path.\n\n"
                "A path's end tells the format, .pcap, .pcapng or .erf, and after it the "
                "compression: .gz, .bz2, .xz, .zst or .lz4. "
                "The name - is standard output. ValueError where there is no writer for the "
                "format."},
    {Py_tp_new, output_new},
    {Py_tp_init, output_init},
    {Py_tp_dealloc, output_dealloc},
    {Py_tp_repr, output_repr},
    {Py_tp_methods, output_methods},
    {0, NULL}};

PyType_Spec output_spec = {.name = "plt.output_trace",
                           .basicsize = sizeof(struct output),
                           .flags =
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = output_slots};
