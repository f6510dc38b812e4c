/* An exception that waits until what was read before it is handed out.  With the GIL. */
#ifndef PLT_COMMON_KEPTEXCEPTION_H
#define PLT_COMMON_KEPTEXCEPTION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The pending exception, taken: a new reference. */
static inline PyObject *exception_take(void)
{
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback && value)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Raise what *kept holds, which is NULL then; returns NULL. */
static inline PyObject *exception_raise(PyObject **kept)
{
    PyObject *error = *kept;

    *kept = NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return NULL;
}

#endif
