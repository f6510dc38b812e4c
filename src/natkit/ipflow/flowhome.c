/* The type FlowHome: home networks, and the IPflows of packets with what of them is at home. */
#include "flowhome.h"

#include "common/method.h"
#include "common/subclass.h"
#include "ipflow.h"
#include "packetkey.h"

struct flowhome {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct natkit_home networks;
};

const struct natkit_home *flowhome_networks(PyObject *self_)
{
    return &((const struct flowhome *)self_)->networks;
}

/* --- Making one ------------------------------------------------------------------------------ */

/* Add the prefix that is argument i: 0, or -1 with an exception. */
static int add_prefix(struct flowhome *self, PyObject *args, Py_ssize_t i)
{
    const struct ipp_api *api = self->state->ipp_api;
    PyObject *obj = PyTuple_GET_ITEM(args, i);
    struct ipp_value value;
    if (api->prefix_from(api, obj, &value) < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError,
                         "FlowHome(): argument %zd must be an IPprefix, str or ipaddress object, "
                         "not %.100s",
                         i + 1, Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (value.length == IPP_NO_LENGTH) {
        PyErr_Format(PyExc_ValueError, "FlowHome(): argument %zd has no length: %S", i + 1, obj);
        return -1;
    }
    natkit_home_add(&self->networks, value.version, value.addr, (unsigned)value.length);
    return 0;
}

static PyObject *home_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct natkit_state *state = natkit_state_of(type);
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (!state)
        return NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "FlowHome() takes no keyword arguments");
        return NULL;
    }
    if (count == 0) {
        PyErr_SetString(PyExc_TypeError, "FlowHome() needs an IPprefix at least");
        return NULL;
    }
    struct flowhome *self = (struct flowhome *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->state = state;
    if (!natkit_home_init(&self->networks, (size_t)count)) {
        PyErr_NoMemory();
        goto error;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_prefix(self, args, i) < 0)
            goto error;
    natkit_home_sort(&self->networks);
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

static void home_dealloc(PyObject *self_)
{
    struct flowhome *self = (struct flowhome *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    natkit_home_free(&self->networks);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Methods and attributes ------------------------------------------------------------------ */

PyDoc_STRVAR(home_flow_doc,
             "flow($self, obj, /)\n--\n\n"
             "The IPflow of a packet or layer object, with src_in_home, dst_in_home and\n"
             "home_key.\n\n"
             "For a packet that is not IP, and for errors, as IPflow().");

static PyObject *home_flow(PyObject *self_, PyObject *obj)
{
    const struct flowhome *self = (struct flowhome *)self_;
    struct natkit_key key;
    struct key_notes notes;
    if (natkit_key_of_object(self->state->plt_api, obj, &key, &notes) < 0)
        return NULL;
    int version = key.bytes[KEY_VERSION];
    if (version == 0)
        return ipflow_not_ip(self->state, notes.ethertype);
    PyObject *flow = ipflow_new(self->state, &key,
                                natkit_at_home(&self->networks, version, natkit_key_src(&key)),
                                natkit_at_home(&self->networks, version, natkit_key_dst(&key)));
    if (flow)
        ((struct ipflow *)flow)->notes = notes;
    return flow;
}

/* Set the items of a new tuple, from `at` on, to networks: 0, or -1 with an exception. */
static int list_networks(const struct flowhome *self, int version, PyObject *tuple, size_t at)
{
    const struct ipp_api *api = self->state->ipp_api;
    const struct home_networks *networks = natkit_home_of(&self->networks, version);
    for (size_t i = 0; i < networks->count; i++) {
        const struct home_prefix *prefix = &networks->prefixes[i];
        PyObject *item = api->prefix_new(api, version, prefix->addr, prefix->length);
        if (!item)
            return -1;
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)(at + i), item);
    }
    return 0;
}

static PyObject *home_prefixes_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flowhome *self = (struct flowhome *)self_;
    PyObject *tuple =
        PyTuple_New((Py_ssize_t)(self->networks.ip4.count + self->networks.ip6.count));
    if (tuple && (list_networks(self, 4, tuple, 0) < 0 ||
                  list_networks(self, 6, tuple, self->networks.ip4.count) < 0))
        Py_CLEAR(tuple);
    return tuple;
}

static PyObject *home_repr(PyObject *self_)
{
    PyObject *prefixes = home_prefixes_get(self_, NULL);
    PyObject *result = NULL;
    if (!prefixes)
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(prefixes);
    if (count == 1)
        result = PyUnicode_FromFormat("<%s: %S>", Py_TYPE(self_)->tp_name,
                                      PyTuple_GET_ITEM(prefixes, 0));
    else if (count == 2)
        result = PyUnicode_FromFormat("<%s: %S, %S>", Py_TYPE(self_)->tp_name,
                                      PyTuple_GET_ITEM(prefixes, 0), PyTuple_GET_ITEM(prefixes, 1));
    else
        result = PyUnicode_FromFormat("<%s: %S, %S and %zd more>", Py_TYPE(self_)->tp_name,
                                      PyTuple_GET_ITEM(prefixes, 0), PyTuple_GET_ITEM(prefixes, 1),
                                      count - 2);
    Py_DECREF(prefixes);
    return result;
}

static PyObject *home_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    PyObject *prefixes = home_prefixes_get(self_, NULL);
    PyObject *added = prefixes ? natkit_added_state(self_) : NULL;
    PyObject *result = added ? PyTuple_Pack(3, (PyObject *)Py_TYPE(self_), prefixes, added) : NULL;
    Py_XDECREF(added);
    Py_XDECREF(prefixes);
    return result;
}

static PyGetSetDef home_getset[] = {
    {.name = "prefixes",
     .get = home_prefixes_get,
     .doc = "The home networks: a tuple of new IPprefixes, IPv4 first, each version sorted.\n\n"
            "Bits after the length are zero, and networks within another one are left out."},
    {.name = NULL}};

static PyMethodDef home_methods[] = {
    {.ml_name = "flow", .ml_meth = home_flow, .ml_flags = METH_O, .ml_doc = home_flow_doc},
    {.ml_name = "__reduce__",
     .ml_meth = home_reduce,
     .ml_flags = METH_NOARGS,
     .ml_doc = "__reduce__($self, /)\n--\n\n"
               "For pickle and copy."},
    {.ml_name = NULL}};

PyDoc_STRVAR(home_doc,
             "FlowHome(*prefixes)\n--\n\n"
             "Home networks: they give flows a direction, into or out of them.\n\n"
             "prefixes are one or more with lengths, of either version: IPprefixes, texts such as\n"
             "'192.0.2.0/24', objects of the module ipaddress. Bits after the length are ignored.\n"
             "ValueError for one without a length and for other texts, TypeError for anything\n"
             "else and for no prefix.");

static PyType_Slot home_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)home_doc},
    {.slot = Py_tp_new, .pfunc = home_new},
    {.slot = Py_tp_init, .pfunc = subclass_init},
    {.slot = Py_tp_dealloc, .pfunc = home_dealloc},
    {.slot = Py_tp_getset, .pfunc = home_getset},
    {.slot = Py_tp_methods, .pfunc = home_methods},
    {.slot = Py_tp_repr, .pfunc = home_repr},
    {.slot = 0},
};

PyType_Spec flowhome_spec = {
    .name = "natkit.FlowHome",
    .basicsize = sizeof(struct flowhome),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = home_slots,
};
