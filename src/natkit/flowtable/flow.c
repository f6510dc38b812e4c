/* The type Flow: one flow as it was when it was asked for. */
#include "flow.h"

#include "fieldrows.h"
#include "fields.h"
#include "key.h"
#include "pickle.h"
#include "statisticsfields.h"
#include "statisticsrows.h"
#include "tcprows.h"

#include "common/room.h"
#include "natkit/ipflow/ipflow.h"
#include "natkit/ipflow/packetkey.h"

#include <stdlib.h>
#include <string.h>

/* --- Flow ------------------------------------------------------------------------------------ */

struct flow_object {
    PyObject ob_base;
    struct flow_copies owned; /* the copy, and what it points to */
};

const struct flow_copy *flow_object_copy(PyObject *self_)
{
    return &((const struct flow_object *)self_)->owned.all[0];
}

/* What a flow has besides. */
static struct flow_besides besides_of(const struct flow_copy *copy)
{
    return (struct flow_besides){.tracks_tcp = copy->quality != NULL,
                                 .statistics = copy->statistics != NULL,
                                 .tunnels = copy->tunnel != 0,
                                 .early = (uint16_t)copy->early_count};
}

PyObject *flow_object_new(struct natkit_state *state, const struct flow_copy *copy)
{
    if (!state->flow_object_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct flow_object *self = PyObject_New(struct flow_object, state->flow_object_type);
    if (!self)
        return NULL;
    const struct flow_besides besides = besides_of(copy);
    self->owned = (struct flow_copies){.count = 0};
    if (!flow_copies_init(&self->owned, 1, &besides)) {
        Py_DECREF((PyObject *)self);
        return PyErr_NoMemory();
    }
    flow_copies_add(&self->owned, copy);
    return (PyObject *)self;
}

static void flow_object_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    flow_copies_clear(&((struct flow_object *)self_)->owned);
    PyObject_Free(self_);
    Py_DECREF(type);
}

/* Whether two blocks of memory are the same, or both not there. */
static bool are_same(const void *one, const void *other, size_t size)
{
    return !one == !other && (!one || memcmp(one, other, size) == 0);
}

/* Whether two flows tell the same.  The clocks of their tables at their packets are not compared:
 * they are for timeouts, and a fragment that waits in vain is counted when that is noticed. */
static bool tell_the_same(const struct flow6 *one, const struct flow6 *other)
{
    struct flow6 same = *one;
    same.flow.started = other->flow.started;
    same.flow.seen = other->flow.seen;
    return memcmp(&same, other, sizeof(same)) == 0;
}

static PyObject *flow_object_richcompare(PyObject *self_, PyObject *other_, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(self_) != Py_TYPE(other_))
        Py_RETURN_NOTIMPLEMENTED;
    const struct flow_copy *one = flow_object_copy(self_);
    const struct flow_copy *other = flow_object_copy(other_);
    bool equal = one->v6 == other->v6 && one->tunnel == other->tunnel &&
                 tell_the_same(&one->of, &other->of) &&
                 are_same(one->quality, other->quality, sizeof(*one->quality)) &&
                 are_same(one->statistics, other->statistics, sizeof(*one->statistics)) &&
                 one->early_count == other->early_count &&
                 are_same(one->early, other->early, one->early_count * sizeof(*one->early));
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t flow_object_hash(PyObject *self_)
{
    const struct flow_copy *copy = flow_object_copy(self_);
    PyObject *bytes =
        PyBytes_FromStringAndSize((const char *)copy->of.flow.key, sizeof(copy->of.flow.key));
    Py_hash_t hash = bytes ? PyObject_Hash(bytes) : -1;
    Py_XDECREF(bytes);
    return hash;
}

static PyObject *flow_object_str(PyObject *self_)
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

static PyObject *flow_object_repr(PyObject *self_)
{
    PyObject *text = flow_object_str(self_);
    PyObject *result = text ? PyUnicode_FromFormat("<natkit.Flow: %U>", text) : NULL;
    Py_XDECREF(text);
    return result;
}

static PyObject *flow_object_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("natkit._show", "flow_html", self_);
}

static PyObject *flow_object_from_bytes(PyObject *type_, PyObject *bytes)
{
    struct natkit_state *state = natkit_state_of((PyTypeObject *)type_);
    PyObject *result = NULL;
    struct flow_copies copies = {0};
    if (!state || unpickle_flows(bytes, &copies) < 0)
        return NULL;
    if (copies.count == 1)
        result = flow_object_new(state, &copies.all[0]);
    else
        PyErr_Format(PyExc_ValueError, "no pickled flow, but %zu", copies.count);
    flow_copies_clear(&copies);
    return result;
}

static PyObject *flow_object_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *from_bytes = natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes");
    return from_bytes ? Py_BuildValue("N(N)", from_bytes,
                                      pickle_flows(&((const struct flow_object *)self_)->owned))
                      : NULL;
}

/* --- Attributes ------------------------------------------------------------------------------ */

/* A list as a tuple; None where the table keeps none. */
static PyObject *list_get(const struct flow_field *field, const struct flow_copy *copy)
{
    union flow_list list;
    if (!copy->early)
        Py_RETURN_NONE;
    size_t count = flow_first_list(field->what, copy, &list);
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *item = NULL;
        if (field->what == FIRST_WAYS)
            item = PyLong_FromLong(list.ways[i]);
        else if (field->what == FIRST_SIZES)
            item = PyLong_FromUnsignedLong(list.sizes[i]);
        else
            item = list.gaps[i] == FLOW_NO_TIME ? Py_NewRef(Py_None)
                                                : PyLong_FromLongLong(list.gaps[i]);
        if (item)
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *field_get(PyObject *self_, void *closure)
{
    const struct flow_field *field = &flow_fields[(uintptr_t)closure];
    const struct flow_copy *copy = flow_object_copy(self_);
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    struct natkit_key key;
    uint64_t value = 0;
    if (!state)
        return NULL;
    if (field->info.kind == KIND_ADDRESS)
        return state->ipp_api->prefix_new(state->ipp_api, copy->v6 ? 6 : 4,
                                          flow_field_address(field, copy, &key), IPP_NO_LENGTH);
    if (field->info.kind == KIND_TEXT) {
        char room[COMMUNITY_ID_ROOM];
        const char *text = flow_field_text(field, copy, room);
        return Py_BuildValue("z", text);
    }
    if (kind_is_list(field->info.kind))
        return list_get(field, copy);
    if (!flow_field_number(field, copy, &value))
        Py_RETURN_NONE;
    if (field->info.kind == KIND_FLOAT64) {
        double number = 0;
        memcpy(&number, &value, sizeof(number));
        return PyFloat_FromDouble(number);
    }
    if (field->info.kind == KIND_BOOL)
        return PyBool_FromLong(value != 0);
    if (field->info.kind == KIND_TIME || field->info.kind == KIND_DURATION)
        return PyLong_FromLongLong((int64_t)value);
    return PyLong_FromUnsignedLongLong(value);
}

static PyObject *key_get(PyObject *self_, void *reversed)
{
    const struct flow_copy *copy = flow_object_copy(self_);
    struct natkit_key bytes =
        flow_natkit_key(copy, flow_forward(&copy->of.flow) ^ (reversed != NULL));
    return natkit_key_bytes(&bytes);
}

static PyObject *ipflow_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flow_copy *copy = flow_object_copy(self_);
    struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    struct natkit_key bytes = flow_forward_key(copy);
    return state ? ipflow_new(state, &bytes, NO_HOME, NO_HOME) : NULL;
}

#define NUMBER_OF(what_, whose_, kind, missing, column, attribute_, doc) FIELD_##what_##_##whose_,

enum field_number {
    FLOW_FIELD_ROWS(NUMBER_OF) TCP_FIELD_ROWS(NUMBER_OF) TUNNEL_FIELD_ROWS(NUMBER_OF)
        STATISTICS_FIELD_ROWS(NUMBER_OF) FIRST_FIELD_ROWS(NUMBER_OF) NAMED_FIELD_ROWS(NUMBER_OF)
};

#define AS_GETSET(what_, whose_, kind, missing, column, attribute_, text)                          \
    {.name = (attribute_),                                                                         \
     .get = field_get,                                                                             \
     .doc = (text),                                                                                \
     .closure = (void *)(uintptr_t)FIELD_##what_##_##whose_},

static PyGetSetDef attributes[] = {
    FLOW_FIELD_ROWS(AS_GETSET) TCP_FIELD_ROWS(AS_GETSET) TUNNEL_FIELD_ROWS(AS_GETSET)
        STATISTICS_FIELD_ROWS(AS_GETSET) FIRST_FIELD_ROWS(AS_GETSET) NAMED_FIELD_ROWS(AS_GETSET){
            .name = "fwd_key",
            .get = key_get,
            .doc = "The key of the forward direction, as IPflow's fwd_key: 14 or 38 bytes."},
    {.name = "rev_key",
     .get = key_get,
     .doc = "The key of the other direction: fwd_key with source and destination swapped.",
     .closure = (void *)1},
    {.name = "ipflow", .get = ipflow_get, .doc = "The IPflow whose fwd_key is the flow's."},
    {.name = NULL}};

/* --- The type -------------------------------------------------------------------------------- */

static PyMethodDef flow_object_methods[] = {
    {.ml_name = "_from_bytes",
     .ml_meth = flow_object_from_bytes,
     .ml_flags = METH_O | METH_CLASS,
     .ml_doc = "_from_bytes($type, state, /)\n--\n\n"
               "The Flow that was pickled; ValueError for bytes that are no flow."},
    {.ml_name = "_repr_html_",
     .ml_meth = flow_object_html,
     .ml_flags = METH_NOARGS,
     .ml_doc = "_repr_html_($self, /)\n--\n\nWhat was counted of the flow, for notebooks."},
    {.ml_name = "__reduce__",
     .ml_meth = flow_object_reduce,
     .ml_flags = METH_NOARGS,
     .ml_doc = "__reduce__($self, /)\n--\n\nHow pickle and copy make the same Flow again."},
    {.ml_name = NULL}};

PyDoc_STRVAR(flow_object_doc,
             "A flow of a FlowTable, as it was when the table was asked for it.\n\n"
             "Flows are equal when all that was counted of them is. Made by FlowTable alone.");

static PyType_Slot flow_object_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)flow_object_doc},
    {.slot = Py_tp_dealloc, .pfunc = flow_object_dealloc},
    {.slot = Py_tp_getset, .pfunc = attributes},
    {.slot = Py_tp_methods, .pfunc = flow_object_methods},
    {.slot = Py_tp_richcompare, .pfunc = flow_object_richcompare},
    {.slot = Py_tp_hash, .pfunc = flow_object_hash},
    {.slot = Py_tp_str, .pfunc = flow_object_str},
    {.slot = Py_tp_repr, .pfunc = flow_object_repr},
    {.slot = 0},
};

PyType_Spec flow_object_spec = {
    .name = "natkit.Flow",
    .basicsize = sizeof(struct flow_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = flow_object_slots,
};
