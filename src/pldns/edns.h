/* The attributes of a message's OPT record (RFC 6891). */
#ifndef PLDNS_EDNS_H
#define PLDNS_EDNS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *pldns_edns_udp_size_get(PyObject *self_, void *closure);
PyObject *pldns_edns_do_get(PyObject *self_, void *closure);
PyObject *pldns_edns_version_get(PyObject *self_, void *closure);
PyObject *pldns_edns_rcode_get(PyObject *self_, void *closure);
PyObject *pldns_edns_options_get(PyObject *self_, void *closure);

#endif
