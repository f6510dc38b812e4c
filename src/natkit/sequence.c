/* Arithmetic of 32-bit sequence numbers: TCP's, RFC 9293 section 3.4, modulo 2**32. */
#include "natkit.h"

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
