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
