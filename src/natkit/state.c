/* The module's state as seen from its types, and what the pickles of several types need. */
#include "natkit.h"

struct natkit_state *natkit_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &natkit_module);
    return module ? PyModule_GetState(module) : NULL;
}

PyObject *natkit_attribute(PyObject *obj, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    PyObject *attribute = interned ? PyObject_GetAttr(obj, interned) : NULL;
    Py_XDECREF(interned);
    return attribute;
}

PyObject *natkit_added_state(PyObject *obj)
{
    PyObject *method = natkit_attribute(obj, "__getstate__");
    PyObject *added = method ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    return added;
}
