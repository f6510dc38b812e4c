/* The type FlowTable: how it is made, pickled and ended, and its attributes. */
#include "type.h"

#include "columns.h"
#include "flows.h"
#include "lookup.h"
#include "merge.h"
#include "object.h"
#include "pickle.h"
#include "read.h"
#include "views.h"

#include "common/decap.h"
#include "common/method.h"
#include "common/room.h"
#include "natkit/ipflow/flowhome.h"

#include <math.h>
#include <string.h>

/* --- Making one ------------------------------------------------------------------------------ */

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
    /* written so that not-a-number fails too */
    if (!(seconds >= 1e-9 && seconds <= LONGEST_TIMEOUT / 1e9)) {
        PyErr_Format(PyExc_ValueError, "%s must be seconds above 0 and up to %lld, or None, not %R",
                     name, (long long)(LONGEST_TIMEOUT / 1000000000), obj);
        return -1;
    }
    *timeout = (int64_t)llround(seconds * 1e9);
    return 0;
}

/* How many first packets are kept, none where it is not said: 0, or -1 with an exception. */
static int read_first(PyObject *obj, uint16_t *first)
{
    *first = 0;
    if (!obj)
        return 0;
    Py_ssize_t count = PyNumber_AsSsize_t(obj, NULL);
    if (count == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "first must be a number of packets, not %.100s",
                         Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (count < 0 || count > MOST_EARLY) {
        PyErr_Format(PyExc_ValueError, "first must be from 0 to %d packets, not %R", MOST_EARLY,
                     obj);
        return -1;
    }
    *first = (uint16_t)count;
    return 0;
}

/* Two words that senders of packets do not know: 0, or -1 with an exception. */
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

static bool home_contains(const void *home, bool v6, const uint8_t *address)
{
    return natkit_at_home(home, v6 ? 6 : 4, address);
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
        self->table.home =
            (struct flow_home){.contains = home_contains, .context = flowhome_networks(home)};
    }
    return self;
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char home_word[] = "home", idle_word[] = "idle_timeout",
                active_word[] = "active_timeout", vlan_word[] = "vlan", tcp_word[] = "tcp",
                decap_word[] = "decap", first_word[] = "first", statistics_word[] = "statistics";
    static char *keywords[] = {home_word,  idle_word,  active_word,     vlan_word, tcp_word,
                               decap_word, first_word, statistics_word, NULL};
    PyObject *home = Py_None, *idle_obj = Py_None, *active_obj = Py_None; /* borrowed from args */
    int64_t idle = FLOW_NEVER, active = FLOW_NEVER;
    PyObject *decap_obj = Py_False;
    PyObject *first_obj = NULL;
    int by_vlan = 0, tcp = 0, statistics = 0;
    uint16_t first = 0;
    bool decap = false;
    struct tunnel_ports ports = {.count = 0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOppOOp:FlowTable", keywords, &home,
                                     &idle_obj, &active_obj, &by_vlan, &tcp, &decap_obj, &first_obj,
                                     &statistics) ||
        read_first(first_obj, &first) < 0 || decap_read(decap_obj, &decap, &ports) < 0 ||
        read_timeout("idle_timeout", idle_obj, &idle) < 0 ||
        read_timeout("active_timeout", active_obj, &active) < 0)
        return NULL;
    struct flow_table_object *self = table_make(type, home);
    if (!self)
        return NULL;
    self->table.input.by_vlan = by_vlan != 0;
    if (tcp)
        flow_table_track_tcp(&self->table);
    if (decap)
        flow_table_decap(&self->table, &ports);
    if (statistics)
        flow_table_count_statistics(&self->table);
    if (first > 0)
        flow_table_keep_early(&self->table, first);
    flow_table_set_timeouts(&self->table, (struct flow_timeouts){idle, active});
    return (PyObject *)self;
}

static PyObject *table_to_be_merged(PyObject *type_, PyObject *args, PyObject *kwargs)
{
    PyObject *self = table_new((PyTypeObject *)type_, args, kwargs);
    if (!self)
        return NULL;
    flow_set_grow_logs(&table_object(self)->table.set);
    table_object(self)->one_thread = true;
    return self;
}

static PyObject *table_merged(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct flow_table_object *self = table_object(self_);
    if (table_object_check(self) < 0)
        return NULL;
    flow_set_trim_logs(&self->table.set);
    self->one_thread = false;
    Py_RETURN_NONE;
}

static int table_traverse(PyObject *self_, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(table_object(self_)->home);
    return 0;
}

static int table_clear(PyObject *self_)
{
    struct flow_table_object *self = table_object(self_);
    self->table.home = (struct flow_home){.contains = NULL}; /* it asks networks of the object */
    Py_CLEAR(self->home);
    return 0;
}

static void table_dealloc(PyObject *self_)
{
    struct flow_table_object *self = table_object(self_);
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    if (!self->busy) /* else it may be half changed: see read.c */
        flow_table_clear(&self->table);
    flow_places_clear(&self->places);
    Py_XDECREF(self->home);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *table_from_bytes(PyObject *type_, PyObject *args)
{
    PyObject *bytes = NULL, *home = Py_None; /* borrowed from args */

    if (!PyArg_ParseTuple(args, "O|O:_from_bytes", &bytes, &home))
        return NULL;
    struct flow_table_object *self = table_make((PyTypeObject *)type_, home);
    if (self && unpickle_table(&self->table, bytes) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *table_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct flow_table *table = table_object_settled(self_);
    PyObject *home = table_object(self_)->home;
    if (!table)
        return NULL;
    table_object(self_)->busy = true;
    PyObject *bytes = pickle_table(table);
    table_object(self_)->busy = false;
    PyObject *from_bytes =
        bytes ? natkit_attribute((PyObject *)Py_TYPE(self_), "_from_bytes") : NULL;
    if (from_bytes)
        return Py_BuildValue("N(NO)", from_bytes, bytes, home ? home : Py_None);
    Py_XDECREF(bytes);
    return NULL;
}

/* --- Ending flows ---------------------------------------------------------------------------- */

static PyObject *table_expired(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return table_object_settled(self_) ? flows_take(table_object(self_)) : NULL;
}

static PyObject *table_flush(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct flow_table *table = table_object_complete(self_);
    if (!table)
        return NULL;
    flow_table_flush(table);
    Py_RETURN_NONE;
}

/* --- Looking into it ------------------------------------------------------------------------- */

static Py_ssize_t table_length(PyObject *self_)
{
    const struct flow_table *table = table_object_complete(self_);
    return table ? (Py_ssize_t)table->set.index.count : -1;
}

static PyObject *table_schema(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return flow_columns_schema(table_extras(table_object(self_)));
}

static PyObject *table_repr(PyObject *self_)
{
    const struct flow_table *table = &table_object(self_)->table;
    return PyUnicode_FromFormat("<natkit.FlowTable: %llu flows, %llu packets>",
                                (unsigned long long)table->set.index.count,
                                (unsigned long long)input_count_of(&table->input.packets));
}

/* --- Attributes ------------------------------------------------------------------------------ */

static PyObject *home_get(PyObject *self_, void *Py_UNUSED(closure))
{
    PyObject *home = table_object(self_)->home;
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
    return timeout_object(table_object(self_)->table.wheel.timeouts.idle);
}

static PyObject *active_timeout_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return timeout_object(table_object(self_)->table.wheel.timeouts.active);
}

static PyObject *time_ns_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flow_table *table = &table_object(self_)->table;
    if (table->input.clock.now == FLOW_NO_TIME)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(table->input.clock.now);
}

static PyObject *vlan_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(table_object(self_)->table.input.by_vlan);
}

static PyObject *decap_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flow_input *input = &table_object(self_)->table.input;
    return decap_object(input->decap, &input->ports);
}

static PyObject *tcp_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(table_object(self_)->table.set.tracks_tcp);
}

static PyObject *first_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(table_object(self_)->table.set.pool.early);
}

static PyObject *statistics_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(table_object(self_)->table.set.pool.has_statistics);
}

static PyObject *packets_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(input_count_of(&table_object(self_)->table.input.packets));
}

static PyObject *not_ip_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(input_count_of(&table_object(self_)->table.input.not_ip));
}

static PyObject *too_short_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(input_count_of(&table_object(self_)->table.input.too_short));
}

static PyObject *table_sizeof(PyObject *self_, PyObject *Py_UNUSED(ignored))
{
    struct flow_table_object *self = table_object(self_);
    if (table_object_check(self) < 0)
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
    {.name = "decap",
     .get = decap_get,
     .doc = "Whether flows are those in tunnels, a bool or a dict of ports: see FlowTable."},
    {.name = "tcp",
     .get = tcp_get,
     .doc = "Whether the quality of TCP connections is counted: see FlowTable."},
    {.name = "first",
     .get = first_get,
     .doc = "How many first packets of each flow are kept, 0 for none: see FlowTable."},
    {.name = "statistics",
     .get = statistics_get,
     .doc = "Whether the sizes, gaps and TCP flags of packets are counted: see FlowTable."},
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

/* --- The type -------------------------------------------------------------------------------- */

static PyObject *table_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("natkit._show", "table_html", self_);
}

static PyMethodDef table_methods[] = {
    METHOD("add", table_add, METH_O, table_add_doc),
    METHOD("add_trace", table_add_trace, METH_VARARGS | METH_KEYWORDS, table_add_trace_doc),
    METHOD("expired", table_expired, METH_NOARGS,
           "expired($self, /)\n--\n\n"
           "The flows that ended since the last call, taken out of the table: a Flows.\n\n"
           "They are in the order of their first packets."),
    METHOD("flush", table_flush, METH_NOARGS,
           "flush($self, /)\n--\n\n"
           "End all flows, as at the end of a measurement: expired() gives them.\n\n"
           "Their end_reason is 4, that of TCP connections that were closed 3."),
    METHOD("top", table_top, METH_VARARGS | METH_KEYWORDS, table_top_doc),
    METHOD("merge", table_merge, METH_VARARGS | METH_KEYWORDS, table_merge_doc),
    METHOD("_all_columns", table_all_columns, METH_VARARGS | METH_KEYWORDS,
           "_all_columns($self, fields=None, *, addresses='auto')\n--\n\n"
           "columns() of all flows, with those that ended and were not taken by expired()."),
    METHOD("columns", table_columns, METH_VARARGS | METH_KEYWORDS, flow_columns_doc),
    METHOD("__arrow_c_stream__", table_stream, METH_VARARGS | METH_KEYWORDS, flow_stream_doc),
    METHOD("__arrow_c_schema__", table_schema, METH_NOARGS, flow_schema_doc),
    METHOD("__array__", flow_array, METH_VARARGS | METH_KEYWORDS, flow_array_doc),
    METHOD("_repr_html_", table_html, METH_NOARGS,
           "_repr_html_($self, /)\n--\n\nThe table's largest flows, for notebooks."),
    METHOD("_to_be_merged", table_to_be_merged, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
           "_to_be_merged($type, home=None, idle_timeout=None, active_timeout=None, "
           "vlan=False, tcp=False, decap=False, first=0, statistics=False)\n--\n\n"
           "A table that keeps up to 32 MB more of what merge() needs, and reads with one thread:\n"
           "others read for other tables."),
    METHOD("_merged", table_merged, METH_NOARGS,
           "_merged($self, /)\n--\n\n"
           "Make a table of _to_be_merged() like any other: drop what it keeps only for merge()."),
    METHOD("_from_bytes", table_from_bytes, METH_VARARGS | METH_CLASS,
           "_from_bytes($type, state, home=None, /)\n--\n\n"
           "The table that was pickled; ValueError for bytes that are no table."),
    METHOD("__reduce__", table_reduce, METH_NOARGS,
           "__reduce__($self, /)\n--\n\nHow pickle and copy make the same table again."),
    METHOD("__sizeof__", table_sizeof, METH_NOARGS,
           "__sizeof__($self, /)\n--\n\n"
           "The memory that the table takes, flows and all, in bytes: for sys.getsizeof()."),
    {.ml_name = NULL}};

static const char table_doc[] =
    "FlowTable(home=None, idle_timeout=None, active_timeout=None, vlan=False, tcp=False, "
    "decap=False, first=0, statistics=False)\n--\n\n"
    "The flows of packets: a row for each five-tuple, both directions in one.\n\n"
    "Forward is the direction of a flow's first packet (RFC 2722 section 2.1). With a\n"
    "FlowHome as home it is that of the packet's home_key, into the home network.\n\n"
    "A flow ends when it has had no packet for longer than idle_timeout seconds, or has gone\n"
    "on for longer than active_timeout; a TCP connection also ends at the SYN of another one\n"
    "with its ports. expired() gives the flows that ended; the next packet begins a new one.\n"
    "Time is that of the packets: the latest so far. It goes back to the time of a packet\n"
    "that is more than a minute earlier.\n\n"
    "Later fragments count in the flow of their packet's first fragment, if that was among\n"
    "the last 8192 first fragments and at most 60 seconds before. Up to 4096 that come before\n"
    "their first one wait for it: 60 seconds or a shorter timeout, but no longer than until\n"
    "the flows are looked at. All others count in a flow without ports.\n\n"
    "With vlan=True the same five-tuple is another flow on each VLAN: that of the outermost\n"
    "802.1Q or 802.1ad tag, 0 without a tag and for a priority tag.\n\n"
    "With decap=True the flows are those of the innermost packets, in whatever tunnels they\n"
    "are, and all that is counted is of those. The same five-tuple is another flow in each kind\n"
    "of tunnel, and with another id where the id is the same in both directions: those of\n"
    "VXLAN, Geneve, GRE, ERSPAN, LISP and PPPoE, not GTP-U's and L2TP's. A dict of kinds adds\n"
    "UDP ports: decap={'vxlan': [4790, 8473]}. table[key] is then the flow outside tunnels;\n"
    "one in a tunnel is found by a Flow.\n\n"
    "With tcp=True flows of TCP also have the quality of their connection: round trips,\n"
    "segments sent again, duplicate ACKs, windows and more, about 1000 bytes for each. In other\n"
    "tables those attributes of Flow are None, and there are no such columns.\n\n"
    "With first=20 flows have the direction, size and gap of their first 20 packets, up to\n"
    "1024, about 16 bytes for each. With statistics=True they have the least, greatest, mean\n"
    "and standard deviation of sizes and gaps, and the number of packets with each TCP flag,\n"
    "about 320 bytes. As with tcp=True, other tables have no such columns. Packets count in the\n"
    "order in which the table gets them; a later fragment that waits for its first one, when\n"
    "that has come.\n\n"
    "Iterating gives a Flow for each that goes on, in the order of their first packets.\n"
    "table[key] is the flow of a fwd_key of either direction, of an IPflow or of a Flow;\n"
    "KeyError if there is none. With vlan=True that is the flow without a VLAN; the one on a\n"
    "VLAN is table[key, vlan_id]. Tables can be pickled.\n\n"
    "ValueError for a timeout that is not above 0, TypeError for another type. RuntimeError\n"
    "for a table that another thread works on.";

static PyType_Slot table_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)table_doc},
    {.slot = Py_tp_new, .pfunc = table_new},
    {.slot = Py_tp_dealloc, .pfunc = table_dealloc},
    {.slot = Py_tp_traverse, .pfunc = table_traverse},
    {.slot = Py_tp_clear, .pfunc = table_clear},
    {.slot = Py_tp_getset, .pfunc = table_getset},
    {.slot = Py_tp_methods, .pfunc = table_methods},
    {.slot = Py_tp_repr, .pfunc = table_repr},
    {.slot = Py_tp_iter, .pfunc = table_iter},
    {.slot = Py_sq_contains, .pfunc = table_contains},
    {.slot = Py_mp_length, .pfunc = table_length},
    {.slot = Py_mp_subscript, .pfunc = table_subscript},
    {.slot = 0},
};

PyType_Spec flow_table_spec = {
    .name = "natkit.FlowTable",
    .basicsize = sizeof(struct flow_table_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = table_slots,
};
