/* The type that reads packets as columns, joined with their flows: the C part of natkit.packets().
 */
#ifndef NATKIT_PACKETS_READER_H
#define NATKIT_PACKETS_READER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec packet_reader_spec;

/* natkit._natkit._joined_fields(). */
PyObject *joined_field_list(PyObject *module, PyObject *args);

#endif
