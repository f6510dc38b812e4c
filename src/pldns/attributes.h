/* What the attributes of messages and records have in common. */
#ifndef PLDNS_ATTRIBUTES_H
#define PLDNS_ATTRIBUTES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* An attribute's closure: its name for messages, and what its getter needs. */
struct pldns_field {
    const char *name;
    unsigned value;
};

#define PLDNS_ROW(field, getter, number, text)                                                     \
    {                                                                                              \
        .name = field, .get = getter, .set = pldns_readonly, .doc = text,                          \
        .closure = (void *)(uintptr_t) & (const struct pldns_field)                                \
        {                                                                                          \
            field, number                                                                          \
        }                                                                                          \
    }

/* The setter of every attribute: TypeError. */
int pldns_readonly(PyObject *self_, PyObject *value, void *closure);

#endif
