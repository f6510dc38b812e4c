/* Ints that are given again and again. */
#include "ints.h"

/* Not inlined, which would make the way past it longer. */
__attribute__((noinline)) PyObject *int_made(struct ints *ints, uint32_t value)
{
    size_t place = value % INTS_KEPT;
    PyObject *object = PyLong_FromUnsignedLong(value);
    if (!object)
        return NULL;
    Py_INCREF(object);
    Py_XSETREF(ints->objects[place], object);
    ints->values[place] = value;
    return object;
}

void ints_clear(struct ints *ints)
{
    for (size_t i = 0; i < INTS_KEPT; i++)
        Py_CLEAR(ints->objects[i]);
}
