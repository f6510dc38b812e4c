/* Chains of records: how the records of pcap and pcapng files follow each other, by their lengths
 * alone.  A file is split by them into parts that threads read. */
#ifndef PLT_CHAIN_H
#define PLT_CHAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* plt._plt._chain_of(), _chain_follow() and _chain_find(). */
PyObject *chain_of(PyObject *module, PyObject *head);
PyObject *chain_follow(PyObject *module, PyObject *args);
PyObject *chain_find(PyObject *module, PyObject *args);

#endif
