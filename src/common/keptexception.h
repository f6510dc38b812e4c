/* An exception taken aside: until what was read before it is handed out, or while Python is called
 * to clean up.  With the GIL. */
#ifndef PLT_COMMON_KEPTEXCEPTION_H
#define PLT_COMMON_KEPTEXCEPTION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The pending exception, taken: a new reference, NULL where there is none. */
static inline PyObject *exception_take(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback && value)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

/* Make an exception pending again, whose reference it takes; NULL for none. */
static inline void exception_restore(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    if (error)
        PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(error)), error,
                      PyException_GetTraceback(error));
    else
        PyErr_Clear();
#endif
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
