/* Exceptions that several files raise. */
#ifndef PLT_ERRORS_H
#define PLT_ERRORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct plt_state;

/* Raise LibtraceError, as a method of a type of plt; NULL. */
PyObject *raise_error(PyObject *self_, const char *text);
/* Raise the pending exception as LibtraceError where a stream raised it, leave it where the user's
 * code did; NULL.  format takes the URI, what the exception says, and n. */
PyObject *raise_error_from(struct plt_state *state, const char *format, PyObject *uri,
                           unsigned long long n);
/* ValueError("Data too short for NAME"); NULL. */
PyObject *too_short(const char *name);

#endif
