/* Calls of a package's Python part, for what takes no speed. */
#ifndef PLT_COMMON_ROOM_H
#define PLT_COMMON_ROOM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What a function of a Python module gives for an object; NULL with an exception. */
static inline PyObject *room_call(const char *module, const char *function, PyObject *self)
{
    PyObject *room = PyImport_ImportModule(module);
    PyObject *result = room ? PyObject_CallMethod(room, function, "O", self) : NULL;
    Py_XDECREF(room);
    return result;
}

#endif
