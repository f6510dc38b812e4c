/* The Python type that reads the DNS messages of a trace as columns: the C part of pldns.columns().
 * It reads through plt's C interface, which is asked for here alone: all else of pldns needs no
 * plt. */
#include "columnreader.h"

#include "columns.h"
#include "reassemble.h"
#include "state.h"

#include "common/capsule.h"
#include "common/reader.h"

#include "packet/block.h"

struct message_reader {
    struct column_reader base;
    PyObject *plt;                 /* owned: the module plt._plt */
    struct pldns_matcher *matcher; /* owned */
    struct pldns_wanted wanted;
    struct pldns_packet packet; /* the one in hand */
    struct pldns_block block;   /* empty but while rows are read */
    uint8_t ports[PLDNS_PORTS_SIZE];
    bool is_last;                  /* no source comes after this one */
    bool is_lent;                  /* the source is a trace that others read on */
    struct record_block records;   /* where nothing is put together */
    size_t next_record;            /* of them */
    enum plt_records_result after; /* what came after the last of them */
};

static int reader_traverse(PyObject *self_, visitproc visit, void *arg)
{
    struct message_reader *self = (struct message_reader *)self_;
    Py_VISIT(self->plt);
    Py_VISIT(self->matcher);
    return column_reader_traverse(&self->base, visit, arg);
}

static int reader_clear(PyObject *self_)
{
    column_reader_let_go((struct column_reader *)self_);
    return 0;
}

static void reader_dealloc(PyObject *self_)
{
    struct message_reader *self = (struct message_reader *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    column_reader_clear(&self->base);
    Py_XDECREF(self->matcher);
    Py_XDECREF(self->plt);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int set_plt(struct message_reader *self)
{
    self->base.api = capsule_import("plt._plt", PLT_CAPSULE, PLT_API_VERSION, "pldns", &self->plt);
    if (!self->base.api)
        return -1;
    self->base.libtrace_error = PyObject_GetAttrString(self->plt, "LibtraceError");
    return self->base.libtrace_error ? 0 : -1;
}

/* Whether the source is a trace of the caller's; 0, or -1 with an exception. */
static int set_lent(struct message_reader *self, PyObject *source)
{
    PyObject *trace_type = PyObject_GetAttrString(self->plt, "trace");
    int is_lent = trace_type ? PyObject_IsInstance(source, trace_type) : -1;
    Py_XDECREF(trace_type);
    self->is_lent = is_lent > 0;
    return is_lent < 0 ? -1 : 0;
}

static bool take_column(struct column_reader *base, size_t i, const char *name)
{
    struct message_reader *self = (struct message_reader *)base;
    return pldns_wanted_add(&self->wanted, i, name, &base->infos[i]);
}

static int set_ports(struct message_reader *self, PyObject *ports)
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

/* Whether a batch takes no more messages: it has the rows, or its text no room for the longest
 * name: Arrow's offsets are of 32 bits. */
static bool is_full(const struct message_reader *self, const struct batch *batch, size_t rows)
{
    return batch->rows + self->block.count >= rows ||
           (self->wanted.text &&
            batch->columns[self->wanted.text_column]->text_len > INT32_MAX - PLDNS_TEXT_SIZE);
}

/* A row for a message; false when out of memory. */
static bool add_row(struct message_reader *self, struct batch *batch,
                    const struct pldns_found *found)
{
    return pldns_block_add(&self->wanted, &self->block, batch, &self->packet, found, self->matcher);
}

static enum plt_records_result read_whole(struct message_reader *self, struct batch *batch,
                                          size_t rows, bool *out_of_memory)
{
    const struct pldns_records from = {.api = self->base.api,
                                       .records = self->base.records,
                                       .ports = self->ports,
                                       .is_last = self->is_last};
    struct pldns_found found;
    while (!is_full(self, batch, rows)) {
        enum plt_records_result result =
            pldns_reassembly_next(self->matcher, &from, &self->packet, &found, out_of_memory);
        if (result != PLT_RECORD)
            return result;
        *out_of_memory = !add_row(self, batch, &found);
        if (*out_of_memory)
            return PLT_ERROR;
    }
    return PLT_RECORD;
}

/* How many records to read at once for so many more rows.  Of a trace that is lent none may be left
 * over where the rows are full, and those of TCP may have many messages each. */
static size_t records_at_once(const struct message_reader *self, size_t rows)
{
    enum { MOST_MESSAGES = 1 << 17 }; /* of a record: with IP packets of up to 256 KiB */
    size_t sure = rows / MOST_MESSAGES > 1 ? rows / MOST_MESSAGES : 1;
    return self->is_lent && sure < PACKETS_OF_BLOCK ? sure : PACKETS_OF_BLOCK;
}

/* The next record, for so many more rows. */
static enum plt_records_result next_record(struct message_reader *self, size_t rows,
                                           const struct plt_record **record)
{
    struct record_block *records = &self->records;
    while (self->next_record == records->count) {
        enum plt_records_result result = self->after;
        self->after = PLT_RECORD;
        if (result != PLT_RECORD)
            return result;
        self->after =
            self->base.api->records_block(self->base.records, records, records_at_once(self, rows));
        self->next_record = 0;
    }
    *record = &records->records[self->next_record++];
    return PLT_RECORD;
}

static enum plt_records_result read_each(struct message_reader *self, struct batch *batch,
                                         size_t rows, bool *out_of_memory)
{
    struct pldns_packet *packet = &self->packet;
    const struct plt_record *record = NULL;
    struct pldns_found found;
    while (!is_full(self, batch, rows)) {
        size_t more = rows - batch->rows - self->block.count;
        while (!packet->open) {
            enum plt_records_result result = next_record(self, more, &record);
            if (result != PLT_RECORD)
                return result;
            *out_of_memory = !pldns_packet_decode(packet, record, self->ports, self->matcher);
            if (*out_of_memory)
                return PLT_ERROR;
        }
        if (pldns_packet_next(packet, self->matcher, &found)) {
            *out_of_memory = !add_row(self, batch, &found);
            if (*out_of_memory)
                return PLT_ERROR;
        }
    }
    return PLT_RECORD;
}

static enum plt_records_result read_rows(struct column_reader *base, struct batch *batch,
                                         size_t rows, bool *out_of_memory)
{
    struct message_reader *self = (struct message_reader *)base;
    enum plt_records_result result = self->matcher->reassembly
                                         ? read_whole(self, batch, rows, out_of_memory)
                                         : read_each(self, batch, rows, out_of_memory);
    if (*out_of_memory || pldns_block_end(&self->wanted, &self->block, batch))
        return result;
    *out_of_memory = true;
    return PLT_ERROR;
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
    int address_kind = 0;
    int is_last = 0;
    const struct pldns_state *state = PyType_GetModuleState(type);
    if (!state || !PyArg_ParseTuple(args, "OO!OnniO!O!|p", &source, &PyTuple_Type, &names, &filter,
                                    &limit, &batch_rows, &address_kind, &PyTuple_Type, &ports,
                                    state->matcher_type, &matcher, &is_last))
        return NULL;
    struct message_reader *self = (struct message_reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->matcher = (struct pldns_matcher *)Py_NewRef(matcher);
    self->is_last = is_last;
    self->base.busy = &self->matcher->busy;
    self->base.types = &state->batch_types;
    self->base.read_rows = read_rows;
    self->base.take_column = take_column;
    if (set_ports(self, ports) == 0 && set_plt(self) == 0 && set_lent(self, source) == 0 &&
        column_reader_open(&self->base, source, names, filter, limit, batch_rows, address_kind) ==
            0)
        return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return NULL;
}

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_ColumnReader(source, names, filter, limit, batch, address_kind, ports, matcher, "
                "is_last=False, /)\n--\n\n"
                "Reads the DNS messages of a trace as columns: the C part of pldns.columns()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_methods, column_reader_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, column_reader_next},
    {0, NULL}};

PyType_Spec pldns_reader_spec = {.name = "pldns._ColumnReader",
                                 .basicsize = sizeof(struct message_reader),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                          Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = reader_slots};
