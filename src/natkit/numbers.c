/* The functions of natkit on integers: integers in network order within bytes, and arithmetic of
 * 32-bit sequence numbers modulo 2**32, as TCP needs it (RFC 9293 section 3.4). */
#include "numbers.h"

#include "packet/bytes.h"

/* --- Integers in bytes ----------------------------------------------------------------------- */

/* The integer of `width` bytes at args[1] of args[0], None where they reach past its end. */
static PyObject *get_integer(const char *name, PyObject *const *args, Py_ssize_t nargs,
                             Py_ssize_t width)
{
    Py_buffer buffer;
    PyObject *result = NULL;
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "%s() takes bytes and an index, not %zd arguments", name,
                     nargs);
        return NULL;
    }
    /* an index that is too large for Py_ssize_t becomes its maximum, which is past the end too */
    Py_ssize_t index = PyNumber_AsSsize_t(args[1], NULL);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    if (index < 0) {
        PyErr_Format(PyExc_IndexError, "%s(): the index must be 0 or more, not %R", name, args[1]);
        return NULL;
    }
    if (PyObject_GetBuffer(args[0], &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    if (buffer.len < width || index > buffer.len - width) {
        result = Py_None;
        Py_INCREF(result);
    } else {
        const uint8_t *at = (const uint8_t *)buffer.buf + index;
        result = PyLong_FromUnsignedLong(width == 2 ? load_be16(at) : load_be32(at));
    }
    PyBuffer_Release(&buffer);
    return result;
}

PyObject *natkit_ba_get_short(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return get_integer("ba_get_short", args, nargs, 2);
}

PyObject *natkit_ba_get_long(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return get_integer("ba_get_long", args, nargs, 4);
}

/* --- Sequence numbers ------------------------------------------------------------------------ */

/* The two numbers of a call, modulo 2**32: 0, or -1 with TypeError. */
static int two_numbers(const char *name, PyObject *const *args, Py_ssize_t nargs,
                       uint32_t numbers[2])
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "%s() takes 2 numbers, not %zd", name, nargs);
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (!PyIndex_Check(args[i])) {
            PyErr_Format(PyExc_TypeError, "%s() takes integers, not %.100s", name,
                         Py_TYPE(args[i])->tp_name);
            return -1;
        }
        unsigned long value = PyLong_AsUnsignedLongMask(args[i]);
        if (value == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        numbers[i] = (uint32_t)(value & UINT32_MAX);
    }
    return 0;
}

PyObject *natkit_seq_add(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    uint32_t numbers[2];
    if (two_numbers("seq_add", args, nargs, numbers) < 0)
        return NULL;
    return PyLong_FromUnsignedLong((uint32_t)(numbers[0] + numbers[1]));
}

PyObject *natkit_seq_sub(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    uint32_t numbers[2];
    if (two_numbers("seq_sub", args, nargs, numbers) < 0)
        return NULL;
    return PyLong_FromUnsignedLong((uint32_t)(numbers[0] - numbers[1]));
}

/* The sign of a - b as a signed 32-bit number in *sign: 0, or -1 with TypeError. */
static int compare(const char *name, PyObject *const *args, Py_ssize_t nargs, int *sign)
{
    uint32_t numbers[2];
    if (two_numbers(name, args, nargs, numbers) < 0)
        return -1;
    uint32_t difference = numbers[0] - numbers[1];
    *sign = difference == 0 ? 0 : difference >> 31 ? -1 : 1;
    return 0;
}

PyObject *natkit_seq_lt(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    int sign = 0;
    return compare("seq_lt", args, nargs, &sign) < 0 ? NULL : PyBool_FromLong(sign < 0);
}

PyObject *natkit_seq_le(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    int sign = 0;
    return compare("seq_le", args, nargs, &sign) < 0 ? NULL : PyBool_FromLong(sign <= 0);
}

PyObject *natkit_seq_gt(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    int sign = 0;
    return compare("seq_gt", args, nargs, &sign) < 0 ? NULL : PyBool_FromLong(sign > 0);
}

PyObject *natkit_seq_ge(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    int sign = 0;
    return compare("seq_ge", args, nargs, &sign) < 0 ? NULL : PyBool_FromLong(sign >= 0);
}
