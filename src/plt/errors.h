/* Exceptions that several files raise. */
#ifndef PLT_ERRORS_H
#define PLT_ERRORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct plt_state;

/* Set LibtraceError; NULL. */
PyObject *trace_error(PyObject *self_, const char *text);
/* Give the pending exception as LibtraceError where it is a stream's, not the user's; NULL.
 * format takes the URI, what the exception says, and n. */
PyObject *trace_error_from(struct plt_state *state, const char *format, PyObject *uri,
                           unsigned long long n);
/* ValueError("Data too short for NAME"); NULL. */
PyObject *too_short(const char *name);

#endif
