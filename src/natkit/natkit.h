/* The state of the module natkit._natkit, and how the files of natkit get at it. */
#ifndef NATKIT_NATKIT_H
#define NATKIT_NATKIT_H

#include "common/capi.h"
#include "common/batch.h"
#include "common/spare.h"

enum { NATKIT_SHARED_RESULTS = 16 };

struct natkit_state {
    PyTypeObject *ipflow_type;      /* owned: IPflow */
    PyTypeObject *home_type;        /* owned: FlowHome */
    PyTypeObject *pan_type;         /* owned: CryptoPan */
    PyTypeObject *table_type;       /* owned: FlowTable */
    PyTypeObject *flow_object_type; /* owned: Flow */
    PyTypeObject *flows_type;       /* owned: Flows */
    PyTypeObject *iterator_type;    /* owned: what iterates over a FlowTable */
    PyTypeObject *stream_type;      /* owned: Stream */
    PyTypeObject *way_type;         /* owned: StreamWay */
    PyTypeObject *reader_type;      /* owned: what reads streams */
    PyObject *result_type;          /* owned: natkit._anonymised.Anonymised */
    /* owned: the Anonymised of packets in which nothing was unknown, by the number of addresses
     * that were replaced; NULL until needed */
    PyObject *results[NATKIT_SHARED_RESULTS];
    struct batch_types batch_types;
    struct spares ipflows;
    PyObject *ipp;                 /* owned: the module ipp._ipp, which owns the next */
    const struct ipp_api *ipp_api; /* borrowed */
    PyObject *plt;                 /* owned: the module plt._plt, which owns the next */
    const struct plt_api *plt_api; /* borrowed */
};

extern struct PyModuleDef natkit_module;

/* The state of the module that made type, or a base of it; NULL with an exception. */
struct natkit_state *natkit_state_of(PyTypeObject *type);
/* An attribute of an object, as PyObject_GetAttrString: that makes a new str of the name each time,
 * and the interpreter's cache of attributes keeps thousands of them. */
PyObject *natkit_attribute(PyObject *obj, const char *name);
/* What a Python subclass has added to an object, for pickle: its __dict__ and __slots__. */
PyObject *natkit_added_state(PyObject *obj);

#endif
