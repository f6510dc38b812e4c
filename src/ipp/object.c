/* Making and reading IPprefixes from C, and the rules of their lengths. */
#include "object.h"

#include "ipp.h"

#include <string.h>

PyObject *ipp_prefix_new(const struct ipp_api *api, int version, const uint8_t *addr, int length)
{
    struct prefix *self = NULL;
    if (!api->prefix_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module ipp has been unloaded");
        return NULL;
    }
    struct ipp_state *state = (struct ipp_state *)(uintptr_t)api;
    self = (struct prefix *)spare_take(&state->prefixes, api->prefix_type);
    if (!self)
        self = PyObject_New(struct prefix, api->prefix_type);
    if (!self)
        return NULL;
    self->value = (struct ipp_value){.version = (uint8_t)version, .length = (int16_t)length};
    memcpy(self->value.addr, addr, (size_t)ipp_bits(version) / 8);
    self->hash = -1;
    return (PyObject *)self;
}

int ipp_prefix_value(const struct ipp_api *api, PyObject *obj, struct ipp_value *out)
{
    if (!api->prefix_type || !PyObject_TypeCheck(obj, api->prefix_type)) {
        PyErr_Format(PyExc_TypeError, "an IPprefix is required, not %.100s", Py_TYPE(obj)->tp_name);
        return -1;
    }
    *out = *ipp_value_of(obj);
    return 0;
}

PyObject *ipp_length_object(const struct ipp_value *value)
{
    if (value->length == IPP_NO_LENGTH)
        Py_RETURN_NONE;
    return PyLong_FromLong(value->length);
}

PyObject *ipp_no_length(void)
{
    PyErr_SetString(PyExc_AttributeError, "length is not set");
    return NULL;
}

int ipp_read_length(PyObject *obj, struct ipp_value *value, int lowest, PyObject *out_of_range)
{
    int bits = ipp_bits(value->version);
    Py_ssize_t length = 0;
    if (!PyIndex_Check(obj)) {
        PyErr_SetString(PyExc_TypeError, "length must be an integer");
        return -1;
    }
    length = PyNumber_AsSsize_t(obj, NULL);
    if (length == -1 && PyErr_Occurred())
        return -1;
    if (length < lowest) {
        PyErr_SetString(out_of_range, lowest > 0 ? "length must be > 0" : "length must be >= 0");
        return -1;
    }
    if (length > bits) {
        PyErr_Format(out_of_range, "IPv%d length must be <= %d", value->version, bits);
        return -1;
    }
    value->length = (int16_t)length;
    return 0;
}
