/* Attributes of views, remembered by name.  Most of the time of `pkt.tcp` is Python's way from the
 * name to the getter; here that is walked once for each name and type. */
#ifndef PLT_LOOKUP_H
#define PLT_LOOKUP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum { LOOKUP_PLACES = 256, LOOKUP_TRIES = 4 };

/* What a name is in a type. */
struct lookup {
    PyObject *name;       /* owned: an interned str, or NULL */
    unsigned int version; /* of the type: each change of it, or of a base, gives it another */
    getter get;
    void *closure;
};

/* Part of the module's state, used under the GIL; a name is at one of a few places in a row. */
struct lookups {
    struct lookup places[LOOKUP_PLACES + LOOKUP_TRIES - 1];
    unsigned int turn;
};

/* The tp_getattro of views: what PyObject_GenericGetAttr() gives, sooner. */
PyObject *lookup_attribute(PyObject *self_, PyObject *name);
void lookups_clear(struct lookups *lookups);

#endif
