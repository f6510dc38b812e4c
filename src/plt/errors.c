/* Exceptions that several files raise. */
#include "errors.h"

#include "common/keptexception.h"

#include "state.h"

PyObject *too_short(const char *name)
{
    PyErr_Format(PyExc_ValueError, "Data too short for %s", name);
    return NULL;
}

PyObject *raise_error(PyObject *self_, const char *text)
{
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (state)
        PyErr_SetString(state->error, text);
    return NULL;
}

/* Whether an exception is a stream's and not a signal handler's: 1, 0, or -1 with another. */
static int is_own(PyObject *error)
{
    PyObject *module = PyImport_ImportModule("plt._origin");
    PyObject *answer = module ? PyObject_CallMethod(module, "is_own", "O", error) : NULL;
    int own = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    Py_XDECREF(module);
    return own;
}

/* What an exception says: the system's words of an OSError without its number. */
static PyObject *text_of(PyObject *error)
{
    PyObject *text = PyObject_GetAttrString(error, "strerror");
    if (!text || text == Py_None) {
        PyErr_Clear();
        Py_XDECREF(text);
        text = PyObject_Str(error);
    }
    return text;
}

PyObject *raise_error_from(struct plt_state *state, const char *format, PyObject *uri,
                           unsigned long long n)
{
    if (!PyErr_ExceptionMatches(PyExc_OSError) && !PyErr_ExceptionMatches(PyExc_EOFError))
        return NULL;
    PyObject *error = exception_take();
    int own = is_own(error);
    if (own == 0) {
        exception_restore(error);
        return NULL;
    }
    PyObject *text = own > 0 ? text_of(error) : NULL;
    if (text)
        PyErr_Format(state->error, format, uri, text, n);
    Py_XDECREF(text);
    Py_DECREF(error);
    return NULL;
}
