/* The header tables as data, for whoever reads fields by name. */
#ifndef PLT_TABLES_H
#define PLT_TABLES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* plt._plt._fields(). */
PyObject *field_list(PyObject *module, PyObject *args);
/* plt._plt._properties(). */
PyObject *property_list(PyObject *module, PyObject *args);

#endif
