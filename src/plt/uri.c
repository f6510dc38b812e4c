/* The name of a trace or an output trace. */
#include "uri.h"

bool uri_init(PyObject **uri)
{
    *uri = PyUnicode_FromString("");
    return *uri != NULL;
}

int uri_take(PyObject **uri, PyObject *args, PyObject *kwargs, const char *format)
{
    static char name[] = "uri";
    static char *names[] = {name, NULL};
    PyObject *path = NULL;
    PyObject *decoded = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &path) ||
        !PyUnicode_FSDecoder(path, &decoded))
        return -1;
    if (PyUnicode_GET_LENGTH(*uri) > 0) {
        Py_DECREF(decoded);
        return 0;
    }
    Py_SETREF(*uri, decoded);
    return 1;
}
