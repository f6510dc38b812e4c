/* The Python type that reads the DNS messages of a trace as columns: the C part of pldns.columns().
 * It reads through plt's C interface, which is asked for here alone: all else of pldns needs no
 * plt. */
#include "columns.h"

#include "common/keptexception.h"

struct reader {
    PyObject_HEAD const struct plt_api *api; /* borrowed from plt */
    PyObject *plt;                           /* owned: the module plt._plt */
    PyObject *libtrace_error;                /* owned: plt.LibtraceError */
    struct pldns_matcher *matcher;           /* owned */
    struct plt_bulk *bulk;                   /* owned; NULL after the end */
    struct column_info *infos;               /* owned */
    struct pldns_wanted wanted;
    struct pldns_packet packet; /* the one in hand */
    uint8_t ports[PLDNS_PORTS_SIZE];
    size_t count;
    size_t batch_rows;
    size_t left;     /* of the limit */
    PyObject *error; /* owned: to be raised after the batch that came before it, or NULL */
    bool busy;
};

static struct pldns_state *state_of(PyObject *self_)
{
    return PyType_GetModuleState(Py_TYPE(self_));
}

static void reader_end(struct reader *self)
{
    struct plt_bulk *bulk = self->bulk;
    self->bulk = NULL;
    self->packet.open = false;
    if (bulk)
        self->api->bulk_close(bulk);
}

static void reader_dealloc(PyObject *self_)
{
    struct reader *self = (struct reader *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    reader_end(self);
    PyMem_Free(self->infos);
    Py_XDECREF(self->error);
    Py_XDECREF(self->matcher);
    Py_XDECREF(self->libtrace_error);
    Py_XDECREF(self->plt);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int set_plt(struct reader *self)
{
    self->plt = PyImport_ImportModule("plt._plt");
    if (!self->plt)
        return -1;
    self->api = PyCapsule_Import(PLT_CAPSULE, 0);
    if (!self->api)
        return -1;
    if (self->api->api_version != PLT_API_VERSION) {
        PyErr_Format(PyExc_ImportError,
                     "plt speaks version %d of its C interface, pldns version %d",
                     self->api->api_version, PLT_API_VERSION);
        return -1;
    }
    self->libtrace_error = PyObject_GetAttrString(self->plt, "LibtraceError");
    return self->libtrace_error ? 0 : -1;
}

static int set_names(struct reader *self, PyObject *names)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (count > MAX_COLUMNS) {
        PyErr_Format(PyExc_ValueError, "%zd columns are more than there are", count);
        return -1;
    }
    self->infos = PyMem_Calloc((size_t)count + 1, sizeof(*self->infos));
    if (!self->infos) {
        PyErr_NoMemory();
        return -1;
    }
    self->count = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (!name)
            return -1;
        if (!pldns_column_find(name, &self->infos[i], &self->wanted.columns[i])) {
            PyErr_Format(PyExc_ValueError, "no column is named %s", name);
            return -1;
        }
    }
    pldns_columns_want(&self->wanted, self->count);
    return 0;
}

static int set_ports(struct reader *self, PyObject *ports)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ports); i++) {
        long port = PyLong_AsLong(PyTuple_GET_ITEM(ports, i));
        if (port == -1 && PyErr_Occurred())
            return -1;
        if (port < 0 || port > UINT16_MAX) {
            PyErr_Format(PyExc_ValueError, "ports are 0 to 65535, not %ld", port);
            return -1;
        }
        self->ports[port / 8] |= (uint8_t)(1 << port % 8);
    }
    return 0;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *source = NULL;
    PyObject *names = NULL;
    PyObject *filter = NULL;
    PyObject *ports = NULL;
    PyObject *matcher = NULL;
    Py_ssize_t limit = 0;
    Py_ssize_t batch_rows = 0;
    const struct pldns_state *state = PyType_GetModuleState(type);
    if (!state ||
        !PyArg_ParseTuple(args, "OO!OnnO!O!", &source, &PyTuple_Type, &names, &filter, &limit,
                          &batch_rows, &PyTuple_Type, &ports, state->matcher_type, &matcher))
        return NULL;
    if (batch_rows < 1) {
        PyErr_SetString(PyExc_ValueError, "a batch has at least one row");
        return NULL;
    }
    struct reader *self = (struct reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->batch_rows = (size_t)batch_rows;
    self->left = limit < 0 ? SIZE_MAX : (size_t)limit;
    self->matcher = (struct pldns_matcher *)Py_NewRef(matcher);
    if (set_names(self, names) == 0 && set_ports(self, ports) == 0 && set_plt(self) == 0 &&
        (self->bulk = self->api->bulk_open(self->api, source, filter)))
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

/* Whether a text column has no room for the longest name: Arrow's offsets are of 32 bits. */
static bool is_full(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->columns[i]->text_len > INT32_MAX - PLDNS_TEXT_SIZE)
            return true;
    return false;
}

/* Read messages into a batch until it has `rows`, without the GIL; what the source said last. */
static enum plt_bulk_result read_rows(struct reader *self, struct batch *batch, size_t rows,
                                      bool *out_of_memory)
{
    struct pldns_packet *packet = &self->packet;
    struct pldns_found found;
    while (batch->rows < rows && !is_full(batch)) {
        if (!packet->open) {
            enum plt_bulk_result result = self->api->bulk_next(self->bulk, &packet->record);
            if (result != PLT_RECORD)
                return result;
            *out_of_memory = !pldns_packet_open(packet, self->ports, self->matcher);
        } else if (pldns_packet_next(packet, self->matcher, &found)) {
            *out_of_memory =
                (batch->rows == batch->room && !batch_grow(batch)) ||
                !pldns_columns_append(&self->wanted, batch, packet, &found, self->matcher);
        }
        if (*out_of_memory)
            return PLT_ERROR;
    }
    return PLT_RECORD;
}

static bool is_busy(const struct reader *self)
{
    if (self->busy || self->matcher->busy)
        PyErr_SetString(self->libtrace_error, "these columns are in use by another thread");
    return self->busy || self->matcher->busy;
}

/* Read until the batch has `rows` or the trace ends; an exception may be set then. */
static void fill_batch(struct reader *self, struct batch *batch, size_t rows)
{
    bool more = true;
    bool out_of_memory = false;
    self->busy = self->matcher->busy = true;
    while (more) {
        enum plt_bulk_result result = PLT_RECORD;
        Py_BEGIN_ALLOW_THREADS
        result = read_rows(self, batch, rows, &out_of_memory);
        Py_END_ALLOW_THREADS
        if (out_of_memory)
            PyErr_NoMemory();
        else if (result == PLT_ERROR)
            self->api->bulk_raise(self->bulk);
        more = result == PLT_MORE && self->api->bulk_fill(self->bulk) == 0;
        if (result == PLT_END)
            reader_end(self);
    }
    self->busy = self->matcher->busy = false;
}

/* The next batch of up to `most` rows; at the end NULL without an exception. */
static PyObject *read_batch(struct reader *self, size_t most)
{
    enum { FIRST_ROOM = 1 << 14 };
    if (is_busy(self))
        return NULL;
    if (self->error)
        return exception_raise(&self->error);
    if (!self->bulk)
        return NULL;
    size_t rows = self->left < most ? self->left : most;
    struct batch *batch = batch_new(&state_of((PyObject *)self)->batch_types, self->infos,
                                    self->count, rows < FIRST_ROOM ? rows : FIRST_ROOM);
    if (!batch)
        return NULL;
    fill_batch(self, batch, rows);
    self->left -= self->left == SIZE_MAX ? 0 : batch->rows;
    bool failed = PyErr_Occurred();
    bool broken = failed && PyErr_ExceptionMatches(self->libtrace_error);
    if (broken)
        self->error = exception_take();
    if (failed || self->left == 0)
        reader_end(self);
    /* a signal's exception does not wait for the consumer of a batch */
    if (batch->rows > 0 && (broken || !failed))
        return (PyObject *)batch;
    Py_DECREF((PyObject *)batch);
    return broken ? exception_raise(&self->error) : NULL;
}

static PyObject *reader_iternext(PyObject *self_)
{
    struct reader *self = (struct reader *)self_;
    return read_batch(self, self->batch_rows);
}

static PyObject *reader_empty(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct reader *self = (struct reader *)self_;
    return (PyObject *)batch_new(&state_of(self_)->batch_types, self->infos, self->count, 1);
}

static PyObject *reader_rest(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *batch = read_batch((struct reader *)self_, SIZE_MAX);
    return batch || PyErr_Occurred() ? batch : reader_empty(self_, NULL);
}

static PyObject *reader_close(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct reader *self = (struct reader *)self_;
    if (is_busy(self))
        return NULL;
    Py_CLEAR(self->error);
    reader_end(self);
    Py_RETURN_NONE;
}

static PyMethodDef reader_methods[] = {
    {"rest", reader_rest, METH_NOARGS,
     "rest($self, /)\n--\n\nAll that is left as one batch, an empty one at the end."},
    {"close", reader_close, METH_NOARGS, "close($self, /)\n--\n\nRead no more."},
    {"empty", reader_empty, METH_NOARGS,
     "empty($self, /)\n--\n\nA batch without rows, of the reader's columns."},
    {.ml_name = NULL}};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_ColumnReader(source, names, filter, limit, batch, ports, matcher, /)\n--\n\n"
                "Reads the DNS messages of a trace as columns: the C part of pldns.columns()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_iternext},
    {0, NULL}};

PyType_Spec pldns_reader_spec = {.name = "pldns._ColumnReader",
                                 .basicsize = sizeof(struct reader),
                                 .flags = Py_TPFLAGS_DEFAULT,
                                 .slots = reader_slots};
