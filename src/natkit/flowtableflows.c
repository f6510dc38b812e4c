/* The type Flows: flows that ended, in a sequence. */
#include "flowtabletype.h"

#include "common/method.h"

#include <stdlib.h>
#include <string.h>

struct records {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct flow_copy *copies;   /* owned */
    size_t count;
};

/* A sequence with room for so many, the count still 0; NULL with an exception. */
static struct records *records_new(struct natkit_state *state, size_t room)
{
    if (!state->records_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct records *self = (struct records *)state->records_type->tp_alloc(state->records_type, 0);
    if (!self)
        return NULL;
    self->state = state;
    self->copies = malloc((room + 1) * sizeof(*self->copies));
    if (self->copies)
        return self;
    Py_DECREF((PyObject *)self);
    PyErr_NoMemory();
    return NULL;
}

/* Copies of flows of a table that is busy; NULL with an exception. */
static struct records *records_of(const struct flow_table_object *owner, const flow_ref *refs,
                                  size_t count)
{
    struct records *self = records_new(owner->state, count);

    for (size_t i = 0; self && i < count; i++) {
        self->copies[self->count++] = flow_table_copy(&owner->table, refs[i]);
        if (flow_look_at_signals(i) < 0)
            Py_CLEAR(self);
    }
    /* behind it the flows go: what has come until then should still find them */
    if (self && PyErr_CheckSignals() < 0)
        Py_CLEAR(self);
    return self;
}

PyObject *flow_list_take(struct flow_table_object *self)
{
    struct flow_table *table = &self->table;
    size_t count = 0;
    flow_wheel_settle(table);
    flow_ref *refs = flow_table_list(table, LIST_ENDED, &count);
    if (!refs)
        return PyErr_NoMemory();
    self->busy = true;
    struct records *records = records_of(self, refs, count);
    self->busy = false;
    free(refs);
    if (!records) /* the flows are still in the table */
        return NULL;
    for (flow_ref ref = flow_table_pop_ended(table); ref; ref = flow_table_pop_ended(table))
        flow_pool_free(table, ref);
    return (PyObject *)records;
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

static PyObject *records_slice(struct records *self, PyObject *slice)
{
    Py_ssize_t start = 0, stop = 0, step = 0;

    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices((Py_ssize_t)self->count, &start, &stop, step);
    struct records *part = records_new(self->state, (size_t)count);
    for (Py_ssize_t i = 0; part && i < count; i++)
        part->copies[part->count++] = self->copies[start + i * step];
    return (PyObject *)part;
}

static PyObject *records_subscript(PyObject *self_, PyObject *key)
{
    struct records *self = (struct records *)self_;

    if (PySlice_Check(key))
        return records_slice(self, key);
    if (!PyIndex_Check(key))
        return PyErr_Format(PyExc_TypeError, "flows are numbered by integers, not by %.100s",
                            Py_TYPE(key)->tp_name);
    Py_ssize_t n = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    return records_item(self_, n < 0 ? n + (Py_ssize_t)self->count : n);
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
    PyObject *chosen = flow_names(names);
    PyObject *table =
        chosen ? flow_columns_table(self->state, chosen, self->count, copy_of, self) : NULL;
    Py_XDECREF(chosen);
    return table;
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

static PyObject *records_from_bytes(PyObject *type_, PyObject *bytes)
{
    struct natkit_state *state = natkit_state_of((PyTypeObject *)type_);
    size_t count = 0;
    struct flow_copy *copies = state ? flow_copies_from_bytes(bytes, &count) : NULL;
    struct records *self = copies ? records_new(state, 0) : NULL;
    if (!self) {
        free(copies);
        return NULL;
    }
    free(self->copies);
    self->copies = copies;
    self->count = count;
    return (PyObject *)self;
}

static PyObject *records_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct records *self = (const struct records *)self_;
    PyObject *from_bytes = natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes");

    return from_bytes
               ? Py_BuildValue("N(N)", from_bytes, flow_copies_to_bytes(self->copies, self->count))
               : NULL;
}

static PyObject *records_sizeof(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct records *self = (const struct records *)self_;

    return PyLong_FromSize_t((size_t)Py_TYPE(self_)->tp_basicsize +
                             self->count * sizeof(*self->copies));
}

static PyMethodDef records_methods[] = {
    METHOD("columns", records_columns, METH_VARARGS | METH_KEYWORDS, flow_columns_doc),
    METHOD("__arrow_c_stream__", records_stream, METH_VARARGS | METH_KEYWORDS, flow_stream_doc),
    METHOD("__arrow_c_schema__", records_schema, METH_NOARGS, flow_schema_doc),
    METHOD("_from_bytes", records_from_bytes, METH_O | METH_CLASS,
           "_from_bytes($type, state, /)\n--\n\n"
           "The Flows that were pickled; ValueError for bytes that are none."),
    METHOD("__reduce__", records_reduce, METH_NOARGS,
           "__reduce__($self, /)\n--\n\nHow pickle and copy make the same Flows again."),
    METHOD("__sizeof__", records_sizeof, METH_NOARGS,
           "__sizeof__($self, /)\n--\n\n"
           "The memory that the flows take, in bytes: for sys.getsizeof()."),
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
    {.slot = Py_mp_length, .pfunc = records_length},
    {.slot = Py_mp_subscript, .pfunc = records_subscript},
    {.slot = 0},
};

PyType_Spec natkit_records_spec = {
    .name = "natkit.Flows",
    .basicsize = sizeof(struct records),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = records_slots,
};
