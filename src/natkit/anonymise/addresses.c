/* CryptoPan.addresses(): many addresses at once, in arrays as plt's columns have them. */
#include "addresses.h"

#include <string.h>

/* So many rows at least are worth a mapping of their own, with which the GIL is not needed. */
#define MANY 1024
/* Rows between two looks for signals: a few hundredths of a second of IPv6. */
#define CHUNK 65536

struct rows {
    Py_buffer bytes;
    Py_buffer versions; /* its obj is NULL where all rows have one version */
    Py_ssize_t count;
    Py_ssize_t width;    /* of a row: 4 or 16 */
    uint8_t one_version; /* 4, 6, or 0 where there are versions */
};

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

static int read_bytes(PyObject *obj, struct rows *self)
{
    const Py_buffer *bytes = &self->bytes;

    if (read_buffer(obj, "addresses", &self->bytes) < 0)
        return -1;
    self->width = bytes->ndim == 2 ? bytes->shape[1] : 16;
    if (bytes->ndim < 1 || bytes->ndim > 2 || (self->width != 4 && self->width != 16) ||
        bytes->len % self->width != 0) {
        PyErr_SetString(PyExc_ValueError, "addresses must be rows of 16 or 4 bytes");
        return -1;
    }
    self->count = bytes->len / self->width;
    return 0;
}

static int read_one_version(PyObject *obj, struct rows *self)
{
    Py_ssize_t version = PyNumber_AsSsize_t(obj, NULL);

    if (version == -1 && PyErr_Occurred())
        return -1;
    if (version != 4 && version != 6) {
        PyErr_SetString(PyExc_ValueError, "version must be 4 or 6");
        return -1;
    }
    if (version == 6 && self->width == 4) {
        PyErr_SetString(PyExc_ValueError, "addresses of 4 bytes can't be IPv6");
        return -1;
    }
    self->one_version = (uint8_t)version;
    return 0;
}

static int read_versions(PyObject *obj, struct rows *self)
{
    if (obj == Py_None) {
        self->one_version = self->width == 4 ? 4 : 6;
        return 0;
    }
    if (PyLong_Check(obj))
        return read_one_version(obj, self);
    if (read_buffer(obj, "versions", &self->versions) < 0)
        return -1;
    if (self->versions.ndim == 0) { /* a scalar of NumPy's */
        PyBuffer_Release(&self->versions);
        return read_one_version(obj, self);
    }
    if (self->versions.ndim == 1 && self->versions.len == self->count)
        return 0;
    PyErr_Format(PyExc_ValueError, "there are %zd addresses and %zd versions", self->count,
                 self->versions.len);
    return -1;
}

/* The version of a row; -1 where it can't be. */
static int version_of(const struct rows *self, Py_ssize_t row)
{
    if (self->one_version)
        return self->one_version;
    int version = ((const uint8_t *)self->versions.buf)[row];
    return version == 0 || version == 4 || (version == 6 && self->width == 16) ? version : -1;
}

/* Map rows of zeroed memory from one on, up to another; the row that ended it. */
static Py_ssize_t map_rows(const struct rows *self, struct cryptopan *pan, uint8_t *to,
                           Py_ssize_t row, Py_ssize_t end)
{
    for (; row < end; row++) {
        uint8_t *addr = to + row * self->width;
        int version = version_of(self, row);
        if (version < 0)
            break;
        if (version == 0)
            continue;
        memcpy(addr, (const uint8_t *)self->bytes.buf + row * self->width, version == 4 ? 4 : 16);
        cryptopan_anonymise(pan, version, addr);
    }
    return row;
}

/* All rows: 0, or -1 with an exception. */
static int map_all(const struct rows *self, struct cryptopan *own, uint8_t *to)
{
    struct cryptopan *pan = own;
    Py_ssize_t row = 0;
    int result = 0;

    if (self->count >= MANY && !(pan = cryptopan_copy(own))) {
        PyErr_NoMemory();
        return -1;
    }
    while (row < self->count && result == 0) {
        Py_ssize_t end = self->count - row > CHUNK ? row + CHUNK : self->count;
        if (pan == own) {
            row = map_rows(self, pan, to, row, end);
        } else {
            Py_BEGIN_ALLOW_THREADS
            row = map_rows(self, pan, to, row, end);
            Py_END_ALLOW_THREADS
            result = PyErr_CheckSignals();
        }
        if (row < end && result == 0) {
            PyErr_Format(PyExc_ValueError, "address %zd of %zd bytes can't be of version %d", row,
                         self->width, ((const uint8_t *)self->versions.buf)[row]);
            result = -1;
        }
    }
    if (result == 0)
        result = natkit_pan_check(pan);
    if (pan != own)
        cryptopan_free(pan);
    return result;
}

/* A view of a bytearray with rows, which memoryview.cast() refuses to make without any. */
static PyObject *shaped(PyObject *array, const struct rows *self)
{
    PyObject *flat = PyMemoryView_FromObject(array);
    Py_ssize_t room = self->count ? self->count : 1;
    PyObject *view = flat;

    if (flat && self->bytes.ndim == 2) {
        view = PyObject_CallMethod(flat, "cast", "s(nn)", "B", room, self->width);
        Py_DECREF(flat);
    }
    if (!view || self->count > 0)
        return view;
    PyObject *end = PyLong_FromLong(0);
    PyObject *slice = end ? PySlice_New(NULL, end, NULL) : NULL;
    PyObject *empty = slice ? PyObject_GetItem(view, slice) : NULL;
    Py_XDECREF(slice);
    Py_XDECREF(end);
    Py_DECREF(view);
    return empty;
}

PyObject *natkit_pan_addresses(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char addresses_word[] = "addresses", version_word[] = "version";
    static char *keywords[] = {addresses_word, version_word, NULL};
    const struct natkit_pan *self = (struct natkit_pan *)self_;
    PyObject *bytes = NULL, *versions = Py_None; /* borrowed from args */
    PyObject *array = NULL;
    PyObject *result = NULL;
    struct rows rows = {.count = 0};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:addresses", keywords, &bytes, &versions))
        return NULL;
    if (read_bytes(bytes, &rows) == 0 && read_versions(versions, &rows) == 0)
        array = PyByteArray_FromStringAndSize(NULL, rows.count ? rows.bytes.len : rows.width);
    if (array) {
        uint8_t *to = (uint8_t *)PyByteArray_AS_STRING(array);
        memset(to, 0, (size_t)PyByteArray_GET_SIZE(array));
        if (map_all(&rows, self->pan, to) == 0)
            result = shaped(array, &rows);
        Py_DECREF(array);
    }
    if (rows.bytes.obj)
        PyBuffer_Release(&rows.bytes);
    if (rows.versions.obj)
        PyBuffer_Release(&rows.versions);
    return result;
}
