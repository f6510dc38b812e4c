/* Memory of objects that are no more, for the next ones: a loop over messages makes and drops the
 * same few objects for each. */
#ifndef PLDNS_SPARE_H
#define PLDNS_SPARE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

enum { PLDNS_MOST_SPARES = 16 };

struct pldns_spares {
    size_t count;
    PyObject *objects[PLDNS_MOST_SPARES]; /* owned: memory, no references */
};

/* A new object of a type in spare memory, NULL without; but for its head it is as it was left. */
static inline PyObject *pldns_spare_take(struct pldns_spares *spares, PyTypeObject *type)
{
    return spares->count > 0 ? PyObject_Init(spares->objects[--spares->count], type) : NULL;
}

/* Keep the memory of an object; false where there is enough, and it is to be freed. */
static inline bool pldns_spare_give(struct pldns_spares *spares, PyObject *object)
{
    if (spares->count == PLDNS_MOST_SPARES)
        return false;
    spares->objects[spares->count++] = object;
    return true;
}

#endif
