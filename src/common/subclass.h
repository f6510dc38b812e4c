/* Types that make their objects in tp_new, and may be subclassed. */
#ifndef SUBCLASS_H
#define SUBCLASS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Their tp_init: tp_new did it all, and a subclass's __init__ may call this with what it gave. */
static inline int subclass_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args),
                                PyObject *Py_UNUSED(kwargs))
{
    return 0;
}

/* The one argument of tp_new, borrowed; NULL with TypeError.  Where a subclass has an __init__ of
 * its own the first is taken: the others are its own too. */
static inline PyObject *subclass_argument(PyTypeObject *type, PyObject *args, PyObject *kwargs,
                                          const char *format, char *name)
{
    char *names[] = {name, NULL};
    PyObject *found = NULL;
    if (type->tp_init != subclass_init) {
        found = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0)
                : kwargs                   ? PyDict_GetItemString(kwargs, name)
                                           : NULL;
        if (found)
            return found;
    }
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &found) ? found : NULL;
}

#endif
