/* The type _StreamReader: packets of one trace after another, put together to streams. */
#include "reader.h"

#include "stream.h"

#include "streams/defragment.h"

#include "common/keptexception.h"
#include "packet/bytes.h"
#include "packet/decode.h"

#include <string.h>

/* Packets between two looks at signals. */
enum { STRETCH = 1 << 14 };

struct stream_reader {
    PyObject ob_base;
    struct natkit_state *state;  /* borrowed: the type keeps the module alive */
    struct plt_records *records; /* owned; NULL while no trace is open */
    bool busy;                   /* a thread reads without the GIL */
    struct defragmenter fragments;
    struct connections connections;
};

static int check(const struct stream_reader *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "the streams are in use by another thread");
    return self->busy ? -1 : 0;
}

static void close_records(struct stream_reader *self)
{
    struct plt_records *records = self->records;
    self->records = NULL;
    if (records)
        self->state->plt_api->records_close(records);
}

static int reader_traverse(PyObject *self_, visitproc visit, void *arg)
{
    const struct stream_reader *self = (const struct stream_reader *)self_;
    Py_VISIT(Py_TYPE(self_));
    return self->records ? self->state->plt_api->records_traverse(self->records, visit, arg) : 0;
}

static int reader_clear(PyObject *self_)
{
    close_records((struct stream_reader *)self_);
    return 0;
}

static void reader_dealloc(PyObject *self_)
{
    struct stream_reader *self = (struct stream_reader *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    close_records(self);
    defragment_clear(&self->fragments);
    connections_clear(&self->connections);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    const char *seed = NULL;
    Py_ssize_t seed_size = 0;
    unsigned long long limit = 0, window = 0, memory = 0;
    long long idle_timeout = 0;
    struct natkit_state *state = natkit_state_of(type);
    if (!state || !PyArg_ParseTuple(args, "y#KKKL", &seed, &seed_size, &limit, &window, &memory,
                                    &idle_timeout))
        return NULL;
    if (seed_size != 16)
        return PyErr_Format(PyExc_ValueError, "a seed has 16 bytes, not %zd", seed_size);
    struct stream_reader *self = (struct stream_reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->state = state;
    self->connections.settings =
        (struct connections_settings){.limits = {.size = limit, .window = window},
                                      .memory = memory,
                                      .idle_timeout = idle_timeout};
    self->connections.seed[0] = load_be64((const uint8_t *)seed);
    self->connections.seed[1] = load_be64((const uint8_t *)seed + 8);
    defragment_init(&self->fragments, self->connections.seed, DEFRAGMENT_MEMORY,
                    (int64_t)DEFRAGMENT_SECONDS * 1000000000);
    return (PyObject *)self;
}

static PyObject *reader_open(PyObject *self_, PyObject *args)
{
    struct stream_reader *self = (struct stream_reader *)self_;
    const struct plt_api *api = self->state->plt_api;
    PyObject *source = NULL, *filter = NULL;
    if (!PyArg_ParseTuple(args, "OO", &source, &filter) || check(self) < 0)
        return NULL;
    struct plt_records *records = api->records_open(api, source, filter);
    if (!records)
        return NULL;
    close_records(self);
    self->records = records;
    Py_RETURN_NONE;
}

/* Add a packet to its connection; false when out of memory. */
static bool add_record(struct stream_reader *self, const struct plt_record *record,
                       const struct plt_layers *layers)
{
    struct connection_segment segment;
    struct plt_packet packet = {
        .data = record->data, .len = record->len, .layers = layers, .meta = &record->meta};
    return connections_add(&self->connections, &packet, &segment);
}

/* Add the fragments that wait no longer, or all; false when out of memory. */
static bool add_fragments(struct stream_reader *self, bool rest)
{
    struct plt_record record;
    struct plt_layers layers;
    while (defragment_next(&self->fragments, rest, &record)) {
        record_layers(&record, &layers);
        if (!add_record(self, &record, &layers))
            return false;
    }
    return true;
}

/* Read packets until a connection ends or some were read; what the source said last. */
static enum plt_records_result read_stretch(struct stream_reader *self, bool *out_of_memory)
{
    const struct plt_api *api = self->state->plt_api;
    struct plt_record record;
    struct plt_layers layers;
    for (int i = 0; i < STRETCH && !self->connections.ended && !*out_of_memory; i++) {
        enum plt_records_result result = api->records_next(self->records, &record);
        if (result != PLT_RECORD)
            return result;
        record_layers(&record, &layers);
        enum defragment_result whole = defragment_add(&self->fragments, &record, &layers);
        if (whole == DEFRAGMENT_PASS || whole == DEFRAGMENT_WHOLE)
            *out_of_memory = !add_record(self, &record, &layers);
        else
            *out_of_memory = whole == DEFRAGMENT_NO_MEMORY;
        if (!*out_of_memory)
            *out_of_memory = !add_fragments(self, false);
    }
    return PLT_RECORD;
}

/* 0, or -1 with an exception. */
static int read_on(struct stream_reader *self)
{
    const struct plt_api *api = self->state->plt_api;
    enum plt_records_result result = PLT_RECORD;
    bool out_of_memory = false;
    int status = 0;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS
    result = read_stretch(self, &out_of_memory);
    Py_END_ALLOW_THREADS
    if (out_of_memory)
        PyErr_NoMemory();
    else if (result == PLT_ERROR)
        api->records_raise(self->records);
    if (out_of_memory || result == PLT_ERROR)
        status = -1;
    else if (result == PLT_MORE)
        status = api->records_fill(self->records, 0);
    else
        status = PyErr_CheckSignals();
    self->busy = false;
    if (result == PLT_END || result == PLT_ERROR || status == PLT_ENDED) {
        PyObject *error = exception_take();
        close_records(self);
        exception_restore(error);
    }
    return status;
}

static PyObject *reader_next(PyObject *self_)
{
    struct stream_reader *self = (struct stream_reader *)self_;
    if (check(self) < 0)
        return NULL;
    while (!self->connections.ended && self->records)
        if (read_on(self) < 0)
            return NULL;
    struct connection *connection = connections_take(&self->connections);
    return connection ? stream_new(self->state, connection, &self->connections.settings.limits)
                      : NULL;
}

static PyObject *reader_finish(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct stream_reader *self = (struct stream_reader *)self_;
    if (check(self) < 0)
        return NULL;
    if (!add_fragments(self, true) || !connections_finish(&self->connections))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyMethodDef reader_methods[] = {
    {"open", reader_open, METH_VARARGS,
     "open($self, source, filter, /)\n--\n\nGo on with the packets of a trace."},
    {"finish", reader_finish, METH_NOARGS,
     "finish($self, /)\n--\n\nEnd all streams: there are no more packets."},
    {.ml_name = NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_StreamReader(seed, way_limit, window, memory, idle_timeout, /)\n--\n\n"
                "Iterates over the streams of a trace that end: the C part of natkit.streams()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},
    {Py_tp_methods, reader_methods},
    {0, NULL}};

PyType_Spec stream_reader_spec = {.name = "natkit._StreamReader",
                                  .basicsize = sizeof(struct stream_reader),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                           Py_TPFLAGS_IMMUTABLETYPE,
                                  .slots = reader_slots};
