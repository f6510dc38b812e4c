/* Packets made from bytes. */
#ifndef PLT_FROMBYTES_H
#define PLT_FROMBYTES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern const char packet_from_bytes_doc[];
/* packet.from_bytes, a class method. */
PyObject *packet_from_bytes(PyObject *cls, PyObject *args, PyObject *kwargs);

#endif
