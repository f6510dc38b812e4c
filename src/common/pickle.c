/* Batches as pickles.  Reading takes nothing on trust: what could not be a batch is ValueError.
 *
 * The state is (format, byte order, rows, columns), a column (name, kind, values, mask, more): the
 * last three bytes in the byte order and layout of the machine, the mask None where the column has
 * none.  More is the UTF-8 of texts, the items of lists, the IP versions of addresses, else None.
 */
#include "pickle.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION 2
#define ORDER_NAME     (PY_BIG_ENDIAN ? "big" : "little")

enum { COLUMN_PARTS = 3, STATE_SIZE = 4, COLUMN_SIZE = 5 };

/* --- Writing ---------------------------------------------------------------------------------- */

/* A part of a column for a pickle: bytes, or what may go out of band. */
static PyObject *pickled_part(const struct batch *batch, size_t column, enum column_part part,
                              bool out_of_band)
{
    PyObject *object = batch_part(batch, column, part);
    if (!object || object == Py_None)
        return object;
    PyObject *pickled =
        out_of_band ? PyPickleBuffer_FromObject(object) : PyBytes_FromObject(object);
    Py_DECREF(object);
    return pickled;
}

static PyObject *pickled_column(const struct batch *batch, size_t column, bool out_of_band)
{
    const enum column_part shown[COLUMN_PARTS] = {
        PART_VALUES, PART_MASK,
        kind_is_address(batch->infos[column].kind) ? PART_VERSIONS : PART_TEXT};
    PyObject *parts[COLUMN_PARTS] = {NULL};
    bool complete = true;
    for (int i = 0; i < COLUMN_PARTS && complete; i++) {
        parts[i] = pickled_part(batch, column, shown[i], out_of_band);
        complete = parts[i] != NULL;
    }
    PyObject *result = NULL;
    if (complete)
        result = Py_BuildValue("(siOOO)", batch->infos[column].name, (int)batch->infos[column].kind,
                               parts[0], parts[1], parts[2]);
    for (int i = 0; i < COLUMN_PARTS; i++)
        Py_XDECREF(parts[i]);
    return result;
}

PyObject *batch_reduce(PyObject *batch_, PyObject *protocol)
{
    const struct batch *batch = (struct batch *)batch_;
    long number = PyLong_AsLong(protocol);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    PyObject *columns = PyTuple_New((Py_ssize_t)batch->count);
    for (size_t i = 0; columns && i < batch->count; i++) {
        PyObject *column = pickled_column(batch, i, number >= 5);
        if (column)
            PyTuple_SET_ITEM(columns, (Py_ssize_t)i, column);
        else
            Py_CLEAR(columns);
    }
    PyObject *make =
        columns ? PyObject_GetAttrString((PyObject *)Py_TYPE(batch_), "_from_state") : NULL;
    PyObject *result = NULL;
    if (make)
        result = Py_BuildValue("(O((isnO)))", make, FORMAT_VERSION, ORDER_NAME,
                               (Py_ssize_t)batch->rows, columns);
    Py_XDECREF(columns);
    Py_XDECREF(make);
    return result;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Set ValueError, but for want of memory; false. */
static bool refuse(const char *format, ...)
{
    va_list args;
    if (PyErr_ExceptionMatches(PyExc_MemoryError))
        return false;
    PyErr_Clear();
    va_start(args, format);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (text)
        PyErr_Format(PyExc_ValueError, "no pickled columns: %U", text);
    Py_XDECREF(text);
    return false;
}

static bool is_tuple(PyObject *object, Py_ssize_t size)
{
    return PyTuple_Check(object) && PyTuple_GET_SIZE(object) == size;
}

/* An int from 0 to a limit. */
static bool take_number(PyObject *object, Py_ssize_t limit, size_t *number)
{
    Py_ssize_t value = PyLong_Check(object) ? PyLong_AsSsize_t(object) : -1;
    *number = (size_t)value;
    return value >= 0 && value <= limit;
}

static bool take_info(PyObject *column, struct column_info *info)
{
    size_t kind = 0;
    Py_ssize_t size = 0;
    if (!is_tuple(column, COLUMN_SIZE))
        return refuse("a column is no tuple of %d", COLUMN_SIZE);
    PyObject *name = PyTuple_GET_ITEM(column, 0);
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    if (!text || size == 0 || size >= COLUMN_NAME_SIZE || strlen(text) != (size_t)size)
        return refuse("%.80A is no name of a column", name);
    if (!take_number(PyTuple_GET_ITEM(column, 1), KIND_COUNT - 1, &kind))
        return refuse("column %s: %.80A is no kind", text, PyTuple_GET_ITEM(column, 1));
    memcpy(info->name, text, (size_t)size + 1);
    info->kind = (uint8_t)kind;
    info->can_be_missing = PyTuple_GET_ITEM(column, 3) != Py_None;
    return true;
}

/* Copy exactly so many bytes of a buffer, which may belong to someone who changes it; any number of
 * them where size is -1. */
static bool take_bytes(PyObject *object, Py_ssize_t size, uint8_t **copy, size_t *len)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(object, &buffer, PyBUF_SIMPLE) < 0)
        return refuse("what should be bytes is none");
    bool fits = size < 0 || buffer.len == size;
    *copy = fits ? malloc((size_t)buffer.len + 1) : NULL;
    if (*copy) {
        memcpy(*copy, buffer.buf, (size_t)buffer.len);
        *len = (size_t)buffer.len;
    } else if (fits) {
        PyErr_NoMemory();
    } else {
        refuse("%zd bytes where %zd should be", buffer.len, size);
    }
    PyBuffer_Release(&buffer);
    return *copy != NULL;
}

/* What is wrong with bytes of which each should be 0 or 1; counts the ones. */
static const char *check_flags(const uint8_t *bytes, size_t rows, size_t *ones)
{
    for (size_t i = 0; i < rows; i++) {
        if (bytes[i] > 1)
            return "a flag is neither 0 nor 1";
        *ones += bytes[i];
    }
    return NULL;
}

/* The offsets of texts, or of lists of so many items in all. */
static const char *check_offsets(const struct column_data *data, size_t items)
{
    int32_t before = 0;
    int32_t at = 0;
    if (items > INT32_MAX)
        return "the text is too long";
    for (size_t i = 0; i <= data->rows; i++) {
        memcpy(&at, data->values + i * sizeof(at), sizeof(at));
        if ((i == 0 && at != 0) || at < before || (size_t)at > items)
            return "an offset is not within the text, or before the last one";
        if (i > 0 && data->absent && data->absent[i - 1] && at != before)
            return "a missing value has a text";
        before = at;
    }
    return (size_t)at == items ? NULL : "the last offset is not the end of the text";
}

static const char *check_list(const struct column_data *data)
{
    size_t width = column_width(kind_of_items(data->kind));
    return data->text_len % width ? "its last item is cut"
                                  : check_offsets(data, data->text_len / width);
}

static const char *check_text(const struct column_data *data)
{
    const char *wrong = check_offsets(data, data->text_len);
    for (size_t i = 0; i <= data->rows && !wrong; i++) {
        int32_t at = 0;
        memcpy(&at, data->values + i * sizeof(at), sizeof(at));
        if ((size_t)at < data->text_len && (data->text[at] & 0xc0) == 0x80)
            wrong = "an offset is within a character";
    }
    if (wrong)
        return wrong;
    PyObject *decoded = PyUnicode_DecodeUTF8(data->text, (Py_ssize_t)data->text_len, NULL);
    Py_XDECREF(decoded);
    return decoded ? NULL : "the text is no UTF-8";
}

/* Missing values are zeroes: NumPy shows them. */
static const char *check_missing(const struct column_data *data)
{
    static const uint8_t zeroes[16];
    size_t width = column_width(data->kind);
    for (size_t i = 0; i < data->rows; i++)
        if (data->absent[i] && memcmp(data->values + i * width, zeroes, width) != 0)
            return "a missing value is not 0";
    return NULL;
}

static const char *check_versions(const struct column_data *data)
{
    static const uint8_t zeroes[12];
    for (size_t i = 0; i < data->rows; i++) {
        uint8_t version = data->versions[i];
        bool missing = data->absent && data->absent[i];
        if (missing ? version != 0 : version != 4 && version != 6)
            return "an IP version is neither 4 nor 6, or that of a missing address";
        if (version == 4 && memcmp(data->values + i * 16 + 4, zeroes, sizeof(zeroes)) != 0)
            return "an IPv4 address has more than 4 bytes";
    }
    return NULL;
}

static const char *check_column(struct column_data *data)
{
    const char *wrong = NULL;
    size_t ones = 0;
    if (data->absent)
        wrong = check_flags(data->absent, data->rows, &data->missing);
    if (wrong)
        return wrong;
    if (data->kind == KIND_TEXT)
        return check_text(data);
    if (kind_is_list(data->kind))
        return check_list(data);
    if (kind_is_address(data->kind))
        wrong = check_versions(data);
    if (data->kind == KIND_BOOL)
        wrong = check_flags(data->values, data->rows, &ones);
    return wrong || !data->absent ? wrong : check_missing(data);
}

/* Put what a tuple tells of a column into one that is empty. */
static bool take_column(PyObject *column, const struct column_info *info, size_t rows,
                        struct column_data *data)
{
    PyObject *more = PyTuple_GET_ITEM(column, 4);
    uint8_t *bytes = NULL;
    size_t len = 0;
    bool is_text = info->kind == KIND_TEXT || kind_is_list(info->kind);
    bool is_address = kind_is_address(info->kind);
    Py_ssize_t size = (Py_ssize_t)((rows + is_text) * column_width(info->kind));
    if ((is_text || is_address) != (more != Py_None))
        return refuse("column %s: text goes with texts, versions with addresses", info->name);
    if (!take_bytes(PyTuple_GET_ITEM(column, 2), size, &data->values, &len))
        return false;
    if (info->can_be_missing &&
        !take_bytes(PyTuple_GET_ITEM(column, 3), (Py_ssize_t)rows, &data->absent, &len))
        return false;
    if (is_address && !take_bytes(more, (Py_ssize_t)rows, &data->versions, &len))
        return false;
    if (is_text && !take_bytes(more, -1, &bytes, &len))
        return false;
    data->text = (char *)bytes;
    data->text_len = data->text_room = is_text ? len : 0;
    data->rows = rows;
    const char *wrong = check_column(data);
    return wrong ? refuse("column %s: %s", info->name, wrong) : true;
}

static bool take_columns(struct batch *batch, PyObject *columns)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct column_data *data = column_data_new_bare(batch->infos[i].kind, batch->room);
        if (!data) {
            PyErr_NoMemory();
            return false;
        }
        batch->columns[i] = data;
        PyObject *column = PyTuple_GET_ITEM(columns, (Py_ssize_t)i);
        if (!take_column(column, &batch->infos[i], batch->rows, data))
            return false;
    }
    return true;
}

PyObject *batch_from_state(const struct batch_types *types, PyObject *state)
{
    struct column_info infos[MAX_COLUMNS] = {{.kind = 0}};
    size_t version = 0;
    size_t rows = 0;
    if (!is_tuple(state, STATE_SIZE))
        refuse("they are no tuple of %d", STATE_SIZE);
    else if (!take_number(PyTuple_GET_ITEM(state, 0), PY_SSIZE_T_MAX, &version) ||
             version != FORMAT_VERSION)
        refuse("version %.80A, not %d", PyTuple_GET_ITEM(state, 0), FORMAT_VERSION);
    else if (!PyUnicode_Check(PyTuple_GET_ITEM(state, 1)) ||
             PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(state, 1), ORDER_NAME) != 0)
        refuse("they are of a machine with another byte order");
    else if (!take_number(PyTuple_GET_ITEM(state, 2), PY_SSIZE_T_MAX / 32, &rows))
        refuse("%.80A is no number of rows", PyTuple_GET_ITEM(state, 2));
    else if (!PyTuple_Check(PyTuple_GET_ITEM(state, 3)) ||
             PyTuple_GET_SIZE(PyTuple_GET_ITEM(state, 3)) > MAX_COLUMNS)
        refuse("they are no tuple of up to %d columns", MAX_COLUMNS);
    if (PyErr_Occurred())
        return NULL;
    PyObject *columns = PyTuple_GET_ITEM(state, 3);
    size_t count = (size_t)PyTuple_GET_SIZE(columns);
    for (size_t i = 0; i < count; i++)
        if (!take_info(PyTuple_GET_ITEM(columns, (Py_ssize_t)i), &infos[i]))
            return NULL;
    struct batch *batch = batch_new_bare(types, infos, count, rows);
    if (!batch)
        return NULL;
    batch->rows = rows;
    if (take_columns(batch, columns))
        return (PyObject *)batch;
    Py_DECREF((PyObject *)batch);
    return NULL;
}
