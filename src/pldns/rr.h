/* The type ldnsrr: a record of a message. */
#ifndef PLDNS_RR_H
#define PLDNS_RR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ldns/ldns.h>

#include "state.h"

struct pldns_message;

struct pldns_rr {
    PyObject ob_base;
    struct pldns_message *message; /* a strong reference: it owns rr */
    const ldns_rr *rr;             /* borrowed from message */
};

extern PyType_Spec pldns_rr_spec;

PyObject *pldns_rr_new(const struct pldns_state *state, struct pldns_message *message,
                       const ldns_rr *rr);
/* A name in presentation form, or NULL with an exception. */
PyObject *pldns_name_text(const ldns_rdf *name);

#endif
