/* The type Flow: one flow as it was when it was asked for. */
#include "object.h"

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
    PyObject *result = NULL;
    size_t count = 0;
    struct flow_copy *copies = state ? flow_copies_from_bytes(bytes, &count) : NULL;

    if (copies && count == 1)
        result = flow_object_new(state, &copies[0]);
    else if (copies)
        PyErr_Format(PyExc_ValueError, "no pickled flow, but %zu", count);
    free(copies);
    return result;
}

static PyObject *record_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *from_bytes = natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes");

    return from_bytes
               ? Py_BuildValue("N(N)", from_bytes, flow_copies_to_bytes(flow_object_copy(self_), 1))
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
