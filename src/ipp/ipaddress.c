/* An IPprefix from and to the objects of the standard library's module ipaddress. */
#include "ipaddress.h"

#include "ipp.h"
#include "object.h"

#include <string.h>

enum kind { KIND_ADDRESS, KIND_INTERFACE, KIND_NETWORK };

/* Interfaces come first: their classes are subclasses of those of addresses. */
static const struct {
    const char *name;
    int version;
    enum kind kind;
} classes[] = {
    {"IPv4Interface", 4, KIND_INTERFACE}, {"IPv6Interface", 6, KIND_INTERFACE},
    {"IPv4Address", 4, KIND_ADDRESS},     {"IPv6Address", 6, KIND_ADDRESS},
    {"IPv4Network", 4, KIND_NETWORK},     {"IPv6Network", 6, KIND_NETWORK},
};

enum { N_CLASSES = sizeof(classes) / sizeof(classes[0]) };

/* Which row of classes obj is an instance of; N_CLASSES when of none, -1 with an exception. */
static int class_of(PyObject *obj)
{
    PyObject *module = PyImport_ImportModule("ipaddress");
    int row = 0;
    if (!module)
        return -1;
    for (row = 0; row < N_CLASSES; row++) {
        /* the module's own object: a new one each time would fill Python's cache of attributes */
        PyObject *name = PyUnicode_InternFromString(classes[row].name);
        PyObject *cls = name ? PyObject_GetAttr(module, name) : NULL;
        int found = cls ? PyObject_IsInstance(obj, cls) : -1;
        Py_XDECREF(cls);
        Py_XDECREF(name);
        if (found < 0)
            row = -1;
        if (found != 0)
            break;
    }
    Py_DECREF(module);
    return row;
}

/* The network order bytes of an ipaddress address: 0, or -1 with an exception. */
static int read_address(PyObject *address, struct ipp_value *value)
{
    Py_ssize_t size = ipp_bits(value->version) / 8;
    PyObject *packed = NULL;
    int status = -1;
    if (value->version == 6) {
        PyObject *scope = PyObject_GetAttrString(address, "scope_id");
        if (!scope)
            return -1;
        Py_DECREF(scope);
        if (scope != Py_None) {
            PyErr_Format(PyExc_ValueError, "an IPprefix can't hold a scope id: %.100R", address);
            return -1;
        }
    }
    packed = PyObject_GetAttrString(address, "packed");
    if (!packed)
        return -1;
    if (PyBytes_Check(packed) && PyBytes_GET_SIZE(packed) == size) {
        memcpy(value->addr, PyBytes_AS_STRING(packed), (size_t)size);
        status = 0;
    } else {
        PyErr_Format(PyExc_TypeError, "packed must be %zd bytes: %.100R", size, packed);
    }
    Py_DECREF(packed);
    return status;
}

/* The prefix length of an ipaddress network: 0, or -1 with an exception. */
static int read_length(PyObject *network, struct ipp_value *value)
{
    PyObject *prefixlen = PyObject_GetAttrString(network, "prefixlen");
    int status = -1;
    if (!prefixlen)
        return -1;
    Py_ssize_t length = PyNumber_AsSsize_t(prefixlen, NULL); /* the nearest of too large a one */
    if (length < 0 || length > ipp_bits(value->version)) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "prefixlen out of range: %.100S", prefixlen);
    } else {
        value->length = (int16_t)length;
        status = 0;
    }
    Py_DECREF(prefixlen);
    return status;
}

/* What read gets of obj's attribute name: 0, or -1 with an exception. */
static int read_part(PyObject *obj, const char *name,
                     int (*read)(PyObject *part, struct ipp_value *value), struct ipp_value *value)
{
    PyObject *part = PyObject_GetAttrString(obj, name);
    int status = part ? read(part, value) : -1;
    Py_XDECREF(part);
    return status;
}

int ipp_value_of_ipaddress(PyObject *obj, struct ipp_value *out)
{
    struct ipp_value value = {.length = IPP_NO_LENGTH};
    int row = class_of(obj);
    int status = 0;
    if (row < 0 || row == N_CLASSES)
        return row < 0 ? -1 : 0;
    value.version = (uint8_t)classes[row].version;
    switch (classes[row].kind) {
    case KIND_ADDRESS:
        status = read_address(obj, &value);
        break;
    case KIND_INTERFACE:
        status = read_address(obj, &value);
        if (status == 0)
            status = read_part(obj, "network", read_length, &value);
        break;
    case KIND_NETWORK:
        status = read_part(obj, "network_address", read_address, &value);
        if (status == 0)
            status = read_length(obj, &value);
        break;
    }
    if (status < 0)
        return -1;
    *out = value;
    return 1;
}

PyObject *ipp_from_ipaddress(PyObject *cls_, PyObject *obj)
{
    PyTypeObject *cls = (PyTypeObject *)cls_;
    struct ipp_state *state = ipp_state_of(cls);
    struct ipp_value value;
    int found = state ? ipp_value_of_ipaddress(obj, &value) : -1;
    if (found == 0)
        PyErr_Format(PyExc_TypeError, "not an ipaddress address, interface or network: %.100s",
                     Py_TYPE(obj)->tp_name);
    if (found <= 0)
        return NULL;
    if (cls == state->api.prefix_type)
        return ipp_prefix_new(&state->api, value.version, value.addr, value.length);
    if (value.length == IPP_NO_LENGTH)
        return PyObject_CallFunction(cls_, "iy#", (int)value.version, value.addr,
                                     (Py_ssize_t)ipp_bits(value.version) / 8);
    return PyObject_CallFunction(cls_, "iy#i", (int)value.version, value.addr,
                                 (Py_ssize_t)ipp_bits(value.version) / 8, (int)value.length);
}

PyObject *ipp_to_ipaddress(PyObject *self_, PyObject *Py_UNUSED(unused))
{
    const struct ipp_value *value = ipp_value_of(self_);
    Py_ssize_t size = ipp_bits(value->version) / 8;
    PyObject *module = PyImport_ImportModule("ipaddress");
    PyObject *result = NULL;
    if (!module)
        return NULL;
    if (value->length == IPP_NO_LENGTH)
        result = PyObject_CallMethod(module, value->version == 4 ? "IPv4Address" : "IPv6Address",
                                     "y#", value->addr, size);
    else /* the False is strict: host bits are masked, not refused */
        result = PyObject_CallMethod(module, value->version == 4 ? "IPv4Network" : "IPv6Network",
                                     "(y#i)O", value->addr, size, (int)value->length, Py_False);
    Py_DECREF(module);
    return result;
}
