/* The name of a trace or an output trace. */
#ifndef PLT_URI_H
#define PLT_URI_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

/* A trace's name, empty at first; false with an exception. */
bool uri_init(PyObject **uri);
/* What __init__() of a trace or an output trace does: take the argument uri where there is no name
 * yet.  1, 0 where the name stays, -1 with an exception; format is PyArg_ParseTupleAndKeywords's.
 */
int uri_take(PyObject **uri, PyObject *args, PyObject *kwargs, const char *format);
/* The same of what a trace is read from: also an open binary file, whose name is taken.  *origin,
 * which is owned then, is what was given, unless that is text. */
int uri_take_source(PyObject **uri, PyObject **origin, PyObject *source);

#endif
