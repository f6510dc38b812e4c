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
    const ldns_rr *rr;             /* borrowed from message, NULL until it is asked for */
    size_t number;                 /* of those in message->sections.rrs */
    size_t at;                     /* where it begins in a plain message, else 0 */
};

extern PyType_Spec pldns_rr_spec;

/* A record of a message, by its number; `at` is where it begins in a plain one. */
PyObject *pldns_rr_new(struct pldns_message *message, size_t number, size_t at);
/* The TSIG record of a message that has one. */
PyObject *pldns_rr_of_tsig(struct pldns_message *message);
/* The name of such a record in presentation form, or NULL with an exception. */
PyObject *pldns_owner_text(struct pldns_message *message, size_t number, size_t at);

#endif
