/* The types Flow, one flow as it was when it was asked for, and Flows, some that ended. */
#include "flowtabletype.h"

#include <stdlib.h>
#include <string.h>

/* --- Flow ------------------------------------------------------------------------------------- */

struct record {
    PyObject ob_base;
    struct flow_copy copy;
};

const struct flow_copy *flow_object_copy(PyObject *self_)
{
    return &((const struct record *)self_)->copy;
}

PyObject *flow_object_new(struct natkit_state *state, const struct flow_copy *copy)
{
    if (!state->record_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct record *self = PyObject_New(struct record, state->record_type);
    if (self)
        self->copy = *copy;
    return (PyObject *)self;
}

static void record_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);

    PyObject_Free(self_);
    Py_DECREF(type);
}

static PyObject *record_richcompare(PyObject *self_, PyObject *other_, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(self_) != Py_TYPE(other_))
        Py_RETURN_NOTIMPLEMENTED;
    const struct flow_copy *one = flow_object_copy(self_);
    const struct flow_copy *other = flow_object_copy(other_);
    bool equal =
        one->v6 == other->v6 && memcmp(&one->record, &other->record, sizeof(one->record)) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t record_hash(PyObject *self_)
{
    const struct flow_copy *copy = flow_object_copy(self_);
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)copy->record.flow.key,
                                                sizeof(copy->record.flow.key));
    Py_hash_t hash = bytes ? PyObject_Hash(bytes) : -1;

    Py_XDECREF(bytes);
    return hash;
}

static PyObject *record_str(PyObject *self_)
{
    PyObject *ipflow = natkit_attribute(self_, "ipflow");
    PyObject *packets = ipflow ? natkit_attribute(self_, "packets") : NULL;
    PyObject *bytes = packets ? natkit_attribute(self_, "bytes") : NULL;
    PyObject *text =
        bytes ? PyUnicode_FromFormat("%S: %S packets, %S bytes", ipflow, packets, bytes) : NULL;

    Py_XDECREF(bytes);
    Py_XDECREF(packets);
    Py_XDECREF(ipflow);
    return text;
}

static PyObject *record_repr(PyObject *self_)
{
    PyObject *text = record_str(self_);
    PyObject *result = text ? PyUnicode_FromFormat("<natkit.Flow: %U>", text) : NULL;

    Py_XDECREF(text);
    return result;
}

static PyObject *record_from_bytes(PyObject *type_, PyObject *bytes)
{
    struct natkit_state *state = natkit_state_of((PyTypeObject *)type_);
    struct flow_copy copy;
    Py_buffer buffer;

    if (!state || PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    int status = flow_copy_from_bytes(&copy, buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    return status < 0 ? NULL : flow_object_new(state, &copy);
}

static PyObject *record_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *from_bytes = natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes");

    return from_bytes
               ? Py_BuildValue("N(N)", from_bytes, flow_copy_to_bytes(flow_object_copy(self_)))
               : NULL;
}

static PyMethodDef record_methods[] = {
    {.ml_name = "_from_bytes",
     .ml_meth = record_from_bytes,
     .ml_flags = METH_O | METH_CLASS,
     .ml_doc =
         "_from_bytes($type, state, /)\n--\n\nThe Flow that was pickled; ValueError for bytes "
         "that are none."},
    {.ml_name = "__reduce__",
     .ml_meth = record_reduce,
     .ml_flags = METH_NOARGS,
     .ml_doc = "__reduce__($self, /)\n--\n\nHow pickle and copy make the same Flow again."},
    {.ml_name = NULL}};

PyDoc_STRVAR(record_doc,
             "A flow of a FlowTable, as it was when the table was asked for it.\n\n"
             "Flows are equal when all that was counted of them is. Made by FlowTable alone.");

static PyType_Slot record_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)record_doc},
    {.slot = Py_tp_dealloc, .pfunc = record_dealloc},
    {.slot = Py_tp_getset, .pfunc = flow_object_getset},
    {.slot = Py_tp_methods, .pfunc = record_methods},
    {.slot = Py_tp_richcompare, .pfunc = record_richcompare},
    {.slot = Py_tp_hash, .pfunc = record_hash},
    {.slot = Py_tp_str, .pfunc = record_str},
    {.slot = Py_tp_repr, .pfunc = record_repr},
    {.slot = 0},
};

PyType_Spec natkit_record_spec = {
    .name = "natkit.Flow",
    .basicsize = sizeof(struct record),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = record_slots,
};

/* --- Flows ------------------------------------------------------------------------------------ */

struct records {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct flow_copy *copies;   /* owned */
    size_t count;
};

PyObject *flow_list_take(struct natkit_state *state, struct flow_table *table)
{
    size_t count = 0;
    flow_wheel_settle(table);
    if (!state->records_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct records *self = (struct records *)state->records_type->tp_alloc(state->records_type, 0);
    flow_ref *refs = self ? flow_table_list(table, LIST_ENDED, &count) : NULL;
    if (refs)
        self->copies = malloc((count + 1) * sizeof(*self->copies));
    if (!refs || !self->copies) {
        free(refs);
        Py_XDECREF((PyObject *)self);
        return PyErr_NoMemory();
    }
    self->state = state;
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->copies[i] = flow_table_copy(table, refs[i]);
    free(refs);
    for (flow_ref ref = flow_table_pop_ended(table); ref; ref = flow_table_pop_ended(table))
        flow_pool_free(table, ref);
    return (PyObject *)self;
}

static void records_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);

    free(((struct records *)self_)->copies);
    type->tp_free(self_);
    Py_DECREF(type);
}

static Py_ssize_t records_length(PyObject *self_)
{
    return (Py_ssize_t)((const struct records *)self_)->count;
}

static PyObject *records_item(PyObject *self_, Py_ssize_t n)
{
    const struct records *self = (const struct records *)self_;

    if (n < 0 || (size_t)n >= self->count) {
        PyErr_Format(PyExc_IndexError, "flow %zd of %zu", n, self->count);
        return NULL;
    }
    return flow_object_new(self->state, &self->copies[n]);
}

static struct flow_copy copy_of(const void *context, size_t n)
{
    return ((const struct records *)context)->copies[n];
}

static PyObject *records_columns(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char fields_word[] = "fields";
    static char *keywords[] = {fields_word, NULL};
    struct records *self = (struct records *)self_;
    PyObject *names = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:columns", keywords, &names))
        return NULL;
    return flow_columns_table(self->state, names, self->count, copy_of, self);
}

static PyObject *records_stream(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char schema_word[] = "requested_schema";
    static char *keywords[] = {schema_word, NULL};
    struct records *self = (struct records *)self_;
    PyObject *schema = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_stream__", keywords, &schema))
        return NULL;
    return flow_columns_stream(self->state, self->count, copy_of, self);
}

static PyObject *records_schema(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    return flow_columns_schema();
}

static PyObject *records_repr(PyObject *self_)
{
    return PyUnicode_FromFormat("<natkit.Flows: %zu>", ((const struct records *)self_)->count);
}

static PyMethodDef records_methods[] = {{.ml_name = "columns",
                                         .ml_meth = (PyCFunction)(void (*)(void))records_columns,
                                         .ml_flags = METH_VARARGS | METH_KEYWORDS,
                                         .ml_doc = flow_columns_doc},
                                        {.ml_name = "__arrow_c_stream__",
                                         .ml_meth = (PyCFunction)(void (*)(void))records_stream,
                                         .ml_flags = METH_VARARGS | METH_KEYWORDS,
                                         .ml_doc = flow_stream_doc},
                                        {.ml_name = "__arrow_c_schema__",
                                         .ml_meth = records_schema,
                                         .ml_flags = METH_NOARGS,
                                         .ml_doc = flow_schema_doc},
                                        {.ml_name = NULL}};

PyDoc_STRVAR(records_doc,
             "Flows that ended, in the order of their first packets: a sequence of Flow.\n\n"
             "What FlowTable.expired() gives. columns() has them as arrays, and Arrow's consumers "
             "take it.");

static PyType_Slot records_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)records_doc},
    {.slot = Py_tp_dealloc, .pfunc = records_dealloc},
    {.slot = Py_tp_methods, .pfunc = records_methods},
    {.slot = Py_tp_repr, .pfunc = records_repr},
    {.slot = Py_tp_iter, .pfunc = PySeqIter_New},
    {.slot = Py_sq_length, .pfunc = records_length},
    {.slot = Py_sq_item, .pfunc = records_item},
    {.slot = 0},
};

PyType_Spec natkit_records_spec = {
    .name = "natkit.Flows",
    .basicsize = sizeof(struct records),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = records_slots,
};
