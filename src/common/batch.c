/* Batches and their columns as Python objects: the buffer protocol and Arrow's capsules. */
#include "column.h"

#include <stdio.h>

/* --- A column: its values, its mask or its text -------------------------------------------------
 */

struct column {
    PyObject ob_base;
    struct column_data *data; /* owned */
    enum column_part part;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
};

const char *column_format(uint8_t kind)
{
    static const char *const formats[KIND_COUNT] = {"q", "?", "b", "h", "q", "B", "H", "I",
                                                    "Q", "d", "B", "q", "i", "B", "B"};
    return formats[kind];
}

static PyObject *column_new(PyTypeObject *type, struct column_data *data, enum column_part part)
{
    struct column *self = (struct column *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    atomic_fetch_add(&data->refs, 1);
    self->data = data;
    self->part = part;
    self->shape[0] = (Py_ssize_t)data->rows;
    if (part == PART_TEXT)
        self->shape[0] = (Py_ssize_t)data->text_len;
    else if (part == PART_VALUES && data->kind == KIND_TEXT)
        self->shape[0]++;
    self->shape[1] = 16;
    self->strides[0] = part == PART_VALUES ? (Py_ssize_t)column_width(data->kind) : 1;
    self->strides[1] = 1;
    return (PyObject *)self;
}

static void column_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    column_data_release(((struct column *)self_)->data);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int column_getbuffer(PyObject *self_, Py_buffer *buffer, int flags)
{
    static uint8_t nothing[1]; /* a buffer has an address even where it is empty */
    struct column *self = (struct column *)self_;
    const struct column_data *data = self->data;
    if (flags & PyBUF_WRITABLE) {
        buffer->obj = NULL;
        PyErr_SetString(PyExc_BufferError, "columns are read-only: copy what you want to change");
        return -1;
    }
    bool address = self->part == PART_VALUES && kind_is_address(data->kind);
    const char *format = self->part == PART_VALUES ? column_format(data->kind)
                         : self->part == PART_MASK ? "?"
                                                   : "B";
    void *memory = self->part == PART_VALUES ? (void *)data->values
                   : self->part == PART_MASK ? (void *)data->absent
                   : self->part == PART_TEXT ? (void *)data->text
                                             : (void *)data->versions;
    *buffer =
        (Py_buffer){.buf = memory ? memory : nothing,
                    .len = self->shape[0] * self->strides[0],
                    .itemsize = address ? 1 : self->strides[0],
                    .readonly = 1,
                    .ndim = address ? 2 : 1,
                    .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)format : NULL,
                    .shape = flags & PyBUF_ND ? self->shape : NULL,
                    .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL};
    Py_INCREF(self_);
    buffer->obj = self_;
    return 0;
}

static Py_ssize_t column_length(PyObject *self_)
{
    return ((struct column *)self_)->shape[0];
}

static PyType_Slot column_slots[] = {
    {Py_tp_doc, "The values of a column, its mask or its text, by the buffer protocol."},
    {Py_tp_dealloc, column_dealloc},
    {Py_bf_getbuffer, column_getbuffer},
    {Py_sq_length, column_length},
    {0, NULL}};

static PyType_Spec column_spec = {.name = "_Column",
                                  .basicsize = sizeof(struct column),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                  .slots = column_slots};

/* --- A batch --------------------------------------------------------------------------------- */

struct batch *batch_new_bare(const struct batch_types *types, const struct column_info *infos,
                             size_t count, size_t room)
{
    struct batch *self = (struct batch *)types->batch->tp_alloc(types->batch, 0);
    if (!self)
        return NULL;
    Py_INCREF(types->column);
    self->column_type = types->column;
    self->count = count;
    self->room = room ? room : 1;
    self->infos = PyMem_Calloc(count + 1, sizeof(*self->infos));
    self->columns = PyMem_Calloc(count + 1, sizeof(struct column_data *));
    if (!self->infos || !self->columns) {
        Py_DECREF((PyObject *)self);
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        self->infos[i] = infos[i];
    return self;
}

struct batch *batch_new(const struct batch_types *types, const struct column_info *infos,
                        size_t count, size_t room)
{
    struct batch *self = batch_new_bare(types, infos, count, room);
    for (size_t i = 0; self && i < count; i++) {
        self->columns[i] = column_data_new(&infos[i], self->room);
        if (!self->columns[i]) {
            Py_DECREF((PyObject *)self);
            PyErr_NoMemory();
            return NULL;
        }
    }
    return self;
}

bool batch_grow(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (!column_data_grow(batch->columns[i]))
            return false;
    batch->room *= 2;
    return true;
}

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

PyObject *batch_part(const struct batch *batch, size_t column, enum column_part part)
{
    struct column_data *data = batch->columns[column];
    if ((part == PART_MASK && !data->absent) || (part == PART_TEXT && data->kind != KIND_TEXT) ||
        (part == PART_VERSIONS && !data->versions))
        Py_RETURN_NONE;
    return column_new(batch->column_type, data, part);
}

/* The same of a column by its number in Python. */
static PyObject *part_of(PyObject *self_, PyObject *arg, enum column_part part)
{
    const struct batch *self = (struct batch *)self_;
    Py_ssize_t n = PyNumber_AsSsize_t(arg, PyExc_IndexError);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (n < 0 || (size_t)n >= self->count) {
        PyErr_Format(PyExc_IndexError, "column %zd of %zu", n, self->count);
        return NULL;
    }
    return batch_part(self, (size_t)n, part);
}

static PyObject *batch_values(PyObject *self_, PyObject *arg)
{
    return part_of(self_, arg, PART_VALUES);
}

static PyObject *batch_mask(PyObject *self_, PyObject *arg)
{
    return part_of(self_, arg, PART_MASK);
}

struct batch_types batch_types_of(PyObject *batch)
{
    return (struct batch_types){.batch = Py_TYPE(batch),
                                .column = ((struct batch *)batch)->column_type};
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
    if (column &&
        (!PyType_Check(column) || ((PyTypeObject *)column)->tp_dealloc != column_dealloc)) {
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
     "values($self, column, /)\n--\n\nThe values of a column by its number; of texts the offsets."},
    {"mask", batch_mask, METH_O,
     "mask($self, column, /)\n--\n\nWhere a column has no value, by its number; None where it "
     "always has."},
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
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
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
    types->column = add_type(module, column_spec);
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
