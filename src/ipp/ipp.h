/* What the files of the ipp module share: its state, its one object and the helpers on its value.
 */
#ifndef IPP_IPP_H
#define IPP_IPP_H

#include "common/capi.h"

struct ipp_state {
    /* What the capsule points at; its prefix_type is the state's own (strong) reference. */
    struct ipp_api api;
    PyTypeObject *array_type; /* owned */
};

struct prefix {
    PyObject_HEAD struct ipp_value value;
    Py_hash_t hash; /* -1 until it is asked for: version and addr never change */
};

/* Room for the longest text, an IPv6 address of 39 characters, "/128" and the NUL. */
enum { IPP_TEXT_SIZE = 44 };

extern struct PyModuleDef ipp_module;
extern PyType_Spec ipp_prefix_spec;
extern PyType_Spec ipp_array_spec;
extern PyGetSetDef ipp_prefix_getset[];
extern PyMethodDef ipp_prefix_methods[];

static inline int ipp_bits(int version)
{
    return version == 4 ? 32 : 128;
}

/* The value of an object that is known to be an IPprefix. */
static inline struct ipp_value *ipp_value_of(PyObject *self_)
{
    return &((struct prefix *)self_)->value;
}

/* The state of the module that made type, or a base of it; NULL with an exception. */
struct ipp_state *ipp_state_of(PyTypeObject *type);

/* The capsule's two functions. */
PyObject *ipp_prefix_new(const struct ipp_api *api, int version, const uint8_t *addr, int length);
int ipp_prefix_value(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);

/* Parses "a[/len]": 0, or -1 with TypeError or ValueError. */
int ipp_value_parse(PyObject *text, struct ipp_value *out);
/* Writes the text of value, and its NUL, at to. */
void ipp_value_format(const struct ipp_value *value, char to[IPP_TEXT_SIZE]);

/* The length as an int or None. */
PyObject *ipp_length_object(const struct ipp_value *value);
/* Raises the AttributeError for a length that is None; always NULL. */
PyObject *ipp_no_length(void);
/* Reads a length of at least lowest bits: 0, or -1 with out_of_range or TypeError. */
int ipp_read_length(PyObject *obj, struct ipp_value *value, int lowest, PyObject *out_of_range);

/* Many addresses at once, in bulk.c: two functions of the module, and a method. */
PyObject *ipp_format(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *ipp_parse(PyObject *module, PyObject *texts);
PyObject *ipp_contains(PyObject *self_, PyObject *args, PyObject *kwargs);

/* The writable memory of a new array of rows of width bytes, all zero, and in *view a memoryview of
 * it that has its shape: (rows, width), or (rows,) where width is 1.  NULL with an exception. */
uint8_t *ipp_array_new(const struct ipp_state *state, Py_ssize_t rows, Py_ssize_t width,
                       const char *format, PyObject **view);

/* Methods in stdlib.c. */
PyObject *ipp_from_ipaddress(PyObject *cls_, PyObject *obj);
PyObject *ipp_to_ipaddress(PyObject *self_, PyObject *unused);
PyObject *ipp_reduce(PyObject *self_, PyObject *unused);

#endif
