/* Arrays of addresses that Python code gives: of NumPy's, memoryviews, bytes.  A row is an address,
 * as in plt's columns: 16 bytes, of which an IPv4 address takes the first 4; or 4 bytes. */
#ifndef PLT_BUFFERS_ADDRESSES_H
#define PLT_BUFFERS_ADDRESSES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

struct addresses {
    Py_buffer bytes;
    Py_buffer versions; /* its obj is NULL where all have one version */
    Py_ssize_t rows;
    Py_ssize_t width;    /* of a row: 4 or 16 */
    uint8_t one_version; /* 4, 6, or 0 where there are versions */
};

/* Take the buffers of an array of addresses and of its versions: 4, 6, a byte for each row, or None
 * for 4 where rows have 4 bytes and else 6.  0, or -1 with TypeError or ValueError; either way
 * addresses_release() is due. */
int addresses_read(PyObject *bytes, PyObject *versions, struct addresses *self);
void addresses_release(struct addresses *self);

/* What was given as the version of a row; 0 stands for a missing address. */
static inline uint8_t addresses_version(const struct addresses *self, Py_ssize_t row)
{
    return self->one_version ? self->one_version : ((const uint8_t *)self->versions.buf)[row];
}

/* The bytes of a row. */
static inline const uint8_t *addresses_at(const struct addresses *self, Py_ssize_t row)
{
    return (const uint8_t *)self->bytes.buf + row * self->width;
}

/* Whether a row may be of a version, 0 included: 4 bytes are no IPv6 address. */
static inline int addresses_can_be(const struct addresses *self, uint8_t version)
{
    return version == 0 || version == 4 || (version == 6 && self->width == 16);
}

/* Raise the ValueError for a row that can't be of its version; returns NULL. */
PyObject *addresses_bad_version(const struct addresses *self, Py_ssize_t row);

#endif
