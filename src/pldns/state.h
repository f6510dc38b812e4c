/* The state of the module pldns._pldns. */
#ifndef PLDNS_STATE_H
#define PLDNS_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "common/batch.h"
#include "common/spare.h"

struct pldns_state {
    PyTypeObject *message_type;
    PyTypeObject *rr_type;
    PyTypeObject *matcher_type;
    PyTypeObject *reader_type;
    struct batch_types batch_types;
    PyObject *transport_name; /* the interned string "_pldns_transport" */
    struct spares messages;
    struct spares rrs;
};

extern struct PyModuleDef pldns_module;

/* For the module's garbage collection. */
int pldns_state_traverse(PyObject *module, visitproc visit, void *arg);
int pldns_state_clear(PyObject *module);
/* The state of the module that a type, or the one that it is a subclass of, belongs to. */
struct pldns_state *pldns_state_of(PyTypeObject *type);
/* That of a type of the module itself, NULL for a subclass, and where the module is being taken
 * apart; without an exception. */
struct pldns_state *pldns_state_of_exact(PyTypeObject *type);

#endif
