/* The Python types of columns: a reader that gives batches, batches, and a batch's columns. */
#include "columns.h"

/* --- A column: its values or its mask, by the buffer protocol ----------------------------------
 */

struct column {
    PyObject ob_base;
    struct column_data *data; /* owned */
    bool is_mask;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
};

static PyObject *column_new(PyTypeObject *type, struct column_data *data, bool is_mask)
{
    struct column *self = (struct column *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    atomic_fetch_add(&data->refs, 1);
    self->data = data;
    self->is_mask = is_mask;
    self->shape[0] = (Py_ssize_t)data->rows;
    self->shape[1] = 16;
    self->strides[0] = is_mask ? 1 : (Py_ssize_t)column_width(data->kind);
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

/* The values' format in the struct module's letters, in the order of enum column_kind. */
static char *format_of(uint8_t kind)
{
    static char formats[][2] = {"q", "?", "b", "h", "q", "B", "H", "I", "Q", "d", "B"};
    return formats[kind];
}

static int column_getbuffer(PyObject *self_, Py_buffer *buffer, int flags)
{
    struct column *self = (struct column *)self_;
    const struct column_data *data = self->data;
    if (flags & PyBUF_WRITABLE) {
        buffer->obj = NULL;
        PyErr_SetString(PyExc_BufferError, "columns are read-only: copy what you want to change");
        return -1;
    }
    bool address = !self->is_mask && data->kind == KIND_ADDRESS;
    *buffer = (Py_buffer){
        .buf = self->is_mask ? data->absent : data->values,
        .len = self->shape[0] * self->strides[0],
        .itemsize = address ? 1 : self->strides[0],
        .readonly = 1,
        .ndim = address ? 2 : 1,
        .format = flags & PyBUF_FORMAT ? format_of(self->is_mask ? KIND_BOOL : data->kind) : NULL,
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
    {Py_tp_doc, "The values of a column, or its mask, by the buffer protocol."},
    {Py_tp_dealloc, column_dealloc},
    {Py_bf_getbuffer, column_getbuffer},
    {Py_sq_length, column_length},
    {0, NULL}};

PyType_Spec column_spec = {.name = "plt._plt._Column",
                           .basicsize = sizeof(struct column),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = column_slots};

/* --- A batch --------------------------------------------------------------------------------- */

static void batch_dealloc(PyObject *self_)
{
    struct batch *self = (struct batch *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    for (size_t i = 0; self->columns && i < self->count; i++)
        column_data_release(self->columns[i]);
    PyMem_Free(self->columns);
    PyMem_Free(self->defs);
    type->tp_free(self_);
    Py_DECREF(type);
}

static Py_ssize_t batch_length(PyObject *self_)
{
    return (Py_ssize_t)((struct batch *)self_)->rows;
}

/* The column of a number, its values or its mask; None where none of its values can be missing. */
static PyObject *batch_part(PyObject *self_, PyObject *arg, bool is_mask)
{
    struct batch *self = (struct batch *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    Py_ssize_t n = PyNumber_AsSsize_t(arg, PyExc_IndexError);
    if (!state || (n == -1 && PyErr_Occurred()))
        return NULL;
    if (n < 0 || (size_t)n >= self->count) {
        PyErr_Format(PyExc_IndexError, "column %zd of %zu", n, self->count);
        return NULL;
    }
    if (is_mask && !self->columns[n]->absent)
        Py_RETURN_NONE;
    return column_new(state->column_type, self->columns[n], is_mask);
}

static PyObject *batch_values(PyObject *self_, PyObject *arg)
{
    return batch_part(self_, arg, false);
}

static PyObject *batch_mask(PyObject *self_, PyObject *arg)
{
    return batch_part(self_, arg, true);
}

static PyObject *batch_arrow_c_array(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct batch *self = (struct batch *)self_;
    PyObject *schema = arrow_schema(self->defs, self->count);
    PyObject *array = schema ? arrow_array(self) : NULL;
    PyObject *result = array ? PyTuple_Pack(2, schema, array) : NULL;
    Py_XDECREF(schema);
    Py_XDECREF(array);
    return result;
}

static PyMethodDef batch_methods[] = {
    {"values", batch_values, METH_O,
     "values($self, column, /)\n--\n\nThe values of a column by its number."},
    {"mask", batch_mask, METH_O,
     "mask($self, column, /)\n--\n\nWhere a column has no value, by its number; None where it "
     "always has."},
    {"arrow_c_array", batch_arrow_c_array, METH_NOARGS,
     "arrow_c_array($self, /)\n--\n\nThe capsules of the Arrow C data interface, schema and "
     "array."},
    {.ml_name = NULL}};

static PyType_Slot batch_slots[] = {{Py_tp_doc, "Columns of some packets."},
                                    {Py_tp_dealloc, batch_dealloc},
                                    {Py_tp_methods, batch_methods},
                                    {Py_sq_length, batch_length},
                                    {0, NULL}};

PyType_Spec batch_spec = {.name = "plt._plt._Batch",
                          .basicsize = sizeof(struct batch),
                          .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          .slots = batch_slots};

/* --- The reader ------------------------------------------------------------------------------ */

struct reader {
    PyObject ob_base;
    struct plt_bulk *bulk;   /* owned; NULL after the end */
    struct column_def *defs; /* owned */
    size_t count;
    size_t batch_rows;
    size_t left;     /* of the limit */
    PyObject *error; /* owned: to be raised after the batch that came before it, or NULL */
    bool busy;
};

static void reader_end(struct reader *self)
{
    struct plt_bulk *bulk = self->bulk;
    self->bulk = NULL;
    if (bulk)
        bulk_close(bulk);
}

static void reader_dealloc(PyObject *self_)
{
    struct reader *self = (struct reader *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    reader_end(self);
    PyMem_Free(self->defs);
    Py_XDECREF(self->error);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int set_names(struct reader *self, PyObject *names)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (count > MAX_COLUMNS) {
        PyErr_Format(PyExc_ValueError, "%zd columns are more than there are", count);
        return -1;
    }
    self->defs = PyMem_Calloc((size_t)count + 1, sizeof(*self->defs));
    if (!self->defs) {
        PyErr_NoMemory();
        return -1;
    }
    self->count = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (!name)
            return -1;
        if (!column_find(name, &self->defs[i])) {
            PyErr_Format(PyExc_ValueError, "no column is named %s", name);
            return -1;
        }
    }
    return 0;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *source = NULL;
    PyObject *names = NULL;
    PyObject *filter = NULL;
    Py_ssize_t limit = 0;
    Py_ssize_t batch_rows = 0;
    struct plt_state *state = plt_state_of(type);
    if (!state || !PyArg_ParseTuple(args, "OO!Onn", &source, &PyTuple_Type, &names, &filter, &limit,
                                    &batch_rows))
        return NULL;
    if (batch_rows < 1) {
        PyErr_SetString(PyExc_ValueError, "a batch has at least one row");
        return NULL;
    }
    struct reader *self = (struct reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->batch_rows = (size_t)batch_rows;
    self->left = limit < 0 ? SIZE_MAX : (size_t)limit;
    if (set_names(self, names) == 0 && (self->bulk = bulk_open(state, source, filter)))
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static struct batch *batch_new(const struct reader *self, struct plt_state *state, size_t room)
{
    PyTypeObject *type = state->batch_type;
    struct batch *batch = (struct batch *)type->tp_alloc(type, 0);
    if (!batch)
        return NULL;
    batch->count = self->count;
    batch->defs = PyMem_Calloc(self->count + 1, sizeof(*batch->defs));
    batch->columns = PyMem_Calloc(self->count + 1, sizeof(struct column_data *));
    if (!batch->defs || !batch->columns)
        goto error;
    for (size_t i = 0; i < self->count; i++) {
        batch->defs[i] = self->defs[i];
        batch->columns[i] = column_data_new(&self->defs[i], room);
        if (!batch->columns[i])
            goto error;
    }
    return batch;
error:
    Py_DECREF((PyObject *)batch);
    PyErr_NoMemory();
    return NULL;
}

/* Read records into a batch until it has `rows`, without the GIL; what the source said last. */
static enum plt_bulk_result read_rows(struct reader *self, struct batch *batch, size_t rows,
                                      size_t *room)
{
    struct plt_record record;
    while (batch->rows < rows) {
        if (batch->rows == *room) {
            for (size_t i = 0; i < batch->count; i++)
                if (!column_data_grow(batch->columns[i]))
                    return PLT_ERROR;
            *room *= 2;
        }
        enum plt_bulk_result result = bulk_next(self->bulk, &record);
        if (result != PLT_RECORD)
            return result;
        columns_append(batch->defs, batch->columns, batch->count, &record);
        batch->rows++;
    }
    return PLT_RECORD;
}

/* Keep the pending exception until the batch that was read before it is handed out. */
static void keep_error(struct reader *self)
{
    PyObject *type = NULL;
    PyObject *traceback = NULL;
    PyErr_Fetch(&type, &self->error, &traceback);
    PyErr_NormalizeException(&type, &self->error, &traceback);
    if (traceback && self->error)
        PyException_SetTraceback(self->error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
}

static PyObject *raise_kept(struct reader *self)
{
    PyObject *error = self->error;
    self->error = NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return NULL;
}

PyObject *column_reader_next(PyObject *self_)
{
    enum { FIRST_ROOM = 1 << 16 };
    struct reader *self = (struct reader *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    if (self->busy) {
        PyErr_SetString(state->error, "these columns are in use by another thread");
        return NULL;
    }
    if (self->error)
        return raise_kept(self);
    if (!self->bulk)
        Py_RETURN_NONE;
    size_t rows = self->left < self->batch_rows ? self->left : self->batch_rows;
    size_t room = rows < FIRST_ROOM ? rows + (rows == 0) : FIRST_ROOM;
    struct batch *batch = batch_new(self, state, room);
    if (!batch)
        return NULL;
    bool more = true;
    self->busy = true;
    while (more) {
        enum plt_bulk_result result = PLT_RECORD;
        Py_BEGIN_ALLOW_THREADS result = read_rows(self, batch, rows, &room);
        Py_END_ALLOW_THREADS if (result == PLT_ERROR && batch->rows == room && room < rows)
            PyErr_NoMemory();
        else if (result == PLT_ERROR) bulk_raise(self->bulk);
        more = result == PLT_MORE && bulk_fill(self->bulk) == 0;
        if (result == PLT_END)
            reader_end(self);
    }
    self->busy = false;
    self->left -= self->left == SIZE_MAX ? 0 : batch->rows;
    if (PyErr_Occurred()) {
        keep_error(self);
        reader_end(self);
    } else if (self->left == 0) {
        reader_end(self);
    }
    if (batch->rows > 0)
        return (PyObject *)batch;
    Py_DECREF((PyObject *)batch);
    if (self->error)
        return raise_kept(self);
    Py_RETURN_NONE;
}

static PyObject *reader_next(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return column_reader_next(self_);
}

static PyObject *reader_close(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct reader *self = (struct reader *)self_;
    if (self->busy) {
        struct plt_state *state = plt_state_of(Py_TYPE(self_));
        if (state)
            PyErr_SetString(state->error, "these columns are in use by another thread");
        return NULL;
    }
    reader_end(self);
    Py_RETURN_NONE;
}

static PyObject *reader_arrow_c_stream(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct reader *self = (struct reader *)self_;
    return arrow_stream(self_, self->defs, self->count);
}

static PyObject *reader_arrow_c_schema(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct reader *self = (struct reader *)self_;
    return arrow_schema(self->defs, self->count);
}

static PyMethodDef reader_methods[] = {
    {"next", reader_next, METH_NOARGS, "next($self, /)\n--\n\nThe next batch, None at the end."},
    {"close", reader_close, METH_NOARGS, "close($self, /)\n--\n\nRead no more."},
    {"arrow_c_stream", reader_arrow_c_stream, METH_NOARGS,
     "arrow_c_stream($self, /)\n--\n\nThe capsule of an Arrow C stream of what is to come."},
    {"arrow_c_schema", reader_arrow_c_schema, METH_NOARGS,
     "arrow_c_schema($self, /)\n--\n\nThe capsule of an Arrow C schema."},
    {.ml_name = NULL}};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_ColumnReader(source, names, filter, limit, batch, /)\n--\n\nReads a trace as "
                "columns: the C part of plt.columns()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL}};

PyType_Spec column_reader_spec = {.name = "plt._plt._ColumnReader",
                                  .basicsize = sizeof(struct reader),
                                  .flags = Py_TPFLAGS_DEFAULT,
                                  .slots = reader_slots};

/* --- The names ------------------------------------------------------------------------------- */

PyObject *column_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    struct column_def def;
    for (size_t n = 0; list && column_nth(n, &def); n++) {
        PyObject *item = Py_BuildValue("(ssisO)", def.name, format_of(def.kind), (int)def.kind,
                                       def.doc, def.can_be_missing ? Py_True : Py_False);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}
