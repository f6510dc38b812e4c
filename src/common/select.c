/* Parts of a batch: some of its columns, some of its rows, the texts of a column. */
#include "select.h"

#include "addresstext.h"
#include "batch.h"

#include <string.h>

/* --- Columns --------------------------------------------------------------------------------- */

PyObject *batch_select(PyObject *self_, PyObject *columns)
{
    const struct batch *self = (struct batch *)self_;
    struct column_info infos[MAX_COLUMNS] = {{.kind = 0}};
    struct column_data *chosen[MAX_COLUMNS] = {NULL};
    if (!PyTuple_Check(columns) || PyTuple_GET_SIZE(columns) > MAX_COLUMNS) {
        PyErr_Format(PyExc_TypeError, "columns are a tuple of up to %d numbers", MAX_COLUMNS);
        return NULL;
    }
    size_t count = (size_t)PyTuple_GET_SIZE(columns);
    for (size_t i = 0; i < count; i++) {
        size_t n = PyLong_AsSize_t(PyTuple_GET_ITEM(columns, (Py_ssize_t)i));
        if (n == (size_t)-1 && PyErr_Occurred())
            return NULL;
        if (n >= self->count)
            return PyErr_Format(PyExc_IndexError, "column %zu of %zu", n, self->count);
        infos[i] = self->infos[n];
        chosen[i] = self->columns[n];
    }
    const struct batch_types types = batch_types_of(self_);
    struct batch *result = batch_new_bare(&types, infos, count, self->rows);
    if (!result)
        return NULL;
    result->rows = self->rows;
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&chosen[i]->refs, 1);
        result->columns[i] = chosen[i];
    }
    return (PyObject *)result;
}

/* --- Rows ------------------------------------------------------------------------------------ */

/* Which rows are taken: as the slices of Python, within the batch. */
struct range {
    Py_ssize_t start;
    Py_ssize_t count;
    Py_ssize_t step;
};

static size_t row_of(const struct range *range, size_t i)
{
    return (size_t)(range->start + (Py_ssize_t)i * range->step);
}

static bool copy_texts(const struct column_data *from, const struct range *range,
                       struct column_data *to)
{
    for (size_t i = 0; i < (size_t)range->count; i++) {
        int32_t bounds[2];
        size_t row = row_of(range, i);
        memcpy(bounds, from->values + row * sizeof(*bounds), sizeof(bounds));
        bool missing = from->absent && from->absent[row];
        const char *text = from->text ? from->text + bounds[0] : "";
        if (!column_append_text(to, missing ? NULL : text, (size_t)(bounds[1] - bounds[0])))
            return false;
    }
    return true;
}

static bool copy_lists(const struct column_data *from, const struct range *range,
                       struct column_data *to)
{
    size_t width = column_width(kind_of_items(from->kind));
    for (size_t i = 0; i < (size_t)range->count; i++) {
        int32_t bounds[2];
        size_t row = row_of(range, i);
        memcpy(bounds, from->values + row * sizeof(*bounds), sizeof(bounds));
        bool missing = from->absent && from->absent[row];
        const char *items = from->text ? from->text + (size_t)bounds[0] * width : "";
        if (!column_append_list(to, missing ? NULL : items, (size_t)(bounds[1] - bounds[0])))
            return false;
    }
    return true;
}

/* Items of some bytes each. */
static void copy_items(const uint8_t *from, size_t width, const struct range *range, uint8_t *to)
{
    if (range->step == 1) {
        memcpy(to, from + (size_t)range->start * width, (size_t)range->count * width);
        return;
    }
    for (size_t i = 0; i < (size_t)range->count; i++)
        memcpy(to + i * width, from + row_of(range, i) * width, width);
}

static bool copy_column(const struct column_data *from, const struct range *range,
                        struct column_data *to)
{
    if (range->count == 0)
        return true;
    if (from->kind == KIND_TEXT)
        return copy_texts(from, range, to);
    if (kind_is_list(from->kind))
        return copy_lists(from, range, to);
    copy_items(from->values, column_width(from->kind), range, to->values);
    if (from->versions)
        copy_items(from->versions, 1, range, to->versions);
    if (from->absent)
        copy_items(from->absent, 1, range, to->absent);
    to->rows = (size_t)range->count;
    for (size_t i = 0; to->absent && i < to->rows; i++)
        to->missing += to->absent[i];
    return true;
}

PyObject *batch_rows(PyObject *self_, PyObject *args)
{
    const struct batch *self = (struct batch *)self_;
    struct range range = {.step = 1};
    if (!PyArg_ParseTuple(args, "nnn:rows", &range.start, &range.count, &range.step))
        return NULL;
    Py_ssize_t rows = (Py_ssize_t)self->rows;
    Py_ssize_t last = range.start;
    bool fits = range.count >= 0 && range.step != 0;
    if (fits && range.count > 0) /* what overflows is not within the batch */
        fits = range.start >= 0 && range.start < rows &&
               !__builtin_mul_overflow(range.count - 1, range.step, &last) &&
               !__builtin_add_overflow(last, range.start, &last) && last >= 0 && last < rows;
    if (!fits)
        return PyErr_Format(PyExc_IndexError,
                            "%zd rows from %zd on, each %zd from the last, of %zd", range.count,
                            range.start, range.step, rows);
    const struct batch_types types = batch_types_of(self_);
    struct batch *result = batch_new(&types, self->infos, self->count, (size_t)range.count);
    if (!result)
        return NULL;
    bool copied = true;
    Py_BEGIN_ALLOW_THREADS
    for (size_t i = 0; i < self->count && copied; i++)
        copied = copy_column(self->columns[i], &range, result->columns[i]);
    Py_END_ALLOW_THREADS
    result->rows = (size_t)range.count;
    if (copied)
        return (PyObject *)result;
    Py_DECREF((PyObject *)result);
    return PyErr_NoMemory();
}

/* --- Texts ----------------------------------------------------------------------------------- */

/* A list of the texts between some offsets; NULL with an exception. */
static PyObject *list_texts(const char *text, const int32_t *offsets, size_t count,
                            const uint8_t *absent)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = absent && absent[i]
                             ? Py_NewRef(Py_None)
                             : PyUnicode_DecodeUTF8(text ? text + offsets[i] : "",
                                                    offsets[i + 1] - offsets[i], NULL);
        if (item)
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* The texts of all rows, of which many are the same object. */
static PyObject *list_rows(const struct column_data *data, PyObject *texts, const int32_t *indices)
{
    PyObject *list = PyList_New((Py_ssize_t)data->rows);
    for (size_t i = 0; list && i < data->rows; i++) {
        PyObject *item = data->versions[i] ? PyList_GET_ITEM(texts, indices[i]) : Py_None;
        PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(item));
    }
    return list;
}

/* The distinct texts, and where each row's is: -1 for a row without. */
static PyObject *distinct_rows(const struct column_data *data, PyObject *texts, int32_t *indices)
{
    for (size_t i = 0; i < data->rows; i++)
        if (!data->versions[i])
            indices[i] = -1;
    PyObject *numbers = PyBytes_FromStringAndSize((const char *)indices,
                                                  (Py_ssize_t)(data->rows * sizeof(*indices)));
    PyObject *result = numbers ? PyTuple_Pack(2, texts, numbers) : NULL;
    Py_XDECREF(numbers);
    return result;
}

static PyObject *address_strings(const struct column_data *data, bool distinct)
{
    struct address_texts found;
    bool made = false;
    Py_BEGIN_ALLOW_THREADS
    made = address_texts_make(data, &found);
    Py_END_ALLOW_THREADS
    if (!made)
        return PyErr_NoMemory();
    PyObject *texts = list_texts(found.text, found.offsets, (size_t)found.count, NULL);
    PyObject *result = NULL;
    if (texts)
        result = distinct ? distinct_rows(data, texts, found.indices)
                          : list_rows(data, texts, found.indices);
    Py_XDECREF(texts);
    address_texts_free(&found);
    return result;
}

PyObject *batch_strings(PyObject *self_, PyObject *args)
{
    const struct batch *self = (struct batch *)self_;
    Py_ssize_t n = 0;
    int distinct = 0;
    if (!PyArg_ParseTuple(args, "n|p:strings", &n, &distinct))
        return NULL;
    if (n < 0 || (size_t)n >= self->count)
        return PyErr_Format(PyExc_IndexError, "column %zd of %zu", n, self->count);
    const struct column_data *data = self->columns[n];
    if (kind_is_address(data->kind))
        return address_strings(data, distinct);
    if (data->kind != KIND_TEXT || distinct)
        return PyErr_Format(PyExc_TypeError, "column %s is none of texts", self->infos[n].name);
    const int32_t *offsets = (const int32_t *)(const void *)data->values; /* malloc aligned them */
    return list_texts(data->text, offsets, data->rows, data->absent);
}
