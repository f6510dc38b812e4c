/* The Python type that reads a trace as columns: the C part of plt.columns(). */
#include "records.h"
#include "columns.h"
#include "common/decap.h"
#include "state.h"

struct packet_reader {
    struct column_reader base;
    struct column_source sources[MAX_COLUMNS];
    struct column_tunnels tunnels;
    enum block_need need; /* of all columns, and of looking for tunnels */
    struct record_block records;
    struct column_block packets;
};

static bool take_column(struct column_reader *base, size_t i, const char *name)
{
    struct packet_reader *self = (struct packet_reader *)base;
    bool found = column_find(name, &base->infos[i], &self->sources[i]);
    self->tunnels.wanted |= found && self->sources[i].of_tunnel;
    if (found)
        self->need = column_more_need(self->need, &self->sources[i]);
    return found;
}

static enum plt_records_result read_rows(struct column_reader *base, struct batch *batch,
                                         size_t rows, bool *out_of_memory)
{
    struct packet_reader *self = (struct packet_reader *)base;
    enum plt_records_result result = PLT_RECORD;
    while (result == PLT_RECORD && batch->rows < rows) {
        size_t most = batch_room_for(batch, rows, PACKETS_OF_BLOCK);
        if (most > 0)
            result = records_block(base->records, &self->records, most);
        *out_of_memory = most == 0 || !columns_append(self->sources, &self->tunnels, self->need,
                                                      batch, &self->records, &self->packets);
        if (*out_of_memory)
            return PLT_ERROR;
    }
    return result;
}

static int reader_traverse(PyObject *self_, visitproc visit, void *arg)
{
    return column_reader_traverse((struct column_reader *)self_, visit, arg);
}

static int reader_clear(PyObject *self_)
{
    column_reader_let_go((struct column_reader *)self_);
    return 0;
}

static void reader_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    column_reader_clear((struct column_reader *)self_);
    PyMem_Free(((struct packet_reader *)self_)->packets.innermost);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* For packets within others, where they are looked for; 0, or -1 with an exception. */
static int make_room(struct packet_reader *self)
{
    if (!self->tunnels.wanted)
        return 0;
    self->need = BLOCK_PACKETS;
    self->packets.innermost = PyMem_Calloc(PACKETS_OF_BLOCK, sizeof(struct innermost));
    if (self->packets.innermost)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *source = NULL;
    PyObject *names = NULL;
    PyObject *filter = NULL;
    Py_ssize_t limit = 0;
    Py_ssize_t batch_rows = 0;
    PyObject *decap = Py_False;
    int address_kind = 0;
    unsigned short seed = 0;
    struct column_tunnels tunnels = {.wanted = false};
    struct plt_state *state = plt_state_of(type);
    if (!state ||
        !PyArg_ParseTuple(args, "OO!Onni|OH", &source, &PyTuple_Type, &names, &filter, &limit,
                          &batch_rows, &address_kind, &decap, &seed) ||
        decap_read(decap, &tunnels.enters, &tunnels.ports) < 0)
        return NULL;
    struct column_reader *self = (struct column_reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    tunnels.wanted = tunnels.enters;
    tunnels.community_seed = seed;
    ((struct packet_reader *)self)->tunnels = tunnels;
    self->api = &state->api;
    self->libtrace_error = Py_NewRef(state->error);
    self->types = &state->batch_types;
    self->read_rows = read_rows;
    self->take_column = take_column;
    if (column_reader_open(self, source, names, filter, limit, batch_rows, address_kind) == 0 &&
        make_room((struct packet_reader *)self) == 0)
        return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return NULL;
}

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_ColumnReader(source, names, filter, limit, batch, address_kind, decap=False, "
                "community_seed=0, /)\n--\n\n"
                "Reads a trace as "
                "columns: the C part of plt.columns()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_methods, column_reader_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, column_reader_next},
    {0, NULL}};

PyType_Spec column_reader_spec = {.name = "plt._ColumnReader",
                                  .basicsize = sizeof(struct packet_reader),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                           Py_TPFLAGS_IMMUTABLETYPE,
                                  .slots = reader_slots};

PyObject *column_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    struct column_info info;
    struct column_source source;
    const char *doc = NULL;
    for (size_t n = 0; list && column_nth(n, &info, &source, &doc); n++)
        if (column_list_add(list, &info, doc) < 0)
            Py_CLEAR(list);
    return list;
}

PyObject *column_is_of_record(PyObject *Py_UNUSED(module), PyObject *arg)
{
    struct column_info info;
    struct column_source source;
    const char *name = PyUnicode_AsUTF8(arg);
    if (!name)
        return NULL;
    return PyBool_FromLong(column_find(name, &info, &source) && source.need == BLOCK_METAS);
}
