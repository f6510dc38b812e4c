/* The name of a trace or an output trace. */
#include "uri.h"

#include "common/hasattribute.h"

bool uri_init(PyObject **uri)
{
    *uri = PyUnicode_FromString("");
    return *uri != NULL;
}

/* Set a name, which is consumed, where there is none yet: 1, or 0 where the name stays, or -1 with
 * MemoryError.  That of a subclass of str becomes a str, which holds nothing else. */
static int set_name(PyObject **uri, PyObject *name)
{
    PyObject *exact = PyUnicode_FromObject(name);
    Py_DECREF(name);
    if (!exact)
        return -1;
    if (PyUnicode_GET_LENGTH(*uri) > 0) {
        Py_DECREF(exact);
        return 0;
    }
    Py_SETREF(*uri, exact);
    return 1;
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
    return set_name(uri, decoded);
}

/* What messages call an open file. */
static PyObject *name_of_file(PyObject *file)
{
    PyObject *name = PyObject_GetAttrString(file, "name");
    if (name && PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) > 0)
        return name;
    Py_XDECREF(name);
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    PyErr_Clear();
    return PyUnicode_FromFormat("<%s>", Py_TYPE(file)->tp_name);
}

/* Whether a source is a file that is open, and no path: 1 or 0, or -1 with an exception. */
static int is_open_file(PyObject *source)
{
    if (PyUnicode_Check(source) || PyBytes_Check(source))
        return 0;
    int is_path = has_attribute(source, "__fspath__");
    return is_path ? (is_path < 0 ? -1 : 0) : has_attribute(source, "read");
}

int uri_take_source(PyObject **uri, PyObject **origin, PyObject *source)
{
    PyObject *name = NULL;
    int is_file = is_open_file(source);
    if (is_file < 0)
        return -1;
    if (is_file)
        name = name_of_file(source);
    else if (!PyUnicode_FSDecoder(source, &name))
        return -1;
    if (!name)
        return -1;
    int taken = set_name(uri, name);
    if (taken > 0 && !PyUnicode_Check(source) && !PyBytes_Check(source)) {
        Py_INCREF(source);
        Py_XSETREF(*origin, source);
    }
    return taken;
}
