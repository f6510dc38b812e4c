/* The type Flows: flows that ended, in a sequence. */
#include "flows.h"

#include "columns.h"
#include "fields.h"
#include "flow.h"
#include "pickle.h"

#include "common/method.h"
#include "common/room.h"

#include <stdlib.h>
#include <string.h>

struct flows_object {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct flow_copies copies;
};

/* An empty sequence with room for so many; NULL with an exception. */
static struct flows_object *flows_new(struct natkit_state *state, size_t room,
                                      const struct flow_besides *besides)
{
    if (!state->flows_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct flows_object *self =
        (struct flows_object *)state->flows_type->tp_alloc(state->flows_type, 0);
    if (!self)
        return NULL;
    self->state = state;
    if (flow_copies_init(&self->copies, room, besides))
        return self;
    Py_DECREF((PyObject *)self);
    PyErr_NoMemory();
    return NULL;
}

/* Copies of flows of a table that is busy; NULL with an exception. */
static struct flows_object *flows_of(const struct flow_table_object *owner, const flow_ref *refs,
                                     size_t count)
{
    const struct flow_besides besides = flow_set_besides(&owner->table.set);
    struct flows_object *self = flows_new(owner->state, count, &besides);
    for (size_t i = 0; self && i < count; i++) {
        struct flow_copy copy = flow_set_copy(&owner->table.set, refs[i]);
        flow_copies_add(&self->copies, &copy);
        if (!flow_patience_lasts(&until_signal, i))
            Py_CLEAR(self);
    }
    /* the flows go after this: a signal that has come until now should still find them */
    if (self && PyErr_CheckSignals() < 0)
        Py_CLEAR(self);
    return self;
}

PyObject *flows_take(struct flow_table_object *self)
{
    struct flow_set *set = &self->table.set;
    size_t count = 0;
    flow_table_settle(&self->table);
    flow_ref *refs = flow_set_list(set, LIST_ENDED, &count);
    if (!refs)
        return PyErr_NoMemory();
    self->busy = true;
    struct flows_object *flows = flows_of(self, refs, count);
    self->busy = false;
    free(refs);
    if (!flows) /* the flows are still in the table */
        return NULL;
    for (flow_ref ref = flow_set_take_ended(set); ref; ref = flow_set_take_ended(set))
        flow_set_free_slot(set, ref);
    return (PyObject *)flows;
}

static void flows_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    flow_copies_clear(&((struct flows_object *)self_)->copies);
    type->tp_free(self_);
    Py_DECREF(type);
}

static Py_ssize_t flows_length(PyObject *self_)
{
    return (Py_ssize_t)((const struct flows_object *)self_)->copies.count;
}

static PyObject *flows_item(PyObject *self_, Py_ssize_t n)
{
    const struct flows_object *self = (const struct flows_object *)self_;
    if (n < 0 || (size_t)n >= self->copies.count) {
        PyErr_Format(PyExc_IndexError, "flow %zd of %zu", n, self->copies.count);
        return NULL;
    }
    return flow_object_new(self->state, &self->copies.all[n]);
}

static PyObject *flows_slice(struct flows_object *self, PyObject *slice)
{
    Py_ssize_t start = 0, stop = 0, step = 0;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices((Py_ssize_t)self->copies.count, &start, &stop, step);
    struct flows_object *part = flows_new(self->state, (size_t)count, &self->copies.besides);
    for (Py_ssize_t i = 0; part && i < count; i++)
        flow_copies_add(&part->copies, &self->copies.all[start + i * step]);
    return (PyObject *)part;
}

static PyObject *flows_subscript(PyObject *self_, PyObject *key)
{
    struct flows_object *self = (struct flows_object *)self_;
    if (PySlice_Check(key))
        return flows_slice(self, key);
    if (!PyIndex_Check(key))
        return PyErr_Format(PyExc_TypeError, "flows are numbered by integers, not by %.100s",
                            Py_TYPE(key)->tp_name);
    Py_ssize_t n = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    return flows_item(self_, n < 0 ? n + (Py_ssize_t)self->copies.count : n);
}

static struct flow_copy ended_copy(const void *context, size_t n)
{
    return ((const struct flows_object *)context)->copies.all[n];
}

static PyObject *flows_columns(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    struct flows_object *self = (struct flows_object *)self_;
    struct flow_asked asked;
    if (!flow_columns_asked(args, kwargs, &asked))
        return NULL;
    PyObject *table = flow_columns_table(self->state, &asked, flow_extras(&self->copies.besides),
                                         self->copies.count, ended_copy, self);
    Py_DECREF(asked.names);
    return table;
}

static PyObject *flows_stream(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char schema_word[] = "requested_schema";
    static char *keywords[] = {schema_word, NULL};
    struct flows_object *self = (struct flows_object *)self_;
    PyObject *schema = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_stream__", keywords, &schema))
        return NULL;
    return flow_columns_stream(self->state, flow_extras(&self->copies.besides), self->copies.count,
                               ended_copy, self);
}

static PyObject *flows_schema(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return flow_columns_schema(flow_extras(&((const struct flows_object *)self_)->copies.besides));
}

static PyObject *flows_repr(PyObject *self_)
{
    return PyUnicode_FromFormat("<natkit.Flows: %zu>",
                                ((const struct flows_object *)self_)->copies.count);
}

static PyObject *flows_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("natkit._show", "flows_html", self_);
}

static PyObject *flows_from_bytes(PyObject *type_, PyObject *bytes)
{
    struct natkit_state *state = natkit_state_of((PyTypeObject *)type_);
    struct flow_copies copies = {0};
    if (!state || unpickle_flows(bytes, &copies) < 0)
        return NULL;
    struct flows_object *self = flows_new(state, 0, &copies.besides);
    if (!self) {
        flow_copies_clear(&copies);
        return NULL;
    }
    flow_copies_clear(&self->copies);
    self->copies = copies;
    return (PyObject *)self;
}

static PyObject *flows_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct flows_object *self = (const struct flows_object *)self_;
    PyObject *from_bytes = natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes");
    return from_bytes ? Py_BuildValue("N(N)", from_bytes, pickle_flows(&self->copies)) : NULL;
}

static PyObject *flows_sizeof(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct flows_object *self = (const struct flows_object *)self_;
    const struct flow_besides *besides = &self->copies.besides;
    size_t size = sizeof(*self->copies.all) +
                  (besides->tracks_tcp ? sizeof(*self->copies.qualities) : 0) +
                  (besides->statistics ? sizeof(*self->copies.statistics) : 0) +
                  besides->early * sizeof(*self->copies.early);
    return PyLong_FromSize_t((size_t)Py_TYPE(self_)->tp_basicsize + self->copies.count * size);
}

static PyMethodDef flows_methods[] = {
    METHOD("columns", flows_columns, METH_VARARGS | METH_KEYWORDS, flow_columns_doc),
    METHOD("__arrow_c_stream__", flows_stream, METH_VARARGS | METH_KEYWORDS, flow_stream_doc),
    METHOD("__arrow_c_schema__", flows_schema, METH_NOARGS, flow_schema_doc),
    METHOD("__array__", flow_array, METH_VARARGS | METH_KEYWORDS, flow_array_doc),
    METHOD("_repr_html_", flows_html, METH_NOARGS,
           "_repr_html_($self, /)\n--\n\nThe first and last flows, for notebooks."),
    METHOD("_from_bytes", flows_from_bytes, METH_O | METH_CLASS,
           "_from_bytes($type, state, /)\n--\n\n"
           "The Flows that were pickled; ValueError for bytes that are no flows."),
    METHOD("__reduce__", flows_reduce, METH_NOARGS,
           "__reduce__($self, /)\n--\n\nHow pickle and copy make the same Flows again."),
    METHOD("__sizeof__", flows_sizeof, METH_NOARGS,
           "__sizeof__($self, /)\n--\n\n"
           "The memory that the flows take, in bytes: for sys.getsizeof()."),
    {.ml_name = NULL}};

PyDoc_STRVAR(flows_doc,
             "Flows that ended, in the order of their first packets: a sequence of Flow.\n\n"
             "What FlowTable.expired() gives. columns() has them as arrays, and Arrow's consumers "
             "take it.");

static PyType_Slot flows_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)flows_doc},
    {.slot = Py_tp_dealloc, .pfunc = flows_dealloc},
    {.slot = Py_tp_methods, .pfunc = flows_methods},
    {.slot = Py_tp_repr, .pfunc = flows_repr},
    {.slot = Py_tp_iter, .pfunc = PySeqIter_New},
    {.slot = Py_sq_length, .pfunc = flows_length},
    {.slot = Py_sq_item, .pfunc = flows_item},
    {.slot = Py_mp_length, .pfunc = flows_length},
    {.slot = Py_mp_subscript, .pfunc = flows_subscript},
    {.slot = 0},
};

PyType_Spec flows_spec = {
    .name = "natkit.Flows",
    .basicsize = sizeof(struct flows_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = flows_slots,
};
