/* The type FlowTable: how it is made, looked into and merged. */
#include "flowtabletype.h"

#include "common/method.h"
#include "ipflow/attributes.h"
#include "ipflow/flowhome.h"

#include <math.h>
#include <string.h>

static struct flow_table_object *table_of(PyObject *self_)
{
    return (struct flow_table_object *)self_;
}

struct flow_table *flow_table_settled(PyObject *self_)
{
    struct flow_table_object *self = table_of(self_);

    if (flow_table_check(self) < 0)
        return NULL;
    if (!flow_table_catch_up(&self->table, false)) {
        PyErr_NoMemory();
        return NULL;
    }
    flow_wheel_settle(&self->table);
    return &self->table;
}

struct flow_table *flow_table_complete(PyObject *self_)
{
    struct flow_table *table = flow_table_settled(self_);

    if (table && !flow_table_catch_up(table, true)) {
        PyErr_NoMemory();
        return NULL;
    }
    return table;
}

/* --- Making one ------------------------------------------------------------------------------- */

/* A timeout of None or seconds, in nanoseconds: 0, or -1 with an exception. */
static int read_timeout(const char *name, PyObject *obj, int64_t *timeout)
{
    *timeout = FLOW_NEVER;
    if (obj == Py_None)
        return 0;
    double seconds = PyFloat_AsDouble(obj);
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s must be a number of seconds or None, not %.100s",
                         name, Py_TYPE(obj)->tp_name);
        return -1;
    }
    /* the form that not-a-number fails too */
    if (!(seconds >= 1e-9 && seconds <= LONGEST_TIMEOUT / 1e9)) {
        PyErr_Format(PyExc_ValueError, "%s must be seconds above 0 or None, not %R", name, obj);
        return -1;
    }
    *timeout = (int64_t)llround(seconds * 1e9);
    return 0;
}

/* Two words that nobody who sends packets can know: 0, or -1 with an exception. */
static int read_seed(uint64_t seed[2])
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *bytes = os ? PyObject_CallMethod(os, "urandom", "i", 16) : NULL;

    if (bytes && PyBytes_Check(bytes) && PyBytes_GET_SIZE(bytes) == 16)
        memcpy(seed, PyBytes_AS_STRING(bytes), 16);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "os.urandom() gave no 16 bytes");
    Py_XDECREF(bytes);
    Py_XDECREF(os);
    return PyErr_Occurred() ? -1 : 0;
}

/* An empty table without timeouts; home is a FlowHome or None. */
static struct flow_table_object *table_make(PyTypeObject *type, PyObject *home)
{
    struct natkit_state *state = natkit_state_of(type);
    uint64_t seed[2] = {0, 0};

    if (!state || read_seed(seed) < 0)
        return NULL;
    if (home != Py_None && !PyObject_TypeCheck(home, state->home_type)) {
        PyErr_Format(PyExc_TypeError, "home must be a FlowHome or None, not %.100s",
                     Py_TYPE(home)->tp_name);
        return NULL;
    }
    struct flow_table_object *self = (struct flow_table_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->state = state;
    flow_table_init(&self->table, seed);
    if (home != Py_None) {
        self->home = Py_NewRef(home);
        self->table.home = flowhome_networks(home);
    }
    return self;
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char home_word[] = "home", idle_word[] = "idle_timeout",
                active_word[] = "active_timeout", vlan_word[] = "vlan";
    static char *keywords[] = {home_word, idle_word, active_word, vlan_word, NULL};
    PyObject *home = Py_None, *idle_obj = Py_None, *active_obj = Py_None; /* borrowed from args */
    int64_t idle = FLOW_NEVER, active = FLOW_NEVER;
    int by_vlan = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOp:FlowTable", keywords, &home, &idle_obj,
                                     &active_obj, &by_vlan) ||
        read_timeout("idle_timeout", idle_obj, &idle) < 0 ||
        read_timeout("active_timeout", active_obj, &active) < 0)
        return NULL;
    struct flow_table_object *self = table_make(type, home);
    if (!self)
        return NULL;
    self->table.by_vlan = by_vlan != 0;
    flow_wheel_init(&self->table, idle, active);
    return (PyObject *)self;
}

static PyObject *table_to_be_merged(PyObject *type_, PyObject *args, PyObject *kwargs)
{
    PyObject *self = table_new((PyTypeObject *)type_, args, kwargs);

    if (!self)
        return NULL;
    table_of(self)->table.logs.most = MOST_LOG_BLOCKS_TO_MERGE;
    table_of(self)->one_thread = true;
    return self;
}

static PyObject *table_merged(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct flow_table_object *self = table_of(self_);

    if (flow_table_check(self) < 0)
        return NULL;
    flow_logs_trim(&self->table);
    self->one_thread = false;
    Py_RETURN_NONE;
}

static void table_dealloc(PyObject *self_)
{
    struct flow_table_object *self = table_of(self_);
    PyTypeObject *type = Py_TYPE(self_);

    if (!self->busy) /* else it was left half changed: see leave_behind() */
        flow_table_free(&self->table);
    Py_XDECREF(self->home);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *table_from_bytes(PyObject *type_, PyObject *args)
{
    PyObject *bytes = NULL, *home = Py_None; /* borrowed from args */
    Py_buffer buffer;

    if (!PyArg_ParseTuple(args, "O|O:_from_bytes", &bytes, &home))
        return NULL;
    struct flow_table_object *self = table_make((PyTypeObject *)type_, home);
    if (!self || PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0) {
        Py_XDECREF((PyObject *)self);
        return NULL;
    }
    int status = flow_table_from_bytes(&self->table, buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    if (status < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *table_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct flow_table *table = flow_table_settled(self_);
    PyObject *home = table_of(self_)->home;
    if (!table)
        return NULL;
    table_of(self_)->busy = true;
    PyObject *bytes = flow_table_to_bytes(table);
    table_of(self_)->busy = false;
    PyObject *from_bytes =
        bytes ? natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes") : NULL;
    if (from_bytes)
        return Py_BuildValue("N(NO)", from_bytes, bytes, home ? home : Py_None);
    Py_XDECREF(bytes);
    return NULL;
}

/* --- Looking into it -------------------------------------------------------------------------- */

static Py_ssize_t table_length(PyObject *self_)
{
    const struct flow_table *table = flow_table_complete(self_);

    return table ? (Py_ssize_t)table->index.count : -1;
}

/* The flow of a key, an IPflow or a Flow, of either direction: 1 and *ref set where there is one,
 * 0 where not, -1 with an exception. */
static int find(struct flow_table_object *self, PyObject *obj, flow_ref *ref)
{
    struct natkit_key key = {.bytes = {0}};
    uint16_t vlan = 0;
    struct flow_table *table = flow_table_complete((PyObject *)self);
    if (!table)
        return -1;
    if (table->by_vlan && PyTuple_Check(obj) && PyTuple_GET_SIZE(obj) == 2) {
        long number = PyLong_AsLong(PyTuple_GET_ITEM(obj, 1));
        if (number == -1 && PyErr_Occurred())
            return -1;
        if (number < 0 || number > 0xfff)
            return 0;
        vlan = (uint16_t)number;
        obj = PyTuple_GET_ITEM(obj, 0);
    }
    if (PyObject_TypeCheck(obj, self->state->ipflow_type)) {
        if (!ipflow_key(obj))
            return -1;
        key = *ipflow_key(obj);
    } else if (Py_IS_TYPE(obj, self->state->record_type)) {
        const struct flow_copy *copy = flow_object_copy(obj);
        vlan = copy->record.flow.vlan;
        struct flow_key words = flow_key_of(&copy->record.flow, copy->v6);
        key = flow_key_to(&words, copy->v6, 0);
    } else {
        Py_buffer buffer;
        if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError, "flows are looked up by a key or an IPflow, not %.100s",
                         Py_TYPE(obj)->tp_name);
            return -1;
        }
        const uint8_t *bytes = buffer.buf;
        bool is_key = (buffer.len == KEY_SIZE_4 && bytes[KEY_VERSION] == 4) ||
                      (buffer.len == KEY_SIZE_6 && bytes[KEY_VERSION] == 6);
        if (is_key)
            memcpy(key.bytes, bytes, (size_t)buffer.len);
        PyBuffer_Release(&buffer);
        if (!is_key)
            return 0;
    }
    struct flow_key words;
    bool v6 = key.bytes[KEY_VERSION] == 6;
    flow_key_from(&key, &words);
    if (table->by_vlan)
        flow_words_set_vlan(words.words, v6, vlan);
    *ref = flow_index_find(table, &words, flow_hash(table->index.seed, &words, v6), v6);
    return *ref != 0;
}

static int table_contains(PyObject *self_, PyObject *obj)
{
    flow_ref ref = 0;

    return find(table_of(self_), obj, &ref);
}

static PyObject *table_subscript(PyObject *self_, PyObject *obj)
{
    struct flow_table_object *self = table_of(self_);
    flow_ref ref = 0;
    int found = find(self, obj, &ref);

    if (found == 0)
        PyErr_SetObject(PyExc_KeyError, obj);
    if (found <= 0)
        return NULL;
    struct flow_copy copy = flow_table_copy(&self->table, ref);
    return flow_object_new(self->state, &copy);
}

static PyObject *table_schema(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    return flow_columns_schema();
}

static PyObject *table_repr(PyObject *self_)
{
    const struct flow_table *table = &table_of(self_)->table;

    return PyUnicode_FromFormat("<natkit.FlowTable: %llu flows, %llu packets>",
                                (unsigned long long)table->index.count,
                                (unsigned long long)table->packets);
}

/* --- Attributes ------------------------------------------------------------------------------- */

static PyObject *home_get(PyObject *self_, void *Py_UNUSED(closure))
{
    PyObject *home = table_of(self_)->home;

    return Py_NewRef(home ? home : Py_None);
}

static PyObject *timeout_object(int64_t timeout)
{
    if (timeout == FLOW_NEVER)
        Py_RETURN_NONE;
    return PyFloat_FromDouble((double)timeout / 1e9);
}

static PyObject *idle_timeout_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return timeout_object(table_of(self_)->table.idle);
}

static PyObject *active_timeout_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return timeout_object(table_of(self_)->table.active);
}

static PyObject *time_ns_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flow_table *table = &table_of(self_)->table;

    if (table->clock == FLOW_NO_TIME)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(table->clock);
}

static PyObject *vlan_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(table_of(self_)->table.by_vlan);
}

static PyObject *packets_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(table_of(self_)->table.packets);
}

static PyObject *not_ip_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(table_of(self_)->table.not_ip);
}

static PyObject *too_short_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(table_of(self_)->table.too_short);
}

static PyObject *table_sizeof(PyObject *self_, PyObject *Py_UNUSED(ignored))
{
    struct flow_table_object *self = table_of(self_);

    if (flow_table_check(self) < 0)
        return NULL;
    return PyLong_FromSize_t((size_t)Py_TYPE(self_)->tp_basicsize + flow_table_size(&self->table));
}

static PyGetSetDef table_getset[] = {
    {.name = "home",
     .get = home_get,
     .doc = "The FlowHome that gives flows their direction, or None."},
    {.name = "idle_timeout",
     .get = idle_timeout_get,
     .doc = "Seconds, or None for no such timeout."},
    {.name = "active_timeout",
     .get = active_timeout_get,
     .doc = "Seconds, or None for no such timeout."},
    {.name = "vlan",
     .get = vlan_get,
     .doc = "Whether flows on several VLANs are kept apart: see FlowTable."},
    {.name = "time_ns",
     .get = time_ns_get,
     .doc = "The latest arrival time of a packet: nanoseconds since the epoch.\n\nThe timeouts go "
            "by it. None before the first packet with a time that 64 bits hold."},
    {.name = "packets", .get = packets_get, .doc = "Packets that were read, all of them."},
    {.name = "not_ip", .get = not_ip_get, .doc = "Those of them that were not IP, in no flow."},
    {.name = "too_short",
     .get = too_short_get,
     .doc = "Those of them that were cut before the end of their addresses, in no flow."},
    {.name = NULL}};

/* --- The type --------------------------------------------------------------------------------- */

static PyMethodDef table_methods[] = {
    METHOD("add", flow_table_add, METH_O, flow_table_add_doc),
    METHOD("add_trace", flow_table_add_trace, METH_VARARGS | METH_KEYWORDS,
           flow_table_add_trace_doc),
    METHOD("expired", flow_table_expired, METH_NOARGS,
           "expired($self, /)\n--\n\n"
           "The flows that ended since the last call, taken out of the table: a Flows.\n\n"
           "They are in the order of their first packets."),
    METHOD("flush", flow_table_flush_all, METH_NOARGS,
           "flush($self, /)\n--\n\n"
           "End all flows, as at the end of a measurement: expired() gives them.\n\n"
           "Their end_reason is 4, that of TCP connections that were closed 3."),
    METHOD("top", flow_table_top, METH_VARARGS | METH_KEYWORDS, flow_table_top_doc),
    METHOD("merge", flow_table_merge_with, METH_VARARGS | METH_KEYWORDS, flow_table_merge_doc),
    METHOD("columns", flow_table_columns, METH_VARARGS | METH_KEYWORDS, flow_columns_doc),
    METHOD("__arrow_c_stream__", flow_table_stream, METH_VARARGS | METH_KEYWORDS, flow_stream_doc),
    METHOD("__arrow_c_schema__", table_schema, METH_NOARGS, flow_schema_doc),
    METHOD("_to_be_merged", table_to_be_merged, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
           "_to_be_merged($type, home=None, idle_timeout=None, active_timeout=None, "
           "vlan=False)\n--\n\n"
           "A table that keeps more of what merge() needs, up to 32 MB, and reads with one thread, "
           "beside\nthose that read for other tables."),
    METHOD("_merged", table_merged, METH_NOARGS,
           "_merged($self, /)\n--\n\n"
           "Make a table of _to_be_merged() like any other: what it keeps for merge() alone goes."),
    METHOD("_from_bytes", table_from_bytes, METH_VARARGS | METH_CLASS,
           "_from_bytes($type, state, home=None, /)\n--\n\n"
           "The table that was pickled; ValueError for bytes that are none."),
    METHOD("__reduce__", table_reduce, METH_NOARGS,
           "__reduce__($self, /)\n--\n\nHow pickle and copy make the same table again."),
    METHOD("__sizeof__", table_sizeof, METH_NOARGS,
           "__sizeof__($self, /)\n--\n\n"
           "The memory that the table takes, flows and all, in bytes: for sys.getsizeof()."),
    {.ml_name = NULL}};

PyDoc_STRVAR(
    table_doc,
    "FlowTable(home=None, idle_timeout=None, active_timeout=None, vlan=False)\n--\n\n"
    "The flows of packets: a row for each five-tuple, both directions in one.\n\n"
    "Forward is the direction of a flow's first packet (RFC 2722 section 2.1); with a FlowHome as "
    "home it is\nthat of the packet's home_key, into the home network. A flow that had no packet "
    "for longer than\nidle_timeout seconds, or goes on for longer than active_timeout, ends, and "
    "so does a TCP connection\nat the SYN of another one with its ports: such flows go to "
    "expired(), and the next packet begins a\nnew one. Time is that of the packets: the latest so "
    "far, but where one is more than a minute behind,\nwhose time counts then. Later fragments "
    "count in the flow of their packet's first fragment,\nwhere that was among the last 8192 and "
    "is not older than 60 seconds, or comes up to 60 seconds after\nthem, or a shorter timeout: "
    "4096 may wait, until the flows are looked at. Else they count in a flow\nwithout ports. With "
    "vlan=True the same five-tuple is another flow on each VLAN: that of the outermost\n802.1Q or "
    "802.1ad tag, 0 without one and for a priority tag.\n\nIterating gives a Flow for each that "
    "goes on, "
    "in the order of their first packets. table[key] is the\nflow of a fwd_key of either "
    "direction, an IPflow or a Flow, KeyError where there is none; with\nvlan=True that without a "
    "VLAN, and table[key, vlan_id] that of one. Tables can be pickled.\n"
    "ValueError for a timeout that is not above 0, TypeError for another type.\nRuntimeError for "
    "a table that another thread works on.");

static PyType_Slot table_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)table_doc},
    {.slot = Py_tp_new, .pfunc = table_new},
    {.slot = Py_tp_dealloc, .pfunc = table_dealloc},
    {.slot = Py_tp_getset, .pfunc = table_getset},
    {.slot = Py_tp_methods, .pfunc = table_methods},
    {.slot = Py_tp_repr, .pfunc = table_repr},
    {.slot = Py_tp_iter, .pfunc = flow_table_iter},
    {.slot = Py_sq_contains, .pfunc = table_contains},
    {.slot = Py_mp_length, .pfunc = table_length},
    {.slot = Py_mp_subscript, .pfunc = table_subscript},
    {.slot = 0},
};

PyType_Spec natkit_table_spec = {
    .name = "natkit.FlowTable",
    .basicsize = sizeof(struct flow_table_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};
