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

#endif
