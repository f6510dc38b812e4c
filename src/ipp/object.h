/* What an IPprefix object holds, and how C code makes and reads one. */
#ifndef IPP_OBJECT_H
#define IPP_OBJECT_H

#include "common/capi.h"

struct prefix {
    PyObject ob_base;
    struct ipp_value value;
    Py_hash_t hash; /* -1 until it is asked for: version and addr never change */
};

static inline int ipp_bits(int version)
{
    return version == 4 ? 32 : 128;
}

/* The value of an object that is known to be an IPprefix. */
static inline struct ipp_value *ipp_value_of(PyObject *self_)
{
    return &((struct prefix *)self_)->value;
}

/* The capsule's two functions (capi.h). */
PyObject *ipp_prefix_new(const struct ipp_api *api, int version, const uint8_t *addr, int length);
int ipp_prefix_value(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);

/* The length as an int or None. */
PyObject *ipp_length_object(const struct ipp_value *value);
/* Raise the AttributeError for a length that is None; returns NULL. */
PyObject *ipp_no_length(void);
/* Read a length of at least lowest bits: 0, or -1 with out_of_range or TypeError. */
int ipp_read_length(PyObject *obj, struct ipp_value *value, int lowest, PyObject *out_of_range);

#endif
