/* What an ldns object holds. */
#ifndef PLDNS_OBJECT_H
#define PLDNS_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "attributes.h"
#include "parse.h"

struct pldns_message {
    PyObject ob_base;
    ldns_status status;
    struct pldns_sections sections; /* empty where status is not LDNS_STATUS_OK */
    bool made;                      /* its bytes were read */
};

/* The message where it is ok, else NULL with ValueError. */
struct pldns_message *pldns_message_ok(PyObject *self_, const struct pldns_field *field);

#endif
