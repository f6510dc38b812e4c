/* Memory of objects that are no more, for the next ones: a loop over packets or messages makes and
 * drops the same few objects for each.  It belongs to a module's state, and is used under the
 * GIL. */
#ifndef SPARE_H
#define SPARE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

enum { MOST_SPARES = 16 };

struct spares {
    size_t count;
    PyObject *objects[MOST_SPARES]; /* owned: memory, no references */
};

/* A new object of a type in spare memory, NULL without; but for its head it is as it was left. */
static inline PyObject *spare_take(struct spares *spares, PyTypeObject *type)
{
    return spares->count > 0 ? PyObject_Init(spares->objects[--spares->count], type) : NULL;
}

/* The state of the module that made a type, NULL of a Python subclass and where the module is being
 * taken apart; without an exception. */
static inline void *state_of_exact(PyTypeObject *type, const struct PyModuleDef *def)
{
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    return module && PyModule_GetDef(module) == def ? PyModule_GetState(module) : NULL;
}

/* Keep the memory of an object; false where there is enough, and it is to be freed. */
static inline bool spare_give(struct spares *spares, PyObject *object)
{
    if (spares->count == MOST_SPARES)
        return false;
    spares->objects[spares->count++] = object;
    return true;
}

/* Free what is kept by PyObject_Free(), or PyObject_GC_Del() of types that the collector knows. */
static inline void spares_free(struct spares *spares, freefunc free_object)
{
    while (spares->count > 0)
        free_object(spares->objects[--spares->count]);
}

#endif
