/* The type of batches: its methods, of which most are in files of their own. */
#include "batchtype.h"

#include "arrow.h"
#include "pickle.h"
#include "select.h"

#include <stdio.h>

static void batch_dealloc(PyObject *self_)
{
    struct batch *self = (struct batch *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    for (size_t i = 0; self->columns && i < self->count; i++)
        column_data_release(self->columns[i]);
    PyMem_Free(self->columns);
    PyMem_Free(self->infos);
    Py_XDECREF(self->column_type);
    type->tp_free(self_);
    Py_DECREF(type);
}

static Py_ssize_t batch_length(PyObject *self_)
{
    return (Py_ssize_t)((struct batch *)self_)->rows;
}

/* The number of a column; -1 with an exception where there is none. */
static Py_ssize_t column_of(const struct batch *self, PyObject *arg)
{
    Py_ssize_t n = PyNumber_AsSsize_t(arg, PyExc_IndexError);
    if (n == -1 && PyErr_Occurred())
        return -1;
    if (n < 0 || (size_t)n >= self->count) {
        PyErr_Format(PyExc_IndexError, "column %zd of %zu", n, self->count);
        return -1;
    }
    return n;
}

/* A part of a column by its number in Python. */
static PyObject *part_of(PyObject *self_, PyObject *arg, enum column_part part)
{
    const struct batch *self = (struct batch *)self_;
    Py_ssize_t n = column_of(self, arg);
    return n < 0 ? NULL : batch_part(self, (size_t)n, part);
}

static PyObject *batch_values(PyObject *self_, PyObject *arg)
{
    return part_of(self_, arg, PART_VALUES);
}

static PyObject *batch_mask(PyObject *self_, PyObject *arg)
{
    return part_of(self_, arg, PART_MASK);
}

static PyObject *batch_items(PyObject *self_, PyObject *arg)
{
    const struct batch *self = (struct batch *)self_;
    Py_ssize_t n = column_of(self, arg);
    if (n < 0)
        return NULL;
    if (!kind_is_list(self->infos[n].kind))
        return PyErr_Format(PyExc_TypeError, "column %s is none of lists", self->infos[n].name);
    return batch_part(self, (size_t)n, PART_TEXT);
}

static PyObject *batch_arrow_c_array(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (struct batch *)self_;
    PyObject *schema = arrow_schema(self->infos, self->count);
    PyObject *array = schema ? arrow_array(self) : NULL;
    PyObject *result = array ? PyTuple_Pack(2, schema, array) : NULL;
    Py_XDECREF(schema);
    Py_XDECREF(array);
    return result;
}

static PyObject *batch_arrow_c_stream(PyObject *self_, PyObject *batches)
{
    const struct batch *self = (struct batch *)self_;
    return arrow_stream(batches, Py_TYPE(self_), self->infos, self->count);
}

static PyObject *batch_rows_in_cache(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (const struct batch *)self_;
    return PyLong_FromSize_t(columns_rows_in_cache(self->infos, self->count));
}

static PyObject *batch_memory_(PyObject *self_, PyObject *args)
{
    /* what is in use by the threads of one file at most */
    enum { MOST_BATCHES = 1 << 10 };
    unsigned int batches = 0;
    Py_ssize_t rows = 0;
    if (!PyArg_ParseTuple(args, "In", &batches, &rows))
        return NULL;
    if (batches > MOST_BATCHES || rows < 1) {
        PyErr_Format(PyExc_ValueError, "memory for %u batches of %zd rows", batches, rows);
        return NULL;
    }
    return batch_memory((const struct batch *)self_, batches, (size_t)rows);
}

static PyObject *batch_arrow_c_schema(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (struct batch *)self_;
    return arrow_schema(self->infos, self->count);
}

static PyObject *batch_columns(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (struct batch *)self_;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < self->count; i++) {
        PyObject *item = Py_BuildValue("(si)", self->infos[i].name, (int)self->infos[i].kind);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* The types of the module that a batch type is of; false with an exception. */
static bool types_of(PyTypeObject *type, struct batch_types *types)
{
    PyObject *module = PyType_GetModule(type);
    PyObject *column = module ? PyObject_GetAttrString(module, "_Column") : NULL;
    *types = (struct batch_types){.batch = type, .column = (PyTypeObject *)column};
    if (column && (!PyType_Check(column) || !is_column_type((PyTypeObject *)column))) {
        PyErr_SetString(PyExc_TypeError, "_Column is another type than that of the module");
        Py_CLEAR(column);
    }
    return column != NULL;
}

static PyObject *batch_from_state_(PyObject *type, PyObject *state)
{
    struct batch_types types;
    if (!types_of((PyTypeObject *)type, &types))
        return NULL;
    PyObject *batch = batch_from_state(&types, state);
    Py_DECREF((PyObject *)types.column);
    return batch;
}

static PyObject *batch_sizeof(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (struct batch *)self_;
    size_t size = sizeof(*self) + (self->count + 1) * (sizeof(*self->infos) + sizeof(void *));
    for (size_t i = 0; i < self->count; i++) {
        const struct column_data *data = self->columns[i];
        size += sizeof(*data) + (data->room + 1) * column_width(data->kind) + data->text_room;
        size += data->absent ? data->room : 0;
        size += data->versions ? data->room : 0;
    }
    return PyLong_FromSize_t(size);
}

static PyMethodDef batch_methods[] = {
    {"columns", batch_columns, METH_NOARGS,
     "columns($self, /)\n--\n\nThe name and kind of each column."},
    {"values", batch_values, METH_O,
     "values($self, column, /)\n--\n\nThe values of a column by its number; of texts and lists the "
     "offsets."},
    {"mask", batch_mask, METH_O,
     "mask($self, column, /)\n--\n\nWhere a column has no value, by its number; None where it "
     "always has."},
    {"items", batch_items, METH_O,
     "items($self, column, /)\n--\n\n"
     "The items of a column of lists by its number, those of one row after another's."},
    {"strings", batch_strings, METH_VARARGS,
     "strings($self, column, distinct=False, /)\n--\n\n"
     "The values of a column of texts or addresses as a list of str, None where they are "
     "missing; distinct: the distinct addresses alone, and the number of each row's."},
    {"select", batch_select, METH_O,
     "select($self, columns, /)\n--\n\n"
     "The batch of some columns, by a tuple of their numbers, without a copy of the values."},
    {"rows", batch_rows, METH_VARARGS,
     "rows($self, start, count, step, /)\n--\n\n"
     "The batch of some rows: so many from start on, each step rows from the last; a copy."},
    {"arrow_c_array", batch_arrow_c_array, METH_NOARGS,
     "arrow_c_array($self, /)\n--\n\nThe capsules of the Arrow C data interface: schema and "
     "array."},
    {"rows_in_cache", batch_rows_in_cache, METH_NOARGS,
     "rows_in_cache($self, /)\n--\n\nHow many rows of these columns a processor's cache holds."},
    {"memory", batch_memory_, METH_VARARGS,
     "memory($self, batches, rows, /)\n--\n\nWhat readers of these columns share: the memory of so "
     "many batches that were let go of."},
    {"arrow_c_schema", batch_arrow_c_schema, METH_NOARGS,
     "arrow_c_schema($self, /)\n--\n\nThe capsule of an Arrow C schema."},
    {"arrow_c_stream", batch_arrow_c_stream, METH_O,
     "arrow_c_stream($self, batches, /)\n--\n\nThe capsule of an Arrow C stream of batches that "
     "have this one's columns."},
    {"__reduce_ex__", batch_reduce, METH_O,
     "__reduce_ex__($self, protocol, /)\n--\n\nFor pickle; from protocol 5 on with buffers that "
     "may "
     "go out of band."},
    {"_from_state", batch_from_state_, METH_O | METH_CLASS,
     "_from_state($type, state, /)\n--\n\nThe batch of a state that __reduce_ex__() gave; "
     "ValueError where it is none."},
    {"__sizeof__", batch_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nThe bytes of memory that it takes."},
    {.ml_name = NULL}};

static PyType_Slot batch_slots[] = {{Py_tp_doc, "Columns of some records."},
                                    {Py_tp_dealloc, batch_dealloc},
                                    {Py_tp_methods, batch_methods},
                                    {Py_sq_length, batch_length},
                                    {0, NULL}};

static PyType_Spec batch_spec = {.name = "_Batch",
                                 .basicsize = sizeof(struct batch),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                          Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = batch_slots};

/* Make a type of a module under the module's full name, by which pickle finds it. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec spec)
{
    char name[64];
    const char *module_name = PyModule_GetName(module);
    if (!module_name)
        return NULL;
    snprintf(name, sizeof(name), "%s.%s", module_name, spec.name);
    spec.name = name; /* the type has a copy */
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return (PyTypeObject *)type;
}

int batch_types_add(PyObject *module, struct batch_types *types)
{
    types->column = add_type(module, column_object_spec);
    types->batch = types->column ? add_type(module, batch_spec) : NULL;
    return types->batch ? 0 : -1;
}

int batch_types_traverse(struct batch_types *types, visitproc visit, void *arg)
{
    Py_VISIT(types->column);
    Py_VISIT(types->batch);
    return 0;
}

void batch_types_clear(struct batch_types *types)
{
    Py_CLEAR(types->column);
    Py_CLEAR(types->batch);
}
