/* Checks the buffers of addresses and versions once, so that rows are read without any check. */
#include "addresses.h"

/* The buffer of an object, C-contiguous and of single bytes: 0, or -1 with an exception. */
static int read_buffer(PyObject *obj, const char *what, Py_buffer *buffer)
{
    if (PyObject_GetBuffer(obj, buffer, PyBUF_ND | PyBUF_FORMAT) < 0) {
        buffer->obj = NULL;
        if (PyErr_ExceptionMatches(PyExc_BufferError) || PyErr_ExceptionMatches(PyExc_ValueError))
            PyErr_Format(PyExc_ValueError, "%s must be contiguous, row by row", what);
        return -1;
    }
    if (buffer->itemsize != 1) {
        PyErr_Format(PyExc_ValueError, "%s must be bytes, not items of %zd bytes", what,
                     buffer->itemsize);
        return -1;
    }
    return 0;
}

static int read_bytes(PyObject *obj, struct addresses *self)
{
    const Py_buffer *bytes = &self->bytes;
    if (!PyObject_CheckBuffer(obj)) {
        PyErr_Format(PyExc_TypeError, "addresses must be an array or bytes-like, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (read_buffer(obj, "addresses", &self->bytes) < 0)
        return -1;
    self->width = bytes->ndim == 2 ? bytes->shape[1] : 16;
    if (bytes->ndim < 1 || bytes->ndim > 2 || (self->width != 4 && self->width != 16)) {
        PyErr_SetString(PyExc_ValueError, "addresses must be rows of 16 or 4 bytes");
        return -1;
    }
    if (bytes->len % self->width != 0) {
        PyErr_Format(PyExc_ValueError,
                     "addresses must be rows of 16 or 4 bytes, or 16 bytes each, not %zd in all",
                     bytes->len);
        return -1;
    }
    self->rows = bytes->len / self->width;
    return 0;
}

static int read_one_version(PyObject *obj, struct addresses *self)
{
    Py_ssize_t version = PyNumber_AsSsize_t(obj, NULL);
    if (version == -1 && PyErr_Occurred())
        return -1;
    if (version != 4 && version != 6) {
        PyErr_SetString(PyExc_ValueError, "version must be 4 or 6");
        return -1;
    }
    if (!addresses_can_be(self, (uint8_t)version)) {
        PyErr_SetString(PyExc_ValueError, "addresses of 4 bytes can't be IPv6");
        return -1;
    }
    self->one_version = (uint8_t)version;
    return 0;
}

static int read_versions(PyObject *obj, struct addresses *self)
{
    if (obj == Py_None) {
        self->one_version = self->width == 4 ? 4 : 6;
        return 0;
    }
    if (PyLong_Check(obj))
        return read_one_version(obj, self);
    if (!PyObject_CheckBuffer(obj)) {
        PyErr_Format(PyExc_TypeError, "version must be 4, 6, an array or bytes-like, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (read_buffer(obj, "versions", &self->versions) < 0)
        return -1;
    if (self->versions.ndim == 0) { /* a NumPy scalar */
        PyBuffer_Release(&self->versions);
        return read_one_version(obj, self);
    }
    if (self->versions.ndim != 1 || self->versions.len != self->rows) {
        PyErr_Format(PyExc_ValueError, "there are %zd addresses and %zd versions", self->rows,
                     self->versions.len);
        return -1;
    }
    return 0;
}

int addresses_read(PyObject *bytes, PyObject *versions, struct addresses *self)
{
    *self = (struct addresses){.rows = 0};
    return read_bytes(bytes, self) < 0 || read_versions(versions, self) < 0 ? -1 : 0;
}

void addresses_release(struct addresses *self)
{
    if (self->bytes.obj)
        PyBuffer_Release(&self->bytes);
    if (self->versions.obj)
        PyBuffer_Release(&self->versions);
}

PyObject *addresses_bad_version(const struct addresses *self, Py_ssize_t row)
{
    PyErr_Format(PyExc_ValueError, "address %zd of %zd bytes can't be of version %d", row,
                 self->width, addresses_version(self, row));
    return NULL;
}
