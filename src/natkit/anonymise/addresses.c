/* CryptoPan.addresses(): many addresses at once, in arrays as plt's columns have them. */
#include "addresses.h"

#include "buffers/addresses.h"

#include <string.h>

/* From so many rows on it is worth copying the mapping, with which the GIL is not needed. */
#define MANY 1024
/* Rows between two looks for signals: a few hundredths of a second of IPv6. */
#define CHUNK 65536

/* Map the rows from one up to another into zeroed memory; the row that can't be of its version, or
 * the end. */
static Py_ssize_t map_rows(const struct addresses *self, struct cryptopan *pan, uint8_t *to,
                           Py_ssize_t row, Py_ssize_t end)
{
    for (; row < end; row++) {
        uint8_t *addr = to + row * self->width;
        uint8_t version = addresses_version(self, row);
        if (!addresses_can_be(self, version))
            break;
        if (version == 0)
            continue;
        memcpy(addr, addresses_at(self, row), version == 4 ? 4 : 16);
        cryptopan_anonymise(pan, version, addr);
    }
    return row;
}

/* All rows: 0, or -1 with an exception. */
static int map_all(const struct addresses *self, struct cryptopan *own, uint8_t *to)
{
    struct cryptopan *pan = own;
    Py_ssize_t row = 0;
    int result = 0;
    if (self->rows >= MANY && !(pan = cryptopan_copy(own))) {
        PyErr_NoMemory();
        return -1;
    }
    while (row < self->rows && result == 0) {
        Py_ssize_t end = self->rows - row > CHUNK ? row + CHUNK : self->rows;
        if (pan == own) {
            row = map_rows(self, pan, to, row, end);
        } else {
            Py_BEGIN_ALLOW_THREADS
            row = map_rows(self, pan, to, row, end);
            Py_END_ALLOW_THREADS
            result = PyErr_CheckSignals();
        }
        if (row < end && result == 0) {
            addresses_bad_version(self, row);
            result = -1;
        }
    }
    if (result == 0)
        result = natkit_pan_check(pan);
    if (pan != own)
        cryptopan_free(pan);
    return result;
}

/* A view of a bytearray that has the shape of the addresses.  memoryview.cast() makes no view of no
 * rows: then a view of one row is sliced. */
static PyObject *shaped(PyObject *array, const struct addresses *self)
{
    PyObject *flat = PyMemoryView_FromObject(array);
    Py_ssize_t room = self->rows ? self->rows : 1;
    PyObject *view = flat;
    if (flat && self->bytes.ndim == 2) {
        view = PyObject_CallMethod(flat, "cast", "s(nn)", "B", room, self->width);
        Py_DECREF(flat);
    }
    if (!view || self->rows > 0)
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
    struct addresses addresses;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:addresses", keywords, &bytes, &versions))
        return NULL;
    if (addresses_read(bytes, versions, &addresses) == 0)
        array = PyByteArray_FromStringAndSize(NULL, addresses.rows ? addresses.bytes.len
                                                                   : addresses.width);
    if (array) {
        uint8_t *to = (uint8_t *)PyByteArray_AS_STRING(array);
        memset(to, 0, (size_t)PyByteArray_GET_SIZE(array));
        if (map_all(&addresses, self->pan, to) == 0)
            result = shaped(array, &addresses);
        Py_DECREF(array);
    }
    addresses_release(&addresses);
    return result;
}
