/* Ints that are given again and again: ports, lengths.  Making one and freeing it takes Python
 * longer than finding the last one of the same value. */
#ifndef PLT_INTS_H
#define PLT_INTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum { INTS_KEPT = 256 };

/* Part of the module's state, used under the GIL; a value has one place. */
struct ints {
    PyObject *objects[INTS_KEPT]; /* owned, or NULL */
    uint32_t values[INTS_KEPT];
};

/* Make the int of a value and keep it; NULL with an exception. */
PyObject *int_made(struct ints *ints, uint32_t value);
void ints_clear(struct ints *ints);

/* The int of a value, a new reference; NULL with an exception. */
static inline PyObject *int_of(struct ints *ints, uint32_t value)
{
    size_t place = value % INTS_KEPT;
    PyObject *object = ints->objects[place];
    if (!object || ints->values[place] != value)
        return int_made(ints, value);
    Py_INCREF(object);
    return object;
}

#endif
