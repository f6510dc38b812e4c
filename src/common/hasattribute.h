/* Whether an object has an attribute: PyObject_HasAttrString() says no when out of memory, too. */
#ifndef COMMON_HASATTRIBUTE_H
#define COMMON_HASATTRIBUTE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* 1 where it has, 0 where not, -1 with an exception that is no AttributeError. */
static inline int has_attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    Py_XDECREF(value);
    if (value)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

#endif
