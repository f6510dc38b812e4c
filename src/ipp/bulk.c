/* Many addresses at once: arrays of them to texts and back, and against a prefix. */
#include "ipp.h"

#include <string.h>

/* --- arrays of addresses -------------------------------------------------------------------- */

/* Addresses as plt's columns have them: an IPv4 address in the first 4 bytes of 16. */
struct addresses {
    Py_buffer bytes;
    Py_buffer versions; /* its obj is NULL where all have one version */
    Py_ssize_t rows;
    Py_ssize_t width;    /* of a row: 4 or 16 */
    uint8_t one_version; /* 4, 6, or 0 where there are versions */
};

static void release_addresses(struct addresses *self)
{
    if (self->bytes.obj != NULL)
        PyBuffer_Release(&self->bytes);
    if (self->versions.obj != NULL)
        PyBuffer_Release(&self->versions);
}

/* The buffer of an object, C-contiguous and of single bytes: 0, or -1 with TypeError or ValueError.
 */
static int read_buffer(PyObject *obj, const char *what, Py_buffer *buffer)
{
    if (PyObject_GetBuffer(obj, buffer, PyBUF_ND | PyBUF_FORMAT) < 0) {
        buffer->obj = NULL;
        if (!PyErr_ExceptionMatches(PyExc_BufferError) && !PyErr_ExceptionMatches(PyExc_ValueError))
            return -1;
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
        PyErr_Format(PyExc_ValueError, "addresses must be 16 bytes each, not %zd in all",
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
    if (version == 6 && self->width == 4) {
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
    if (self->versions.ndim == 0) { /* a scalar of NumPy's */
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

/* 0, or -1 with an exception; then and later, release_addresses() is due. */
static int read_addresses(PyObject *bytes, PyObject *versions, struct addresses *self)
{
    *self = (struct addresses){.rows = 0};
    return read_bytes(bytes, self) < 0 || read_versions(versions, self) < 0 ? -1 : 0;
}

static uint8_t version_of(const struct addresses *self, Py_ssize_t row)
{
    return self->one_version ? self->one_version : ((const uint8_t *)self->versions.buf)[row];
}

static const uint8_t *bytes_of(const struct addresses *self, Py_ssize_t row)
{
    return (const uint8_t *)self->bytes.buf + row * self->width;
}

/* --- texts ---------------------------------------------------------------------------------- */

/* The text of an address, None where it is missing. */
static PyObject *text_of(const struct addresses *self, Py_ssize_t row)
{
    struct ipp_value value = {.version = version_of(self, row), .length = IPP_NO_LENGTH};
    char text[IPP_TEXT_SIZE];
    PyObject *result = NULL;
    size_t size = 0;

    if (value.version == 0)
        Py_RETURN_NONE;
    if (value.version != 4 && (value.version != 6 || self->width == 4)) {
        PyErr_Format(PyExc_ValueError, "address %zd of %zd bytes can't be of version %d", row,
                     self->width, value.version);
        return NULL;
    }
    memcpy(value.addr, bytes_of(self, row), (size_t)ipp_bits(value.version) / 8);
    ipp_value_format(&value, text);
    size = strlen(text);
    result = PyUnicode_New((Py_ssize_t)size, 127);
    if (result != NULL)
        memcpy(PyUnicode_DATA(result), text, size);
    return result;
}

PyObject *ipp_format(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    struct addresses addresses;
    PyObject *list = NULL;

    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "format() takes 1 or 2 arguments, not %zd", nargs);
        return NULL;
    }
    if (read_addresses(args[0], nargs == 2 ? args[1] : Py_None, &addresses) == 0)
        list = PyList_New(addresses.rows);
    for (Py_ssize_t row = 0; list != NULL && row < addresses.rows; row++) {
        PyObject *text = text_of(&addresses, row);

        if (text != NULL)
            PyList_SET_ITEM(list, row, text);
        else
            Py_CLEAR(list);
    }
    release_addresses(&addresses);
    return list;
}

/* The address of an entry of the list, missing where it is None: 0, or -1 with an exception. */
static int parse_entry(PyObject *text, Py_ssize_t row, uint8_t *addr, uint8_t *version)
{
    struct ipp_value value;

    if (text == Py_None)
        return 0;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "entry %zd must be a str or None, not %.100s", row,
                     Py_TYPE(text)->tp_name);
        return -1;
    }
    if (ipp_value_parse(text, &value) < 0 || value.length != IPP_NO_LENGTH) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "entry %zd is no IPv4 or IPv6 address: %.100R", row, text);
        return -1;
    }
    memcpy(addr, value.addr, (size_t)ipp_bits(value.version) / 8);
    *version = value.version;
    return 0;
}

PyObject *ipp_parse(PyObject *module, PyObject *texts)
{
    const struct ipp_state *state = PyModule_GetState(module);
    PyObject *addresses = NULL, *versions = NULL, *result = NULL;
    PyObject *items = NULL;
    Py_ssize_t rows = 0;
    uint8_t *addr = NULL;
    uint8_t *version = NULL;

    if (PyUnicode_Check(texts) || PyObject_CheckBuffer(texts)) {
        PyErr_Format(PyExc_TypeError, "parse() takes a list of str, not %.100s",
                     Py_TYPE(texts)->tp_name);
        return NULL;
    }
    items = PySequence_Tuple(texts); /* which nobody changes meanwhile */
    if (items == NULL)
        return NULL;
    rows = PyTuple_GET_SIZE(items);
    addr = ipp_array_new(state, rows, 16, "B", &addresses);
    version = addr != NULL ? ipp_array_new(state, rows, 1, "B", &versions) : NULL;
    if (version == NULL)
        goto end;
    for (Py_ssize_t row = 0; row < rows; row++)
        if (parse_entry(PyTuple_GET_ITEM(items, row), row, addr + 16 * row, version + row) < 0)
            goto end;
    result = PyTuple_Pack(2, addresses, versions);
end:
    Py_DECREF(items);
    Py_XDECREF(addresses);
    Py_XDECREF(versions);
    return result;
}

/* --- against a prefix ----------------------------------------------------------------------- */

/* The first 8 bytes of an address and the second 8, in whatever order the machine has them. */
struct halves {
    uint64_t half[2];
};

static struct halves halves_of(const uint8_t *bytes, size_t size)
{
    struct halves halves = {{0, 0}};

    memcpy(&halves, bytes, size);
    return halves;
}

/* The bits of an address that a prefix of so many bits tells. */
static struct halves mask_of(int length)
{
    uint8_t mask[16] = {0};

    for (int bit = 0; bit < length; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return halves_of(mask, sizeof mask);
}

static void test_all(const struct ipp_value *prefix, const struct addresses *addresses,
                     uint8_t *inside)
{
    const struct halves mask = mask_of(prefix->length);
    const struct halves wanted = halves_of(prefix->addr, 16);
    const size_t size = (size_t)ipp_bits(prefix->version) / 8;

    for (Py_ssize_t row = 0; row < addresses->rows; row++) {
        struct halves address;

        if (version_of(addresses, row) != prefix->version)
            continue;
        address = halves_of(bytes_of(addresses, row), size);
        inside[row] = (((address.half[0] ^ wanted.half[0]) & mask.half[0]) |
                       ((address.half[1] ^ wanted.half[1]) & mask.half[1])) == 0;
    }
}

PyObject *ipp_contains(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char addresses_word[] = "addresses", version_word[] = "version";
    static char *keywords[] = {addresses_word, version_word, NULL};
    const struct ipp_value prefix = *ipp_value_of(self_); /* a thread may set its length */
    const struct ipp_state *state = ipp_state_of(Py_TYPE(self_));
    PyObject *bytes = NULL, *versions = Py_None; /* borrowed from args */
    struct addresses addresses;
    PyObject *result = NULL;
    uint8_t *inside = NULL;

    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:contains", keywords, &bytes, &versions))
        return NULL;
    if (prefix.length == IPP_NO_LENGTH)
        return ipp_no_length();
    if (read_addresses(bytes, versions, &addresses) < 0)
        goto end;
    if (versions == Py_None && prefix.version != addresses.one_version) {
        PyErr_Format(PyExc_ValueError,
                     "addresses of %zd bytes are IPv%d where no version is given, and the prefix "
                     "is IPv%d",
                     addresses.width, addresses.one_version, prefix.version);
        goto end;
    }
    /* an address of 4 bytes that calls itself IPv6 must not be read */
    if (prefix.version == 6 && addresses.width == 4) {
        PyErr_SetString(PyExc_ValueError, "addresses of 4 bytes can't be IPv6");
        goto end;
    }
    inside = ipp_array_new(state, addresses.rows, 1, "?", &result);
    if (inside != NULL) {
        Py_BEGIN_ALLOW_THREADS
        test_all(&prefix, &addresses, inside);
        Py_END_ALLOW_THREADS
    }
end:
    release_addresses(&addresses);
    return result;
}
