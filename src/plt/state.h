/* The state of the module plt._plt: its types, and what it borrows from other modules. */
#ifndef PLT_STATE_H
#define PLT_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "common/capi.h"
#include "common/batch.h"
#include "common/spare.h"
#include "ints.h"
#include "lookup.h"
#include "types.h"

struct plt_state {
    PyTypeObject *views[VIEW_COUNT]; /* owned */
    PyTypeObject *trace_type;        /* owned */
    PyTypeObject *filter_type;       /* owned */
    PyTypeObject *where_type;        /* owned */
    PyTypeObject *output_type;       /* owned */
    struct batch_types batch_types;
    PyTypeObject *reader_type;       /* owned */
    PyTypeObject *defragmented_type; /* owned */
    PyObject *error;                 /* owned: LibtraceError */
    PyObject *tunnel_type;           /* owned: plt._tunnel.Tunnel */
    PyObject *ipp;                   /* owned: the module ipp._ipp, which owns the next */
    const struct ipp_api *ipp_api;   /* borrowed */
    const void *datetime;            /* borrowed from the interpreter: its PyDateTime_CAPI */
    struct plt_api api;              /* what the capsule holds */
    size_t view_size;                /* of the largest of them */
    struct spares spare_views;       /* of that size: they have one struct */
    struct frame_buffer *to_release; /* owned, or NULL: buffers that wait for their turn */
    bool releases;                   /* buffers are being released */
    struct ints ints;                /* of fields of views */
    struct lookups lookups;          /* of attributes of views */
};

extern struct PyModuleDef plt_module;

/* For the module's garbage collection. */
int state_traverse(PyObject *module, visitproc visit, void *arg);
int state_clear(PyObject *module);
/* The state of the module that made a type, or NULL with an exception. */
struct plt_state *plt_state_of(PyTypeObject *type);

#endif
