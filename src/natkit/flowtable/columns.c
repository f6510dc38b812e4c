/* Flows as columns: batches of them, filled row by row. */
#include "columns.h"

#include "fieldrows.h"
#include "fields.h"
#include "statisticsfields.h"
#include "statisticsrows.h"
#include "tcprows.h"
#include "common/arrow.h"

#include <string.h>

/* --- Values ---------------------------------------------------------------------------------- */

static bool append(const struct flow_field *field, const struct flow_copy *copy,
                   struct column_data *data)
{
    struct natkit_key key;
    uint64_t value = 0;
    if (field->info.kind == KIND_TEXT) {
        char room[COMMUNITY_ID_ROOM];
        const char *text = flow_field_text(field, copy, room);
        return column_append_text(data, text, text ? strlen(text) : 0);
    }
    if (kind_is_address(field->info.kind)) {
        const uint8_t *address = flow_field_address(field, copy, &key);
        column_append_address(data, address, copy->v6 ? 16 : 4);
        return true;
    }
    if (kind_is_list(field->info.kind)) {
        union flow_list list;
        size_t count = flow_first_list(field->what, copy, &list);
        return column_append_list(data, &list, count);
    }
    bool present = flow_field_number(field, copy, &value);
    column_append(data, present, value);
    return true;
}

/* The columns of all fields; how many there are. */
static size_t all_infos(unsigned extras, struct column_info *infos)
{
    size_t count = flow_field_count(extras);
    for (size_t i = 0; i < count; i++)
        infos[i] = flow_field_nth(i, extras)->info;
    return count;
}

/* --- Tables ---------------------------------------------------------------------------------- */

/* The kind of addresses that a word means: false with an exception. */
static bool read_address_kind(PyObject *word, uint8_t *kind)
{
    static const struct {
        const char *word;
        uint8_t kind;
    } words[] = {
        {"auto", KIND_ADDRESS}, {"text", KIND_ADDRESS_TEXT}, {"binary", KIND_ADDRESS_BYTES}};
    *kind = KIND_ADDRESS;
    for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
        if (PyUnicode_Check(word) && PyUnicode_CompareWithASCIIString(word, words[i].word) == 0) {
            *kind = words[i].kind;
            return true;
        }
    if (word)
        PyErr_Format(PyExc_ValueError, "addresses are 'auto', 'text' or 'binary', not %R", word);
    return !word;
}

bool flow_columns_asked(PyObject *args, PyObject *kwargs, struct flow_asked *asked)
{
    static char fields_word[] = "fields", addresses_word[] = "addresses";
    static char *keywords[] = {fields_word, addresses_word, NULL};
    PyObject *names = Py_None, *addresses = NULL; /* borrowed from args */
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$O:columns", keywords, &names, &addresses) ||
        !read_address_kind(addresses, &asked->address_kind))
        return false;
    if (names == Py_None)
        asked->names = Py_NewRef(Py_None);
    else
        asked->names = PyUnicode_Check(names) ? PyTuple_Pack(1, names) : PySequence_Tuple(names);
    return asked->names != NULL;
}

/* The fields that a tuple names, all for None: their number, or -1 with an exception. */
static Py_ssize_t choose(PyObject *names, unsigned extras,
                         const struct flow_field *chosen[ALL_FLOW_FIELDS])
{
    if (names == Py_None) {
        size_t all = flow_field_count(extras);
        for (size_t i = 0; i < all; i++)
            chosen[i] = flow_field_nth(i, extras);
        return (Py_ssize_t)all;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int found = flow_field_find(name, extras);
        if (found < 0)
            return -1;
        for (Py_ssize_t n = 0; n < i; n++)
            if (chosen[n] == &flow_fields[found]) {
                PyErr_Format(PyExc_ValueError, "the column %R is asked for twice", name);
                return -1;
            }
        chosen[i] = &flow_fields[found];
    }
    return PyTuple_GET_SIZE(names);
}

/* A batch of flows; NULL with an exception. */
static PyObject *batch_of(struct natkit_state *state, const struct flow_asked *asked,
                          unsigned extras, size_t count, flow_copy_of copy_of, const void *context)
{
    enum { ROWS_A_LOOK = 1 << 16 };
    const struct flow_field *chosen[ALL_FLOW_FIELDS];
    struct column_info infos[ALL_FLOW_FIELDS];
    Py_ssize_t width = choose(asked->names, extras, chosen);
    if (width < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < width; i++) {
        infos[i] = chosen[i]->info;
        if (kind_is_address(infos[i].kind))
            infos[i].kind = asked->address_kind;
    }
    struct batch *batch = batch_new(&state->batch_types, infos, (size_t)width, count);
    if (!batch)
        return NULL;
    for (size_t n = 0; n < count; n++) {
        struct flow_copy copy = copy_of(context, n);
        bool enough = true;
        for (Py_ssize_t i = 0; i < width && enough; i++)
            enough = append(chosen[i], &copy, batch->columns[i]);
        if (!enough)
            PyErr_NoMemory();
        if (!enough || (n % ROWS_A_LOOK == 0 && PyErr_CheckSignals() < 0)) {
            Py_DECREF((PyObject *)batch);
            return NULL;
        }
        batch->rows++;
    }
    return (PyObject *)batch;
}

PyObject *flow_columns_table(struct natkit_state *state, const struct flow_asked *asked,
                             unsigned extras, size_t count, flow_copy_of copy_of,
                             const void *context)
{
    PyObject *batch = batch_of(state, asked, extras, count, copy_of, context);
    PyObject *module = batch ? PyImport_ImportModule("plt") : NULL;
    PyObject *table = module ? PyObject_CallMethod(module, "Table", "[O]", batch) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(batch);
    return table;
}

PyObject *flow_columns_stream(struct natkit_state *state, unsigned extras, size_t count,
                              flow_copy_of copy_of, const void *context)
{
    const struct flow_asked all = {.names = Py_None, .address_kind = KIND_ADDRESS};
    PyObject *batch = batch_of(state, &all, extras, count, copy_of, context);
    PyObject *list = batch ? PyList_New(1) : NULL;
    PyObject *stream = NULL;
    if (list) {
        struct column_info infos[ALL_FLOW_FIELDS];
        size_t every = all_infos(extras, infos);
        Py_INCREF(batch);
        PyList_SET_ITEM(list, 0, batch);
        stream = arrow_stream(list, state->batch_types.batch, infos, every);
    }
    Py_XDECREF(list);
    Py_XDECREF(batch);
    return stream;
}

PyObject *flow_columns_schema(unsigned extras)
{
    struct column_info infos[ALL_FLOW_FIELDS];
    size_t every = all_infos(extras, infos);
    return arrow_schema(infos, every);
}

const char flow_columns_doc[] =
    "columns($self, fields=None, *, addresses='auto')\n--\n\n"
    "The flows as columns: a plt.Table, a row for each in the order of their first packets.\n\n"
    "fields are names of columns, None for all: those of Flow's attributes, a time without\n"
    "its _ns. All are those that the table counts: with tcp=True, decap=True, statistics=True and "
    "first=20\n"
    "more; community_id is to be named. addresses are 'text', 'binary' or 'auto', as for "
    "plt.columns().\n"
    "ValueError for an unknown name, with near ones.";

const char flow_array_doc[] =
    "__array__($self, dtype=None, copy=None)\n--\n\n"
    "The rows of columns() as an array of objects: pandas.DataFrame() takes them.";

PyObject *flow_array(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    PyObject *table = PyObject_CallMethod(self_, "columns", NULL);
    PyObject *method = table ? PyObject_GetAttrString(table, "__array__") : NULL;
    PyObject *rows = method ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(table);
    return rows;
}

/* --- What Arrow's metadata tells of them ----------------------------------------------------- */

#define AS_DOC(what, whose, kind, missing, column, attribute, text) {.doc = (text)},

static const char *unit_of(const struct flow_field *field)
{
    if (field->info.kind == KIND_TIME || field->info.kind == KIND_DURATION ||
        field->info.kind == KIND_DURATION_LIST)
        return "ns";
    if (field->what >= FIN_PACKETS && field->what <= CWR_PACKETS)
        return "packets";
    switch (field->what) {
    case PACKETS:
        return "packets";
    case BYTES:
    case IP_BYTES:
    case PAYLOAD_BYTES:
    case RESENT_BYTES:
    case UNIQUE_BYTES:
    case WINDOW_MIN:
    case WINDOW_MAX:
    case MSS:
    case SIZES_MIN:
    case SIZES_MEAN:
    case SIZES_STD:
    case SIZES_MAX:
    case FIRST_SIZES:
        return "bytes";
    case RETRANSMITS:
    case RESENT_SEGMENTS:
    case OUT_OF_ORDER:
    case DUP_ACKS:
        return "segments";
    default:
        return NULL;
    }
}

struct column_notes column_notes_of(const char *name)
{
    static const struct column_notes docs[] = {
        FLOW_FIELD_ROWS(AS_DOC) TCP_FIELD_ROWS(AS_DOC) TUNNEL_FIELD_ROWS(AS_DOC)
            STATISTICS_FIELD_ROWS(AS_DOC) FIRST_FIELD_ROWS(AS_DOC) NAMED_FIELD_ROWS(AS_DOC)};
    for (size_t i = 0; i < ALL_FLOW_FIELDS; i++)
        if (strcmp(flow_fields[i].info.name, name) == 0)
            return (struct column_notes){.doc = docs[i].doc,
                                         .unit = unit_of(&flow_fields[i]),
                                         .source = "packets of the flow"};
    return (struct column_notes){.doc = NULL};
}

const char flow_stream_doc[] = "__arrow_c_stream__($self, requested_schema=None)\n--\n\n"
                               "All columns as an Arrow C stream (the PyCapsule protocol).";

const char flow_schema_doc[] = "__arrow_c_schema__($self, /)\n--\n\n"
                               "Their Arrow C schema (the PyCapsule protocol).";
