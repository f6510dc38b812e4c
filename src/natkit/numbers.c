/* Big-endian integers at a place in bytes. */
#include "natkit.h"

#include "packet/bytes.h"

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
    /* an index too large for Py_ssize_t is cut to its limit: past the end, as it would be */
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
