/* The methods of an IPprefix. */
#ifndef IPP_METHODS_H
#define IPP_METHODS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* `obj in prefix`: 1, 0, or -1 with an exception. */
int ipp_prefix_holds(PyObject *self_, PyObject *obj);

extern PyMethodDef ipp_prefix_methods[];

#endif
