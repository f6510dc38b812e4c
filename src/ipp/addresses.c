/* Many addresses at once: an array of them to texts and back, and which of them are in a prefix. */
#include "addresses.h"

#include "array.h"
#include "buffers/addresses.h"
#include "ipp.h"
#include "object.h"
#include "text.h"

#include <string.h>

/* --- Texts ----------------------------------------------------------------------------------- */

/* The text of an address, None where it is missing. */
static PyObject *text_of(const struct addresses *self, Py_ssize_t row)
{
    struct ipp_value value = {.version = addresses_version(self, row), .length = IPP_NO_LENGTH};
    char text[IPP_TEXT_SIZE];
    PyObject *result = NULL;
    size_t size = 0;
    if (value.version == 0)
        Py_RETURN_NONE;
    if (!addresses_can_be(self, value.version))
        return addresses_bad_version(self, row);
    memcpy(value.addr, addresses_at(self, row), (size_t)ipp_bits(value.version) / 8);
    ipp_value_format(&value, text);
    size = strlen(text);
    result = PyUnicode_New((Py_ssize_t)size, 127);
    if (result)
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
    if (addresses_read(args[0], nargs == 2 ? args[1] : Py_None, &addresses) == 0)
        list = PyList_New(addresses.rows);
    for (Py_ssize_t row = 0; list && row < addresses.rows; row++) {
        PyObject *text = text_of(&addresses, row);
        if (text)
            PyList_SET_ITEM(list, row, text);
        else
            Py_CLEAR(list);
    }
    addresses_release(&addresses);
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
    if (PyUnicode_Check(texts) || PyBytes_Check(texts) || PyByteArray_Check(texts) ||
        PyMemoryView_Check(texts)) {
        PyErr_Format(PyExc_TypeError, "parse() takes an iterable of str, not %.100s",
                     Py_TYPE(texts)->tp_name);
        return NULL;
    }
    items = PySequence_Tuple(texts); /* a tuple: other threads can't change it */
    if (!items)
        return NULL;
    rows = PyTuple_GET_SIZE(items);
    addr = ipp_array_new(state, rows, 16, "B", &addresses);
    version = addr ? ipp_array_new(state, rows, 1, "B", &versions) : NULL;
    if (!version)
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

/* --- Against a prefix ------------------------------------------------------------------------ */

/* The first and the second 8 bytes of an address, as integers of the machine's byte order. */
struct halves {
    uint64_t half[2];
};

static struct halves halves_of(const uint8_t *bytes, size_t size)
{
    struct halves halves = {{0, 0}};
    memcpy(&halves, bytes, size);
    return halves;
}

/* The mask of a prefix of so many bits. */
static struct halves mask_of(int length)
{
    uint8_t mask[16] = {0};
    for (int bit = 0; bit < length; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return halves_of(mask, sizeof(mask));
}

static void test_all(const struct ipp_value *prefix, const struct addresses *addresses,
                     uint8_t *inside)
{
    const struct halves mask = mask_of(prefix->length);
    const struct halves wanted = halves_of(prefix->addr, 16);
    const size_t size = (size_t)ipp_bits(prefix->version) / 8;
    for (Py_ssize_t row = 0; row < addresses->rows; row++) {
        struct halves address;
        if (addresses_version(addresses, row) != prefix->version)
            continue;
        address = halves_of(addresses_at(addresses, row), size);
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
    if (!state ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:contains", keywords, &bytes, &versions))
        return NULL;
    if (prefix.length == IPP_NO_LENGTH)
        return ipp_no_length();
    if (addresses_read(bytes, versions, &addresses) < 0)
        goto end;
    if (versions == Py_None && prefix.version != addresses.one_version) {
        PyErr_Format(PyExc_ValueError,
                     "addresses of %zd bytes are IPv%d where no version is given, "
                     "and the prefix is IPv%d",
                     addresses.width, addresses.one_version, prefix.version);
        goto end;
    }
    /* with a version of 6 for a row of 4 bytes, the row must not be read */
    if (prefix.version == 6 && addresses.width == 4) {
        PyErr_SetString(PyExc_ValueError, "addresses of 4 bytes can't be IPv6");
        goto end;
    }
    inside = ipp_array_new(state, addresses.rows, 1, "?", &result);
    if (inside) {
        Py_BEGIN_ALLOW_THREADS
        test_all(&prefix, &addresses, inside);
        Py_END_ALLOW_THREADS
    }
end:
    addresses_release(&addresses);
    return result;
}
