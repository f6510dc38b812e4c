/* The state of the module ipp._ipp. */
#ifndef IPP_IPP_H
#define IPP_IPP_H

#include "common/capi.h"
#include "common/spare.h"

struct ipp_state {
    struct ipp_api api; /* what the capsule points to; it owns its prefix_type; the first member */
    PyTypeObject *array_type; /* owned */
    struct spares prefixes;
};

extern struct PyModuleDef ipp_module;

/* The state of the module that made type, or a base of it; NULL with an exception. */
struct ipp_state *ipp_state_of(PyTypeObject *type);

#endif
