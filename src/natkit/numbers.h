/* The functions of the module natkit on integers in bytes and on 32-bit sequence numbers. */
#ifndef NATKIT_NUMBERS_H
#define NATKIT_NUMBERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *natkit_ba_get_short(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_ba_get_long(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

PyObject *natkit_seq_add(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_sub(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_lt(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_le(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_gt(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_ge(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif
