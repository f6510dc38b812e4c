/* The Python type that reads a trace as columns: the C part of plt.columns(). */
#include "common/keptexception.h"

#include "bulk.h"
#include "columns.h"
#include "state.h"

struct reader {
    PyObject ob_base;
    struct plt_bulk *bulk;         /* owned; NULL after the end */
    struct column_info *infos;     /* owned */
    struct column_source *sources; /* owned */
    size_t count;
    size_t batch_rows;
    size_t left;     /* of the limit */
    PyObject *error; /* owned: to be raised after the batch that came before it, or NULL */
    bool busy;
    bool stopped; /* by another thread, while this one is busy */
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
    PyMem_Free(self->infos);
    PyMem_Free(self->sources);
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
    self->infos = PyMem_Calloc((size_t)count + 1, sizeof(*self->infos));
    self->sources = PyMem_Calloc((size_t)count + 1, sizeof(*self->sources));
    if (!self->infos || !self->sources) {
        PyErr_NoMemory();
        return -1;
    }
    self->count = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (!name)
            return -1;
        if (!column_find(name, &self->infos[i], &self->sources[i])) {
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

/* Read records into a batch until it has `rows`, without the GIL; what the source said last. */
static enum plt_bulk_result read_rows(struct reader *self, struct batch *batch, size_t rows,
                                      bool *out_of_memory)
{
    struct plt_record record;
    while (batch->rows < rows) {
        if (batch->rows == batch->room && !batch_grow(batch)) {
            *out_of_memory = true;
            return PLT_ERROR;
        }
        enum plt_bulk_result result = bulk_next(self->bulk, &record);
        if (result != PLT_RECORD)
            return result;
        columns_append(self->sources, batch, &record);
    }
    return PLT_RECORD;
}

/* The next batch of up to `most` rows; at the end NULL without an exception. */
static PyObject *read_batch(struct reader *self, struct plt_state *state, size_t most)
{
    enum { FIRST_ROOM = 1 << 16 };
    if (self->busy) {
        PyErr_SetString(state->error, "these columns are in use by another thread");
        return NULL;
    }
    if (self->error)
        return exception_raise(&self->error);
    if (!self->bulk)
        return NULL;
    size_t rows = self->left < most ? self->left : most;
    struct batch *batch = batch_new(&state->batch_types, self->infos, self->count,
                                    rows < FIRST_ROOM ? rows : FIRST_ROOM);
    if (!batch)
        return NULL;
    bool more = true;
    bool out_of_memory = false;
    self->busy = true;
    while (more) {
        enum plt_bulk_result result = PLT_RECORD;
        Py_BEGIN_ALLOW_THREADS
        result = read_rows(self, batch, rows, &out_of_memory);
        Py_END_ALLOW_THREADS
        if (out_of_memory)
            PyErr_NoMemory();
        else if (result == PLT_ERROR)
            bulk_raise(self->bulk);
        more = result == PLT_MORE && !self->stopped && bulk_fill(self->bulk) == 0;
        if (result == PLT_END)
            reader_end(self);
    }
    self->busy = false;
    self->left -= self->left == SIZE_MAX ? 0 : batch->rows;
    bool failed = PyErr_Occurred();
    bool broken = failed && PyErr_ExceptionMatches(state->error);
    if (broken)
        self->error = exception_take();
    if (failed || self->stopped || self->left == 0)
        reader_end(self);
    /* a signal's exception does not wait for the consumer of a batch */
    if (batch->rows > 0 && (broken || !failed))
        return (PyObject *)batch;
    Py_DECREF((PyObject *)batch);
    return broken ? exception_raise(&self->error) : NULL;
}

static PyObject *reader_iternext(PyObject *self_)
{
    struct reader *self = (struct reader *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    return state ? read_batch(self, state, self->batch_rows) : NULL;
}

static PyObject *reader_empty(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct reader *self = (struct reader *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    return (PyObject *)batch_new(&state->batch_types, self->infos, self->count, 1);
}

static PyObject *reader_rest(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct reader *self = (struct reader *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    PyObject *batch = read_batch(self, state, SIZE_MAX);
    return batch || PyErr_Occurred() ? batch : reader_empty(self_, NULL);
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
    Py_CLEAR(self->error);
    reader_end(self);
    Py_RETURN_NONE;
}

static PyObject *reader_stop(PyObject *self_, PyObject *Py_UNUSED(args))
{
    ((struct reader *)self_)->stopped = true;
    Py_RETURN_NONE;
}

static PyMethodDef reader_methods[] = {
    {"rest", reader_rest, METH_NOARGS,
     "rest($self, /)\n--\n\nAll that is left as one batch, an empty one at the end."},
    {"close", reader_close, METH_NOARGS, "close($self, /)\n--\n\nRead no more."},
    {"stop", reader_stop, METH_NOARGS,
     "stop($self, /)\n--\n\nLet the thread that is reading end soon, as if the trace ended."},
    {"empty", reader_empty, METH_NOARGS,
     "empty($self, /)\n--\n\nA batch without rows, of the reader's columns."},
    {.ml_name = NULL}};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "_ColumnReader(source, names, filter, limit, batch, /)\n--\n\nReads a trace as "
                "columns: the C part of plt.columns()."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_iternext},
    {0, NULL}};

PyType_Spec column_reader_spec = {.name = "plt._ColumnReader",
                                  .basicsize = sizeof(struct reader),
                                  .flags = Py_TPFLAGS_DEFAULT,
                                  .slots = reader_slots};

/* --- The names ------------------------------------------------------------------------------- */

PyObject *column_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    struct column_info info;
    struct column_source source;
    const char *doc = NULL;
    for (size_t n = 0; list && column_nth(n, &info, &source, &doc); n++) {
        PyObject *item = Py_BuildValue("(sisO)", info.name, (int)info.kind, doc,
                                       info.can_be_missing ? Py_True : Py_False);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}
