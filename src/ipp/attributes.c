/* The attributes of an IPprefix. */
#include "attributes.h"

#include "ipp.h"
#include "object.h"

static PyObject *version_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(ipp_value_of(self_)->version);
}

static PyObject *addr_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipp_value *value = ipp_value_of(self_);
    return PyByteArray_FromStringAndSize((const char *)value->addr, ipp_bits(value->version) / 8);
}

static int readonly_set(PyObject *Py_UNUSED(self_), PyObject *Py_UNUSED(obj),
                        void *Py_UNUSED(closure))
{
    PyErr_SetString(PyExc_AttributeError, "version and addr are READONLY");
    return -1;
}

static PyObject *length_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return ipp_length_object(ipp_value_of(self_));
}

static int length_set(PyObject *self_, PyObject *obj, void *Py_UNUSED(closure))
{
    struct prefix *self = (struct prefix *)self_;
    if (!obj) {
        PyErr_SetString(PyExc_TypeError, "length can't be deleted");
        return -1;
    }
    return ipp_read_length(obj, &self->value, 1, PyExc_ValueError);
}

static PyObject *width_get(PyObject *self_, void *Py_UNUSED(closure))
{
    int length = ipp_value_of(self_)->length;
    return length == IPP_NO_LENGTH ? ipp_no_length() : PyLong_FromLong(length - 1);
}

static PyObject *complement_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipp_value *value = ipp_value_of(self_);
    struct ipp_state *state = ipp_state_of(Py_TYPE(self_));
    uint8_t addr[16];
    if (!state)
        return NULL;
    for (int i = 0; i < 16; i++)
        addr[i] = (uint8_t)~value->addr[i];
    return ipp_prefix_new(&state->api, value->version, addr, value->length);
}

/* RFC 1918 section 3 */
static PyObject *is_rfc1918_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipp_value *value = ipp_value_of(self_);
    const uint8_t *addr = value->addr;
    int length = value->length == IPP_NO_LENGTH ? 32 : value->length;
    if (value->version != 4)
        Py_RETURN_FALSE;
    return PyBool_FromLong((addr[0] == 10 && length >= 8) ||
                           (addr[0] == 172 && (addr[1] & 0xf0) == 16 && length >= 12) ||
                           (addr[0] == 192 && addr[1] == 168 && length >= 16));
}

PyGetSetDef ipp_prefix_getset[] = {
    {.name = "version",
     .get = version_get,
     .set = readonly_set,
     .doc = PyDoc_STR("4 for IPv4, 6 for IPv6. Read-only: assigning raises AttributeError.")},
    {.name = "addr",
     .get = addr_get,
     .set = readonly_set,
     .doc = PyDoc_STR(
         "The address, 4 or 16 bytes in network order: a new bytearray each time.\n\n"
         "Read-only: assigning raises AttributeError, and changing the bytearray doesn't\n"
         "change the IPprefix.")},
    {.name = "length",
     .get = length_get,
     .set = length_set,
     .doc = PyDoc_STR(
         "How many bits of addr are the prefix; None for an address without one.\n\n"
         "It can be set to 1 to 32 (IPv4) or 1 to 128 (IPv6): ValueError for other numbers,\n"
         "TypeError for anything else. IPprefix() takes 0 as well.")},
    {.name = "width",
     .get = width_get,
     .doc = PyDoc_STR("length - 1: the number, from 0, of the prefix's last bit.\n\n"
                      "AttributeError where the length is None.")},
    {.name = "complement",
     .get = complement_get,
     .doc = PyDoc_STR("A new IPprefix with every bit of addr inverted and the same length.")},
    {.name = "is_rfc1918",
     .get = is_rfc1918_get,
     .doc =
         PyDoc_STR("True for an address, or a whole prefix, in the private IPv4 space.\n\n"
                   "The private space is 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918\n"
                   "section 3). False for IPv6.")},
    {.name = NULL},
};
