/* Attributes of objects, remembered by name. */
#include "lookup.h"

/* Remember the getter of a name where that is what the type has. */
static void remember(struct lookups *lookups, PyTypeObject *type, PyObject *name)
{
    PyObject *descriptor = _PyType_Lookup(type, name); /* borrowed; runs no code of a script's */
    unsigned int version = type->tp_version_tag;
    if (!descriptor || !version || !Py_IS_TYPE(descriptor, &PyGetSetDescr_Type) ||
        !PyType_IsSubtype(type, PyDescr_TYPE(descriptor)) || !PyUnicode_CHECK_INTERNED(name))
        return;
    const PyGetSetDef *row = ((PyGetSetDescrObject *)descriptor)->d_getset;
    if (!row->get)
        return;
    struct lookup *place = lookup_place(lookups, name, version);
    int tries = 1;
    while (place->name && tries++ < LOOKUP_TRIES)
        place++;
    if (place->name) /* all are taken: each in its turn, that names in use come to stay */
        place -= lookups->turn++ % LOOKUP_TRIES;
    Py_INCREF(name);
    Py_XSETREF(place->name, name);
    place->version = version;
    place->get = row->get;
    place->closure = row->closure;
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
