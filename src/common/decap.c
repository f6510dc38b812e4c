/* The argument decap: whether to look into tunnels, and at which ports besides the assigned ones.
 */
#include "decap.h"

static int raise_kind(PyObject *kind)
{
    PyObject *names = PyList_New(0);
    PyObject *comma = names ? PyUnicode_FromString(", ") : NULL;
    PyObject *joined = NULL;
    for (int i = TUNNEL_NONE + 1; comma && i < TUNNEL_COUNT; i++) {
        if (!tunnel_kind_has_port((enum tunnel_kind)i))
            continue;
        PyObject *name = PyUnicode_FromString(tunnel_kind_name((enum tunnel_kind)i));
        if (!name || PyList_Append(names, name) < 0)
            Py_CLEAR(comma);
        Py_XDECREF(name);
    }
    joined = comma ? PyUnicode_Join(comma, names) : NULL;
    if (joined)
        PyErr_Format(PyExc_ValueError, "decap: %R is no tunnel over UDP; those are: %U", kind,
                     joined);
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_XDECREF(names);
    return -1;
}

static int add_port(struct tunnel_ports *ports, enum tunnel_kind kind, PyObject *number)
{
    enum { MOST_PORT = 65535 };
    int overflow = 0;
    PyObject *index = PyNumber_Index(number);
    long port = index ? PyLong_AsLongAndOverflow(index, &overflow) : -1;
    Py_XDECREF(index);
    if (!index)
        return -1;
    if (overflow || port < 1 || port > MOST_PORT) {
        PyErr_Format(PyExc_ValueError, "decap: a port is 1 to 65535, not %R", number);
        return -1;
    }
    if (ports->count == TUNNEL_MOST_PORTS) {
        PyErr_Format(PyExc_ValueError, "decap: there are more than %d ports", TUNNEL_MOST_PORTS);
        return -1;
    }
    ports->rows[ports->count].port = (uint16_t)port;
    ports->rows[ports->count++].kind = (uint8_t)kind;
    return 0;
}

/* The port of a kind, or several. */
static int add_ports(struct tunnel_ports *ports, PyObject *name, PyObject *numbers)
{
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (PyErr_Occurred())
        return -1;
    enum tunnel_kind kind = text ? tunnel_kind_of_name(text) : TUNNEL_NONE;
    if (!tunnel_kind_has_port(kind))
        return raise_kind(name);
    if (PyIndex_Check(numbers))
        return add_port(ports, kind, numbers);
    PyObject *iterator = PyObject_GetIter(numbers);
    PyObject *number = NULL;
    int status = 0;
    while (iterator && status == 0 && (number = PyIter_Next(iterator))) {
        status = add_port(ports, kind, number);
        Py_DECREF(number);
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

int decap_read(PyObject *decap, bool *enters, struct tunnel_ports *ports)
{
    ports->count = 0;
    *enters = decap == Py_True;
    if (PyBool_Check(decap))
        return 0;
    if (!PyMapping_Check(decap) || PySequence_Check(decap)) {
        PyErr_Format(PyExc_TypeError,
                     "decap must be a bool or a dict of kinds and ports, not %.100s",
                     Py_TYPE(decap)->tp_name);
        return -1;
    }
    *enters = true;
    PyObject *items = PyMapping_Items(decap);
    int status = items ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        PyObject *name = NULL;
        PyObject *numbers = NULL;
        status = PyTuple_Check(item) && PyArg_ParseTuple(item, "OO", &name, &numbers)
                     ? add_ports(ports, name, numbers)
                     : -1;
    }
    if (status < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "decap: its items() are no pairs");
    Py_XDECREF(items);
    return status;
}

PyObject *decap_object(bool enters, const struct tunnel_ports *ports)
{
    if (ports->count == 0)
        return PyBool_FromLong(enters);
    PyObject *result = PyDict_New();
    for (unsigned i = 0; result && i < ports->count; i++) {
        PyObject *name =
            PyUnicode_FromString(tunnel_kind_name((enum tunnel_kind)ports->rows[i].kind));
        PyObject *port = name ? PyLong_FromLong(ports->rows[i].port) : NULL;
        PyObject *none = port ? PyList_New(0) : NULL;
        PyObject *list = none ? PyDict_SetDefault(result, name, none) : NULL; /* borrowed */
        if (!list || PyList_Append(list, port) < 0)
            Py_CLEAR(result);
        Py_XDECREF(none);
        Py_XDECREF(port);
        Py_XDECREF(name);
    }
    return result;
}
