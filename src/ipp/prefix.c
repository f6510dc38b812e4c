/* The type IPprefix: an address of version 4 or 6 and, where it is set, a prefix length. */
#include "prefix.h"

#include "attributes.h"
#include "common/subclass.h"
#include "ipp.h"
#include "methods.h"
#include "object.h"
#include "read.h"
#include "text.h"

#include <string.h>

/* --- Making one ------------------------------------------------------------------------------ */

static int read_version(PyObject *obj, struct ipp_value *value)
{
    Py_ssize_t version = 0;
    if (PyIndex_Check(obj)) {
        version = PyNumber_AsSsize_t(obj, NULL);
        if (version == -1 && PyErr_Occurred())
            return -1;
    }
    if (version != 4 && version != 6) {
        PyErr_SetString(PyExc_ValueError, "version must be 4 or 6");
        return -1;
    }
    value->version = (uint8_t)version;
    return 0;
}

static int read_addr(PyObject *obj, struct ipp_value *value)
{
    Py_ssize_t room = ipp_bits(value->version) / 8;
    Py_buffer view;
    int status = -1;
    if (!PyObject_CheckBuffer(obj)) {
        PyErr_Format(PyExc_ValueError, "addr must be bytes-like, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(obj, &view, PyBUF_SIMPLE) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError))
            PyErr_SetString(PyExc_ValueError, "addr must be contiguous bytes");
        return -1;
    }
    if (view.len > room) {
        PyErr_Format(PyExc_AttributeError, "IPv%d addr must be at most %zd bytes, not %zd",
                     value->version, room, view.len);
    } else {
        if (view.len > 0) /* an empty buffer may be at NULL */
            memcpy(value->addr, view.buf, (size_t)view.len);
        status = 0;
    }
    PyBuffer_Release(&view);
    return status;
}

/* Read the one argument of IPprefix(x), where x is what stands for a prefix: 0, or -1. */
static int read_one(PyTypeObject *type, PyObject *obj, struct ipp_value *value)
{
    struct ipp_state *state = ipp_state_of(type);
    int found = state && !PyIndex_Check(obj) ? ipp_value_read(&state->api, obj, value) : 0;
    if (found == 0 && state)
        PyErr_SetString(PyExc_TypeError,
                        "IPprefix() takes a version and an addr, or one IPprefix, str or ipaddress "
                        "object");
    return found > 0 ? 0 : -1;
}

static PyObject *prefix_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char version_word[] = "version", addr_word[] = "addr", length_word[] = "length";
    static char *keywords[] = {version_word, addr_word, length_word, NULL};
    PyObject *version = NULL, *addr = NULL, *length = NULL; /* borrowed from args */
    struct ipp_value value = {.length = IPP_NO_LENGTH};
    struct prefix *self = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO:IPprefix", keywords, &version, &addr,
                                     &length))
        return NULL;
    if (!addr && !length) {
        if (read_one(type, version, &value) < 0)
            return NULL;
    } else if (!addr) {
        PyErr_SetString(PyExc_TypeError, "IPprefix() with a length takes a version and an addr");
        return NULL;
    } else {
        if (read_version(version, &value) < 0 || read_addr(addr, &value) < 0)
            return NULL;
        if (length && length != Py_None &&
            ipp_read_length(length, &value, 0, PyExc_AttributeError) < 0)
            return NULL;
    }
    self = (struct prefix *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->value = value;
    self->hash = -1;
    return (PyObject *)self;
}

static void prefix_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    struct ipp_state *state = state_of_exact(type, &ipp_module);
    if (!state || state->api.prefix_type != type || !spare_give(&state->prefixes, self_))
        type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Text, hash and order -------------------------------------------------------------------- */

static PyObject *prefix_str(PyObject *self_)
{
    char text[IPP_TEXT_SIZE];
    ipp_value_format(ipp_value_of(self_), text);
    return PyUnicode_FromString(text);
}

static PyObject *prefix_repr(PyObject *self_)
{
    const char *name = strrchr(Py_TYPE(self_)->tp_name, '.');
    char text[IPP_TEXT_SIZE];
    ipp_value_format(ipp_value_of(self_), text);
    return PyUnicode_FromFormat("%s('%s')", name ? name + 1 : Py_TYPE(self_)->tp_name, text);
}

/* Of the address only: an IPprefix without a length equals those with one.  By way of bytes, whose
 * hash is keyed: senders of packets choose the addresses, and must not choose what collides. */
static Py_hash_t prefix_hash(PyObject *self_)
{
    struct prefix *self = (struct prefix *)self_;
    if (self->hash == -1) {
        PyObject *bytes = PyBytes_FromStringAndSize((const char *)self->value.addr,
                                                    ipp_bits(self->value.version) / 8);
        if (!bytes)
            return -1;
        self->hash = PyObject_Hash(bytes);
        Py_DECREF(bytes);
    }
    return self->hash;
}

static PyObject *prefix_richcompare(PyObject *self_, PyObject *other_, int op)
{
    const struct ipp_value *self = ipp_value_of(self_);
    struct ipp_state *state = ipp_state_of(Py_TYPE(self_));
    const struct ipp_value *other = NULL;
    int order = 0;
    if (!state)
        return NULL;
    if (!PyObject_TypeCheck(other_, state->api.prefix_type))
        Py_RETURN_NOTIMPLEMENTED;
    other = ipp_value_of(other_);
    if (self->version != other->version) {
        if (op == Py_EQ)
            Py_RETURN_FALSE;
        if (op == Py_NE)
            Py_RETURN_TRUE;
        PyErr_SetString(PyExc_AttributeError, "versions must be the same (4 or 6)");
        return NULL;
    }
    order = memcmp(self->addr, other->addr, sizeof(self->addr));
    if (order == 0 && self->length != IPP_NO_LENGTH && other->length != IPP_NO_LENGTH)
        order = other->length - self->length; /* the longer prefix first */
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

PyDoc_STRVAR(
    prefix_doc,
    "IPprefix(version, addr=..., length=None)\n--\n\n"
    "An IPv4 or IPv6 address or, with a length, a prefix.\n\n"
    "IPprefix('10.0.0.0/8') takes what from_s() takes, IPprefix(obj) an object of the\n"
    "module ipaddress, or another IPprefix.\n\n"
    "version is 4 or 6. addr is bytes-like, up to 4 or 16 bytes, and is filled up with\n"
    "zeros on the right. length is a number of bits. ValueError for another version or\n"
    "an addr that isn't bytes-like; AttributeError for an addr that is too long or a\n"
    "length out of range.\n\n"
    "str() is the address in the form of RFC 5952 and, where length is set, '/length'.\n"
    "Two IPprefixes are equal when their versions and addresses are equal and, where\n"
    "both have one, their lengths: so an address without a length may equal two\n"
    "prefixes that differ. They sort by address, then the longer prefix first;\n"
    "comparing the order of different versions raises AttributeError.\n\n"
    "`x in prefix`, where x is any of the three or a text: whether x is inside, which one\n"
    "of the other version never is. AttributeError where the length is None.");

static PyType_Slot prefix_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)prefix_doc},
    {.slot = Py_tp_new, .pfunc = prefix_new},
    {.slot = Py_tp_init, .pfunc = subclass_init},
    {.slot = Py_tp_dealloc, .pfunc = prefix_dealloc},
    {.slot = Py_tp_getset, .pfunc = ipp_prefix_getset},
    {.slot = Py_tp_methods, .pfunc = ipp_prefix_methods},
    {.slot = Py_tp_str, .pfunc = prefix_str},
    {.slot = Py_tp_repr, .pfunc = prefix_repr},
    {.slot = Py_tp_hash, .pfunc = prefix_hash},
    {.slot = Py_sq_contains, .pfunc = ipp_prefix_holds},
    {.slot = Py_tp_richcompare, .pfunc = prefix_richcompare},
    {.slot = 0},
};

PyType_Spec ipp_prefix_spec = {
    .name = "ipp.IPprefix",
    .basicsize = sizeof(struct prefix),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = prefix_slots,
};
