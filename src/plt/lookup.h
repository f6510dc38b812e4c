/* Attributes of objects, remembered by name.  Python's way from the name in `pkt.tcp` to the getter
 * takes longer than most getters; here it is walked once for each name and type. */
#ifndef PLT_LOOKUP_H
#define PLT_LOOKUP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum { LOOKUP_PLACES = 256, LOOKUP_TRIES = 4 };

/* What a name is in a type.  A type's version tag is unique in the process, and 0 from a change of
 * the type, or of a base, until its next look-up: where it is the one remembered, the type has the
 * same descriptor for the name.  Such a descriptor goes before what is in an object's __dict__. */
struct lookup {
    PyObject *name;       /* owned: an interned str, or NULL */
    unsigned int version; /* of the type */
    getter get;
    void *closure;
};

/* Part of a module's state, used under the GIL; a name is at one of a few places in a row. */
struct lookups {
    struct lookup places[LOOKUP_PLACES + LOOKUP_TRIES - 1];
    unsigned int turn;
};

/* Of a name that is not at the first of its places. */
PyObject *lookup_further(struct lookups *lookups, PyObject *self_, PyObject *name);
void lookups_clear(struct lookups *lookups);

static inline struct lookup *lookup_place(struct lookups *lookups, const PyObject *name,
                                          unsigned int version)
{
    return &lookups->places[((uintptr_t)name / sizeof(void *) + version) % LOOKUP_PLACES];
}

/* What PyObject_GenericGetAttr() gives, sooner. */
static inline PyObject *lookup_attribute(struct lookups *lookups, PyObject *self_, PyObject *name)
{
    unsigned int version = Py_TYPE(self_)->tp_version_tag;
    const struct lookup *place = lookup_place(lookups, name, version);
    if (place->name != name || place->version != version)
        return lookup_further(lookups, self_, name);
    return place->get(self_, place->closure);
}

#endif
