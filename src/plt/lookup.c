/* Attributes of views, remembered by name. */
#include "lookup.h"

#include "state.h"
#include "view.h"

/* A type's version tag is unique in the process, and 0 from a change of the type until its next
 * look-up: where it is the one remembered, the type has the same descriptor for the name.  Such a
 * descriptor takes precedence over what is in an object's __dict__. */

static struct lookup *first_place(struct lookups *lookups, const PyObject *name,
                                  unsigned int version)
{
    return &lookups->places[((uintptr_t)name / sizeof(void *) + version) % LOOKUP_PLACES];
}

/* Remember the getter of a name where that is what the type has. */
static void remember(struct lookups *lookups, PyTypeObject *type, PyObject *name)
{
    PyObject *descriptor = _PyType_Lookup(type, name); /* borrowed; runs no code of a script's */
    unsigned int version = type->tp_version_tag;
    if (!descriptor || !version || !Py_IS_TYPE(descriptor, &PyGetSetDescr_Type) ||
        !PyType_IsSubtype(type, PyDescr_TYPE(descriptor)) || !PyUnicode_CHECK_INTERNED(name))
        return;
    const PyGetSetDef *row = ((PyGetSetDescrObject *)descriptor)->d_getset;
    struct lookup *place = first_place(lookups, name, version);
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

/* Of a name that is not in the first of its places; apart, so that the other way is short. */
__attribute__((noinline)) static PyObject *look_further(PyObject *self_, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self_);
    struct lookups *lookups = &((struct view *)self_)->frame->state->lookups;
    unsigned int version = type->tp_version_tag;
    const struct lookup *place = first_place(lookups, name, version);
    for (int i = 0; i < LOOKUP_TRIES && place->name; i++, place++)
        if (place->name == name && place->version == version)
            return place->get(self_, place->closure);
    PyObject *result = PyObject_GenericGetAttr(self_, name);
    if (result)
        remember(lookups, type, name);
    return result;
}

PyObject *lookup_attribute(PyObject *self_, PyObject *name)
{
    const struct frame *frame = ((struct view *)self_)->frame;
    unsigned int version = Py_TYPE(self_)->tp_version_tag;
    if (!frame) /* an empty packet does not know the module's state */
        return PyObject_GenericGetAttr(self_, name);
    const struct lookup *place = first_place(&frame->state->lookups, name, version);
    if (place->name != name || place->version != version)
        return look_further(self_, name);
    return place->get(self_, place->closure);
}

void lookups_clear(struct lookups *lookups)
{
    for (size_t i = 0; i < sizeof(lookups->places) / sizeof(lookups->places[0]); i++)
        Py_CLEAR(lookups->places[i].name);
}
