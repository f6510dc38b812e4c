/* The type FlowHome: the home networks, and flows as seen from them. */
#include "natkit/natkit.h"
#include "common/subclass.h"

#include <stdlib.h>
#include <string.h>

/* --- The test -------------------------------------------------------------------------------- */

static bool is_within(const uint8_t *addr, const struct home_prefix *prefix)
{
    size_t whole = prefix->length / 8U;
    uint8_t rest = (uint8_t)(0xff00U >> prefix->length % 8U);

    return memcmp(addr, prefix->addr, whole) == 0 &&
           (rest == 0 || (addr[whole] & rest) == prefix->addr[whole]);
}

/* As no prefix is within another, the last one that begins at or before addr is the only one that
 * may hold it. */
bool natkit_at_home(const struct natkit_home *home, int version, const uint8_t *addr)
{
    const struct home_networks *networks = version == 4 ? &home->ip4 : &home->ip6;
    size_t size = version == 4 ? 4 : 16;
    size_t from = 0, to = networks->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(networks->prefixes[middle].addr, addr, size) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && is_within(addr, &networks->prefixes[from - 1]);
}

/* --- Making one ------------------------------------------------------------------------------ */

/* By address, then the shorter, which may hold the longer, first. */
static int compare_prefixes(const void *one_, const void *other_)
{
    const struct home_prefix *one = one_;
    const struct home_prefix *other = other_;
    int order = memcmp(one->addr, other->addr, sizeof(one->addr));

    return order != 0 ? order : one->length - other->length;
}

static void sort_networks(struct home_networks *networks)
{
    struct home_prefix *prefixes = networks->prefixes;
    size_t kept = 0;

    if (networks->count == 0)
        return;
    qsort(prefixes, networks->count, sizeof(*prefixes), compare_prefixes);
    for (size_t i = 1; i < networks->count; i++)
        if (!is_within(prefixes[i].addr, &prefixes[kept]))
            prefixes[++kept] = prefixes[i];
    networks->count = kept + 1;
}

static void clear_host_bits(struct home_prefix *prefix)
{
    size_t whole = prefix->length / 8U;

    if (whole == sizeof(prefix->addr))
        return;
    prefix->addr[whole] &= (uint8_t)(0xff00U >> prefix->length % 8U);
    memset(prefix->addr + whole + 1, 0, sizeof(prefix->addr) - whole - 1);
}

/* Adds the prefix in argument i, there being room: 0, or -1 with an exception. */
static int add_prefix(struct natkit_home *self, PyObject *args, Py_ssize_t i)
{
    const struct ipp_api *api = self->state->ipp_api;
    PyObject *obj = PyTuple_GET_ITEM(args, i);
    struct ipp_value value;

    if (!api->prefix_type || !PyObject_TypeCheck(obj, api->prefix_type)) {
        PyErr_Format(PyExc_TypeError, "FlowHome(): argument %zd must be an IPprefix, not %.100s",
                     i + 1, Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (api->prefix_value(api, obj, &value) < 0)
        return -1;
    if (value.length == IPP_NO_LENGTH) {
        PyErr_Format(PyExc_ValueError, "FlowHome(): argument %zd has no length: %S", i + 1, obj);
        return -1;
    }
    struct home_networks *networks = value.version == 4 ? &self->ip4 : &self->ip6;
    struct home_prefix *prefix = &networks->prefixes[networks->count++];
    memcpy(prefix->addr, value.addr, sizeof(prefix->addr));
    prefix->length = (uint8_t)value.length;
    clear_host_bits(prefix);
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
    struct natkit_home *self = (struct natkit_home *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->state = state;
    self->ip4.prefixes = PyMem_Calloc((size_t)count, sizeof(struct home_prefix));
    self->ip6.prefixes = PyMem_Calloc((size_t)count, sizeof(struct home_prefix));
    if (!self->ip4.prefixes || !self->ip6.prefixes) {
        PyErr_NoMemory();
        goto error;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_prefix(self, args, i) < 0)
            goto error;
    sort_networks(&self->ip4);
    sort_networks(&self->ip6);
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

static void home_dealloc(PyObject *self_)
{
    struct natkit_home *self = (struct natkit_home *)self_;
    PyTypeObject *type = Py_TYPE(self_);

    PyMem_Free(self->ip4.prefixes);
    PyMem_Free(self->ip6.prefixes);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Methods and attributes ------------------------------------------------------------------ */

PyDoc_STRVAR(home_flow_doc,
             "flow($self, obj, /)\n--\n\n"
             "The IPflow of a packet or layer object, with home_key and what is at home set.\n\n"
             "False of a packet that is not IP, and exceptions are as of IPflow().");

static PyObject *home_flow(PyObject *self_, PyObject *obj)
{
    const struct natkit_home *self = (struct natkit_home *)self_;
    struct natkit_key key;
    uint16_t ethertype = 0;

    if (natkit_key_of_object(self->state, obj, &key, &ethertype) < 0)
        return NULL;
    int version = key.bytes[KEY_VERSION];
    if (version == 0)
        return natkit_flow_not_ip(self->state, ethertype);
    return natkit_flow_new(self->state, &key, natkit_at_home(self, version, natkit_key_src(&key)),
                           natkit_at_home(self, version, natkit_key_dst(&key)));
}

/* Sets items of a new tuple, from `at` on, to networks: 0, or -1 with an exception. */
static int list_networks(const struct natkit_home *self, int version, PyObject *tuple, size_t at)
{
    const struct ipp_api *api = self->state->ipp_api;
    const struct home_networks *networks = version == 4 ? &self->ip4 : &self->ip6;

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
    const struct natkit_home *self = (struct natkit_home *)self_;
    PyObject *tuple = PyTuple_New((Py_ssize_t)(self->ip4.count + self->ip6.count));

    if (tuple && (list_networks(self, 4, tuple, 0) < 0 ||
                  list_networks(self, 6, tuple, self->ip4.count) < 0))
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
            "Their host bits are zero, and those within another are left out."},
    {.name = NULL}};

static PyMethodDef home_methods[] = {
    {.ml_name = "flow", .ml_meth = home_flow, .ml_flags = METH_O, .ml_doc = home_flow_doc},
    {.ml_name = "__reduce__",
     .ml_meth = home_reduce,
     .ml_flags = METH_NOARGS,
     .ml_doc = "__reduce__($self, /)\n--\n\nHow pickle and copy make the same FlowHome again."},
    {.ml_name = NULL}};

PyDoc_STRVAR(home_doc,
             "FlowHome(*prefixes)\n--\n\n"
             "Home networks, for flows with the direction into or out of them.\n\n"
             "prefixes are IPprefixes with lengths, of either version, as many as there are "
             "networks; bits\nafter the length are ignored. ValueError for one without a length, "
             "TypeError for anything else\nand for none.");

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

PyType_Spec natkit_home_spec = {
    .name = "natkit.FlowHome",
    .basicsize = sizeof(struct natkit_home),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = home_slots,
};
