/* How packets and layers describe themselves: attributes and methods. */
#ifndef PLT_DIAGNOSE_H
#define PLT_DIAGNOSE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *diagnose_size(PyObject *self_, void *closure);
PyObject *diagnose_kind(PyObject *self_, void *closure);
PyObject *diagnose_type(PyObject *self_, void *closure);
PyObject *diagnose_info(PyObject *self_, PyObject *args);
PyObject *diagnose_dump(PyObject *self_, PyObject *args);
PyObject *diagnose_html(PyObject *self_, PyObject *args);
PyObject *diagnose_fields(PyObject *self_, PyObject *args);
PyObject *diagnose_as_dict(PyObject *self_, PyObject *args);
PyObject *diagnose_repr(PyObject *self_);

#endif
