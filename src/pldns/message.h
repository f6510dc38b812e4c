/* The type ldns: a parsed message. */
#ifndef PLDNS_MESSAGE_H
#define PLDNS_MESSAGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "state.h"

extern PyType_Spec pldns_message_spec;

/* tp_vectorcall of the type, which has no slot for it. */
PyObject *pldns_message_vectorcall(PyObject *type_, PyObject *const *args, size_t nargsf,
                                   PyObject *names);
PyObject *pldns_message_new(const struct pldns_state *state, const uint8_t *wire, size_t length);

#endif
