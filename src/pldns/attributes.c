/* What the attributes of messages and records have in common. */
#include "attributes.h"

int pldns_readonly(PyObject *self_, PyObject *value, void *closure)
{
    const struct pldns_field *field = closure;
    PyErr_Format(PyExc_TypeError, "%s of %s is read-only: it cannot be %s", field->name,
                 Py_TYPE(self_)->tp_name, value ? "set" : "deleted");
    return -1;
}
