/* What an ldns object holds. */
#ifndef PLDNS_OBJECT_H
#define PLDNS_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "attributes.h"
#include "parse.h"
#include "plain.h"

struct pldns_message {
    PyObject ob_base;
    ldns_status status;
    struct pldns_sections sections; /* empty where status is not LDNS_STATUS_OK */
    /* Of a plain message: its bytes, and where its records are.  Those of sections are made when
     * one is asked for; its header and how many records it has are there before. */
    const uint8_t *wire; /* in buffer; NULL of other messages */
    size_t size;
    uint8_t *buffer; /* owned, may be NULL; kept with the memory of a message that is no more */
    size_t room;
    struct pldns_plain plain;
    bool made; /* its bytes were read */
};

/* The message where it is ok, else NULL with ValueError. */
struct pldns_message *pldns_message_ok(PyObject *self_, const struct pldns_field *field);
/* Have the records of a message that is ok: 0, or -1 with an exception. */
int pldns_message_parse(struct pldns_message *self);
/* The record of a plain message at a place. */
static inline struct pldns_plain_record pldns_message_record(const struct pldns_message *self,
                                                             size_t at)
{
    return pldns_plain_record(self->wire, self->size, &self->plain, at);
}

#endif
