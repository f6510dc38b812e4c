/* Attributes of objects, remembered by name. */
#include "lookup.h"

#include <stdbool.h>

/* What a type has by a name, borrowed; NULL without.  Runs no code of a script's. */
static PyObject *in_type(const PyTypeObject *type, PyObject *name)
{
    PyObject *bases = type->tp_mro;
    PyObject *found = NULL;
    for (Py_ssize_t i = 0; bases && !found && i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(bases, i))->tp_dict;
        found = dict ? PyDict_GetItemWithError(dict, name) : NULL;
    }
    PyErr_Clear();
    return found;
}

/* The getter of what has none of its own: a method, an attribute of a subclass. */
static PyObject *get_by_name(PyObject *self_, void *name)
{
    return PyObject_GenericGetAttr(self_, name);
}

/* Remember how an attribute is got. */
static void remember(struct lookups *lookups, PyTypeObject *type, PyObject *name)
{
    unsigned int version = type->tp_version_tag;
    if (!version || !PyUnicode_CHECK_INTERNED(name))
        return;
    PyObject *descriptor = in_type(type, name);
    bool is_getter = descriptor && Py_IS_TYPE(descriptor, &PyGetSetDescr_Type) &&
                     PyType_IsSubtype(type, PyDescr_TYPE(descriptor));
    const PyGetSetDef *row = is_getter ? ((PyGetSetDescrObject *)descriptor)->d_getset : NULL;
    if (row && !row->get)
        row = NULL;
    struct lookup *place = lookup_place(lookups, name, version);
    int tries = 1;
    while (place->name && tries++ < LOOKUP_TRIES)
        place++;
    if (place->name) /* all are taken: each in its turn, that names in use come to stay */
        place -= lookups->turn++ % LOOKUP_TRIES;
    Py_INCREF(name);
    Py_XSETREF(place->name, name);
    place->version = version;
    place->get = row ? row->get : get_by_name;
    place->closure = row ? row->closure : name;
}

/* Not inlined, which would make the way past it longer. */
__attribute__((noinline)) PyObject *lookup_further(struct lookups *lookups, PyObject *self_,
                                                   PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self_);
    unsigned int version = type->tp_version_tag;
    const struct lookup *place = lookup_place(lookups, name, version);
    for (int i = 0; i < LOOKUP_TRIES && place->name; i++, place++)
        if (place->name == name && place->version == version)
            return place->get(self_, place->closure);
    PyObject *result = PyObject_GenericGetAttr(self_, name);
    if (result)
        remember(lookups, type, name);
    return result;
}

void lookups_clear(struct lookups *lookups)
{
    for (size_t i = 0; i < sizeof(lookups->places) / sizeof(lookups->places[0]); i++)
        Py_CLEAR(lookups->places[i].name);
}
