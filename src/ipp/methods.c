/* The methods of an IPprefix. */
#include "methods.h"

#include "addresses.h"
#include "common/method.h"
#include "common/room.h"
#include "ipaddress.h"
#include "ipp.h"
#include "object.h"
#include "read.h"

#include <string.h>

/* How many leading bits of a and b, of the same version, agree. */
static int common_bits(const struct ipp_value *a, const struct ipp_value *b)
{
    int bits = ipp_bits(a->version);
    for (int i = 0; i < bits / 8; i++) {
        int diff = a->addr[i] ^ b->addr[i];
        if (diff != 0) {
            int count = 8 * i;
            for (; (diff & 0x80) == 0; diff <<= 1)
                count++;
            return count;
        }
    }
    return bits;
}

/* The value of a method's argument, of self's version: 0, or -1 with an exception. */
static int read_other(PyObject *self_, PyObject *other, struct ipp_value *out)
{
    struct ipp_state *state = ipp_state_of(Py_TYPE(self_));
    if (!state || ipp_prefix_value(&state->api, other, out) < 0)
        return -1;
    if (out->version != ipp_value_of(self_)->version) {
        PyErr_SetString(PyExc_AttributeError, "versions must be the same (4 or 6)");
        return -1;
    }
    return 0;
}

PyDoc_STRVAR(equal_doc,
             "equal($self, other, /)\n--\n\n"
             "Whether the two addresses are the same; lengths are ignored.\n\n"
             "AttributeError where the versions differ, TypeError where other is not an\n"
             "IPprefix.");

static PyObject *prefix_equal(PyObject *self_, PyObject *arg)
{
    struct ipp_value other;
    if (read_other(self_, arg, &other) < 0)
        return NULL;
    return PyBool_FromLong(memcmp(ipp_value_of(self_)->addr, other.addr, sizeof(other.addr)) == 0);
}

PyDoc_STRVAR(has_bit_set_doc,
             "has_bit_set($self, n, /)\n--\n\n"
             "Whether bit n of the address is 1; bit 0 is the leftmost.\n\n"
             "True for n below 0, False for n past the end of the address; TypeError where n is\n"
             "not an integer.");

static PyObject *prefix_has_bit_set(PyObject *self_, PyObject *arg)
{
    const struct ipp_value *value = ipp_value_of(self_);
    Py_ssize_t n = PyNumber_AsSsize_t(arg, NULL);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (n < 0)
        Py_RETURN_TRUE;
    if (n >= ipp_bits(value->version))
        Py_RETURN_FALSE;
    return PyBool_FromLong(value->addr[n / 8] & 0x80 >> n % 8);
}

/* The same for methods that compare lengths: self must have one, and an argument without one is a
 * whole address. */
static int read_within(PyObject *self_, PyObject *other, struct ipp_value *out)
{
    if (read_other(self_, other, out) < 0)
        return -1;
    if (ipp_value_of(self_)->length == IPP_NO_LENGTH) {
        ipp_no_length();
        return -1;
    }
    if (out->length == IPP_NO_LENGTH)
        out->length = (int16_t)ipp_bits(out->version);
    return 0;
}

PyDoc_STRVAR(first_bit_different_doc,
             "first_bit_different($self, other, /)\n--\n\n"
             "The number, from 0, of the first bit in which the two prefixes differ.\n\n"
             "Where they agree so far, the shorter length. other without a length is a whole\n"
             "address. AttributeError where the versions differ or this length is None,\n"
             "TypeError where other is not an IPprefix.");

static PyObject *prefix_first_bit_different(PyObject *self_, PyObject *arg)
{
    const struct ipp_value *self = ipp_value_of(self_);
    struct ipp_value other;
    int first = 0;
    if (read_within(self_, arg, &other) < 0)
        return NULL;
    first = common_bits(self, &other);
    if (first > self->length)
        first = self->length;
    if (first > other.length)
        first = other.length;
    return PyLong_FromLong(first);
}

PyDoc_STRVAR(is_prefix_doc,
             "is_prefix($self, other, /)\n--\n\n"
             "Whether other is inside this prefix: not shorter, and its first bits the same.\n\n"
             "other without a length is a whole address. AttributeError where this length is\n"
             "None or the versions differ, TypeError where other is not an IPprefix.");

static PyObject *prefix_is_prefix(PyObject *self_, PyObject *arg)
{
    const struct ipp_value *self = ipp_value_of(self_);
    struct ipp_value other;
    if (read_within(self_, arg, &other) < 0)
        return NULL;
    return PyBool_FromLong(other.length >= self->length &&
                           common_bits(self, &other) >= self->length);
}

int ipp_prefix_holds(PyObject *self_, PyObject *obj)
{
    const struct ipp_value self = *ipp_value_of(self_);
    const struct ipp_state *state = ipp_state_of(Py_TYPE(self_));
    struct ipp_value other;
    if (!state || ipp_value_from(&state->api, obj, &other) < 0)
        return -1;
    if (self.length == IPP_NO_LENGTH) {
        ipp_no_length();
        return -1;
    }
    if (other.version != self.version)
        return 0;
    if (other.length == IPP_NO_LENGTH)
        other.length = (int16_t)ipp_bits(other.version);
    return other.length >= self.length && common_bits(&self, &other) >= self.length;
}

PyDoc_STRVAR(contains_doc,
             "contains($self, /, addresses, version=None)\n--\n\n"
             "Which of many addresses are inside this prefix: a memoryview of n bools.\n\n"
             "addresses and version are as for ipp.format(). An address of the other version, or\n"
             "a missing one, is not inside. numpy.asarray() takes the result without a copy.\n"
             "AttributeError where the length is None; ValueError for a wrong shape, and for an\n"
             "IPv4 prefix and rows of 16 bytes without a version.");

PyDoc_STRVAR(from_ipaddress_doc,
             "from_ipaddress($type, obj, /)\n--\n\n"
             "The IPprefix of an address, interface or network of the module ipaddress.\n\n"
             "The length is None for an address. ValueError for an address with a scope id,\n"
             "TypeError for any other object.");

PyDoc_STRVAR(to_ipaddress_doc,
             "to_ipaddress($self, /)\n--\n\n"
             "This IPprefix as an object of the module ipaddress: an address, or a network.\n\n"
             "IPv4Address or IPv6Address where the length is None, else IPv4Network or\n"
             "IPv6Network, in which the bits after the length are 0.\n"
             "ipaddress.ip_interface(str(p)) keeps those bits.");

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\n"
                         "For pickle and copy.");

static PyObject *prefix_reduce(PyObject *self_, PyObject *Py_UNUSED(unused))
{
    const struct ipp_value *value = ipp_value_of(self_);
    PyObject *copyreg = PyImport_ImportModule("copyreg");
    PyObject *newobj = NULL, *length = NULL, *state = NULL, *result = NULL;
    if (!copyreg)
        return NULL;
    newobj = PyObject_GetAttrString(copyreg, "__newobj__");
    Py_DECREF(copyreg);
    /* what a subclass has added: its __dict__ and __slots__ */
    state = newobj ? PyObject_CallMethod(self_, "__getstate__", NULL) : NULL;
    length = state ? ipp_length_object(value) : NULL;
    if (length)
        result =
            Py_BuildValue("O(Oiy#O)O", newobj, (PyObject *)Py_TYPE(self_), (int)value->version,
                          value->addr, (Py_ssize_t)ipp_bits(value->version) / 8, length, state);
    Py_XDECREF(length);
    Py_XDECREF(state);
    Py_XDECREF(newobj);
    return result;
}

static PyObject *prefix_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("ipp.shared", "prefix_html", self_);
}

PyMethodDef ipp_prefix_methods[] = {
    METHOD("equal", prefix_equal, METH_O, equal_doc),
    METHOD("has_bit_set", prefix_has_bit_set, METH_O, has_bit_set_doc),
    METHOD("first_bit_different", prefix_first_bit_different, METH_O, first_bit_different_doc),
    METHOD("is_prefix", prefix_is_prefix, METH_O, is_prefix_doc),
    METHOD("contains", ipp_contains, METH_VARARGS | METH_KEYWORDS, contains_doc),
    METHOD("from_ipaddress", ipp_from_ipaddress, METH_O | METH_CLASS, from_ipaddress_doc),
    METHOD("to_ipaddress", ipp_to_ipaddress, METH_NOARGS, to_ipaddress_doc),
    METHOD("_repr_html_", prefix_html, METH_NOARGS,
           "_repr_html_($self, /)\n--\n\nThe prefix and its addresses, for notebooks."),
    METHOD("__reduce__", prefix_reduce, METH_NOARGS, reduce_doc),
    {.ml_name = NULL},
};
