/* An ldns object that attributes are asked of. */
#include "object.h"

#include "names.h"

struct pldns_message *pldns_message_ok(PyObject *self_, const struct pldns_field *field)
{
    struct pldns_message *self = (struct pldns_message *)self_;
    if (self->status != LDNS_STATUS_OK) {
        PyErr_Format(PyExc_ValueError, "no %s: the DNS message is not ok: %s (ldns status %d)",
                     field->name, pldns_status_words(self->status), (int)self->status);
        return NULL;
    }
    return self;
}

int pldns_message_parse(struct pldns_message *self)
{
    struct pldns_sections sections;
    if (!self->wire || self->sections.rrs)
        return 0;
    ldns_status status = pldns_parse(&sections, self->wire, self->size);
    if (status == LDNS_STATUS_OK) {
        self->sections = sections;
        return 0;
    }
    pldns_clear(&sections);
    if (status == LDNS_STATUS_MEM_ERR)
        PyErr_NoMemory();
    else /* a version of ldns that thinks otherwise of plain messages */
        PyErr_Format(PyExc_ValueError, "ldns makes no records of the DNS message: %s (status %d)",
                     pldns_status_words(status), (int)status);
    return -1;
}
