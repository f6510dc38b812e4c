/* Many addresses at once: ipp.format(), ipp.parse() and IPprefix.contains(). */
#ifndef IPP_ADDRESSES_H
#define IPP_ADDRESSES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *ipp_format(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *ipp_parse(PyObject *module, PyObject *texts);
PyObject *ipp_contains(PyObject *self_, PyObject *args, PyObject *kwargs);

#endif
