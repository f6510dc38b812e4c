/* Packets as columns, joined with their flows: each record becomes a row at once, and its flow is
 * found with those of the next ones, as flow tables do. */
#include "reader.h"

#include "common/decap.h"
#include "common/reader.h"
#include "flowtable/places.h"
#include "natkit/flowtable/object.h"
#include "packet/block.h"
#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/values.h"

#include <string.h>

enum { NOT_JOINED = -1 };

/* --- The columns ----------------------------------------------------------------------------- */

enum joined { JOINED_FLOW, JOINED_WAY, JOINED_REL_SEQ, JOINED_REL_ACK, JOINED_COUNT };

static const struct {
    struct column_info info;
    const char *doc;
} joined_columns[JOINED_COUNT] = {
    [JOINED_FLOW] = {{"flow", KIND_UINT64, true},
                     "Number of the packet's flow: its row in flows(), from 0 on."},
    [JOINED_WAY] = {{"way", KIND_UINT8, true}, "0 forward in its flow, 1 back."},
    [JOINED_REL_SEQ] = {{"tcp.rel_seq", KIND_UINT32, true},
                        "TCP sequence number relative to the SYN's in its flow, modulo 2**32."},
    [JOINED_REL_ACK] =
        {{"tcp.rel_ack", KIND_UINT32, true},
         "TCP acknowledgement number relative to the other end's SYN, modulo 2**32."},
};

static int joined_find(const char *name)
{
    for (int i = 0; i < JOINED_COUNT; i++)
        if (strcmp(joined_columns[i].info.name, name) == 0)
            return i;
    return NOT_JOINED;
}

static bool joined_value(enum joined column, const struct flow_place *place, uint64_t *value)
{
    switch (column) {
    case JOINED_FLOW:
        *value = place->flow;
        return true;
    case JOINED_WAY:
        *value = place->back;
        return true;
    case JOINED_REL_SEQ:
        *value = place->relative_seq;
        return place->known & PLACE_SEQ;
    case JOINED_REL_ACK:
        *value = place->relative_ack;
        return place->known & PLACE_ACK;
    case JOINED_COUNT:
        break;
    }
    return false;
}

/* --- The reader ------------------------------------------------------------------------------ */

struct packet_reader {
    struct column_reader base;
    struct flow_table_object *table; /* owned */
    struct packet_columns *columns;  /* owned */
    int8_t joined[MAX_COLUMNS];      /* enum joined, or NOT_JOINED */
    struct record_block records;
    struct flow_packet packets[PACKETS_OF_BLOCK];
    struct flow_place places[PACKETS_OF_BLOCK];
    int16_t place_of[PACKETS_OF_BLOCK]; /* of the rows, -1 without one */
};

static bool take_column(struct column_reader *base, size_t i, const char *name)
{
    struct packet_reader *self = (struct packet_reader *)base;
    int found = joined_find(name);
    self->joined[i] = (int8_t)found;
    if (found == NOT_JOINED)
        return base->api->columns_take(self->columns, i, name, &base->infos[i]);
    base->infos[i] = joined_columns[found].info;
    return true;
}

/* Read what matters to a record's flow; false where it is in none. */
static bool read_packet(struct packet_reader *self, const struct plt_packet *packet, size_t n)
{
    struct flow_input *input = &self->table->table.input;
    struct flow_packet *out = &self->packets[n];
    struct flow_place *place = &self->places[n];
    struct plt_packet inner = *packet;
    struct innermost room;
    if (input->decap)
        tunnel_innermost(&inner, &input->ports, &room);
    /* a later fragment whose first one was not seen does not wait: the row is there already */
    if (!flow_input_packet(input, &inner, out) && !flow_input_fragment(input, true, out))
        return false;
    const uint8_t *header = out->kind & PACKET_TCP ? transport_bytes(&inner, 4, 8) : NULL;
    place->seq = header ? load_be32(header) : 0;
    place->ack = header ? load_be32(header + 4) : 0;
    return true;
}

/* Count the packets of a block and fill in the columns of their rows; false when out of memory. */
static bool settle(struct packet_reader *self, struct batch *batch, size_t rows, size_t count)
{
    struct flow_table *table = &self->table->table;
    table->places->next = self->places;
    bool enough = flow_table_feed(table, self->packets, count) == count;
    table->places->next = NULL;
    enough = enough && !table->input.fragments_lost;
    table->input.fragments_lost = false;
    if (!enough)
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        if (self->joined[i] == NOT_JOINED)
            continue;
        for (size_t row = 0; row < rows; row++) {
            int at = self->place_of[row];
            uint64_t value = 0;
            bool there =
                at >= 0 && joined_value((enum joined)self->joined[i], &self->places[at], &value);
            column_append(batch->columns[i], there, value);
        }
    }
    return true;
}

/* Read a block of records, `most` of them, into a batch that has room; PLT_ERROR and *out_of_memory
 * where there is no memory. */
static enum plt_records_result read_block(struct packet_reader *self, struct batch *batch,
                                          size_t most, bool *out_of_memory)
{
    const struct plt_api *api = self->base.api;
    struct record_block *block = &self->records;
    enum plt_records_result result = api->records_block(self->base.records, block, most);
    size_t count = 0;
    record_layers_all(block->records, block->count, block->layers);
    for (size_t i = 0; i < block->count; i++) {
        struct plt_record *record = &block->records[i];
        record->layers = &block->layers[i];
        struct plt_packet packet = {.data = record->data,
                                    .len = record->len,
                                    .layers = record->layers,
                                    .meta = &record->meta};
        bool found = read_packet(self, &packet, count);
        self->place_of[i] = found ? (int16_t)count : -1;
        count += found;
    }
    batch->rows += block->count;
    *out_of_memory = !api->columns_add(self->columns, batch->columns, block) ||
                     !settle(self, batch, block->count, count);
    return *out_of_memory ? PLT_ERROR : result;
}

static enum plt_records_result read_rows(struct column_reader *base, struct batch *batch,
                                         size_t rows, bool *out_of_memory)
{
    struct packet_reader *self = (struct packet_reader *)base;
    enum plt_records_result result = PLT_RECORD;
    while (batch->rows < rows && result == PLT_RECORD) {
        size_t most = batch_room_for(batch, rows, PACKETS_OF_BLOCK);
        *out_of_memory = most == 0;
        result = most > 0 ? read_block(self, batch, most, out_of_memory) : PLT_ERROR;
    }
    return result;
}

static int reader_traverse(PyObject *self_, visitproc visit, void *arg)
{
    struct packet_reader *self = (struct packet_reader *)self_;
    Py_VISIT((PyObject *)self->table);
    return column_reader_traverse(&self->base, visit, arg);
}

/* The table stays: whether it is busy is asked at every call. */
static int reader_clear(PyObject *self_)
{
    column_reader_let_go((struct column_reader *)self_);
    return 0;
}

static void reader_dealloc(PyObject *self_)
{
    struct packet_reader *self = (struct packet_reader *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    column_reader_clear(&self->base);
    if (self->columns)
        self->base.api->columns_free(self->columns);
    Py_XDECREF((PyObject *)self->table);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    struct natkit_state *state = natkit_state_of(type);
    PyObject *table = NULL, *source = NULL, *names = NULL, *filter = NULL; /* borrowed from args */
    Py_ssize_t limit = 0;
    Py_ssize_t batch_rows = 0;
    int address_kind = 0;
    unsigned short seed = 0;
    if (!state ||
        !PyArg_ParseTuple(args, "O!OO!OnniH", state->table_type, &table, &source, &PyTuple_Type,
                          &names, &filter, &limit, &batch_rows, &address_kind, &seed))
        return NULL;
    struct packet_reader *self = (struct packet_reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->table = (struct flow_table_object *)Py_NewRef(table);
    struct flow_table *flows = &self->table->table;
    self->base.api = state->plt_api;
    self->base.types = state->plt_api->batch_types;
    self->base.busy = &self->table->busy;
    self->base.read_rows = read_rows;
    self->base.take_column = take_column;
    self->base.libtrace_error = PyObject_GetAttrString(state->plt, "LibtraceError");
    if (!self->base.libtrace_error)
        goto error;
    self->columns = state->plt_api->columns_new(flows->input.decap, &flows->input.ports, seed);
    if (!self->columns || table_object_number(self->table) < 0)
        goto error;
    if (column_reader_open(&self->base, source, names, filter, limit, batch_rows, address_kind) ==
        0)
        return (PyObject *)self;
error:
    Py_DECREF((PyObject *)self);
    return NULL;
}

static PyType_Slot reader_slots[] = {
    {Py_tp_doc,
     "_PacketReader(table, source, names, filter, limit, batch, address_kind, community_seed, /)\n"
     "--\n\n"
     "Reads a trace as columns, joined with the flows of a table: the C part of natkit.packets()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_methods, column_reader_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, column_reader_next},
    {0, NULL}};

PyType_Spec packet_reader_spec = {.name = "natkit._PacketReader",
                                  .basicsize = sizeof(struct packet_reader),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                           Py_TPFLAGS_IMMUTABLETYPE,
                                  .slots = reader_slots};

PyObject *joined_field_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < JOINED_COUNT; i++)
        if (column_list_add(list, &joined_columns[i].info, joined_columns[i].doc) < 0)
            Py_CLEAR(list);
    return list;
}
