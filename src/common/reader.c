/* Columns of a trace: rows are read without the GIL, and a batch is handed out before an error that
 * came after it. */
#include "reader.h"

#include "keptexception.h"
#include "monotonic.h"

/* Seconds after which a batch with rows is handed out rather than to wait for a pipe or an
 * interface. */
#define PATIENCE 0.2

/* With no more rows than this the texts of all addresses fit Arrow's 32-bit offsets. */
enum { MOST_ROWS = 1 << 25 };

/* The same of the first batch: a file may be small, and is one of many. */
enum { SMALL_ROOM = 1 << 8 };

static void end(struct column_reader *self)
{
    struct plt_records *records = self->records;
    self->records = NULL;
    if (records)
        self->api->records_close(records);
    column_spares_close(self->spares);
    self->spares = NULL;
}

int column_reader_traverse(struct column_reader *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->libtrace_error);
    Py_VISIT(self->error);
    Py_VISIT(self->interrupted);
    return self->records ? self->api->records_traverse(self->records, visit, arg) : 0;
}

void column_reader_let_go(struct column_reader *self)
{
    end(self);
    Py_CLEAR(self->error);
    Py_CLEAR(self->interrupted);
}

void column_reader_clear(struct column_reader *self)
{
    column_reader_let_go(self);
    PyMem_Free(self->infos);
    self->infos = NULL;
    Py_CLEAR(self->libtrace_error);
}

static int take_columns(struct column_reader *self, PyObject *names)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (count > MAX_COLUMNS) {
        PyErr_Format(PyExc_ValueError, "%zd columns are more than there are", count);
        return -1;
    }
    self->infos = PyMem_Calloc((size_t)count + 1, sizeof(*self->infos));
    if (!self->infos) {
        PyErr_NoMemory();
        return -1;
    }
    self->count = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (!name)
            return -1;
        if (!self->take_column(self, (size_t)i, name)) {
            PyErr_Format(PyExc_ValueError, "no column is named %s", name);
            return -1;
        }
        if (kind_is_address(self->infos[i].kind))
            self->infos[i].kind = self->address_kind;
    }
    return 0;
}

static int make_spares(struct column_reader *self)
{
    /* two batches: one that is being filled, and one that the consumer has in hand */
    column_spares_close(self->spares);
    self->spares = column_spares_new(self->count * 2, batch_first_room(self->batch_rows));
    if (self->spares)
        return 0;
    PyErr_NoMemory();
    return -1;
}

int column_reader_open(struct column_reader *self, PyObject *source, PyObject *names,
                       PyObject *filter, Py_ssize_t limit, Py_ssize_t batch_rows, int address_kind)
{
    if (batch_rows < 1) {
        PyErr_SetString(PyExc_ValueError, "a batch has at least one row");
        return -1;
    }
    if (address_kind < 0 || address_kind >= KIND_COUNT || !kind_is_address((uint8_t)address_kind)) {
        PyErr_Format(PyExc_ValueError, "%d is no kind of addresses", address_kind);
        return -1;
    }
    self->address_kind = (uint8_t)address_kind;
    self->batch_rows = (size_t)batch_rows;
    self->left = limit < 0 ? SIZE_MAX : (size_t)limit;
    if (!self->busy)
        self->busy = &self->own_busy;
    if (take_columns(self, names) < 0)
        return -1;
    if (make_spares(self) < 0)
        return -1;
    self->records = self->api->records_open(self->api, source, filter);
    return self->records ? 0 : -1;
}

static bool is_busy(const struct column_reader *self)
{
    if (*self->busy)
        PyErr_SetString(self->libtrace_error, "these columns are in use by another thread");
    return *self->busy;
}

/* How many rows are asked for. */
struct wish {
    size_t most;
    bool is_rest; /* all that comes, however long that takes */
};

/* Have more records read for a batch; false where it is to be as it is. */
static bool read_more(struct column_reader *self, const struct batch *batch, bool is_rest,
                      double *until)
{
    if (self->stopped)
        return false;
    if (*until == 0 && batch->rows > 0 && !is_rest)
        *until = monotonic_now() + PATIENCE;
    return self->api->records_fill(self->records, *until) == 0;
}

/* Read until the batch is full or the trace ends; an exception may be set then. */
static void fill(struct column_reader *self, struct batch *batch, size_t rows, bool is_rest)
{
    bool more = true;
    bool out_of_memory = false;
    double until = 0; /* when the batch is handed out, where more has to be waited for */
    *self->busy = true;
    while (more) {
        enum plt_records_result result = PLT_RECORD;
        Py_BEGIN_ALLOW_THREADS
        result = self->read_rows(self, batch, rows, &out_of_memory);
        Py_END_ALLOW_THREADS
        if (out_of_memory)
            PyErr_NoMemory();
        else if (result == PLT_ERROR)
            self->api->records_raise(self->records);
        more = result == PLT_MORE && read_more(self, batch, is_rest, &until);
        if (result == PLT_END)
            end(self);
    }
    *self->busy = false;
}

/* The next batch, NULL without an exception at the end.  Where rows were read before an exception,
 * that of a trace is raised after them, and so is any where all the rest was asked for.  Others,
 * those of signals' handlers among them, are raised at once: then the rows are the next batch. */
static PyObject *read_batch(struct column_reader *self, struct wish wish)
{
    if (is_busy(self))
        return NULL;
    if (self->interrupted) {
        PyObject *batch = self->interrupted;
        self->interrupted = NULL;
        return batch;
    }
    if (self->error)
        return exception_raise(&self->error);
    if (!self->records)
        return NULL;
    size_t rows = self->left < wish.most ? self->left : wish.most;
    size_t room = self->has_begun ? BATCH_FIRST_ROOM : SMALL_ROOM;
    struct batch *batch = batch_new_from(self->types, self->spares, self->infos, self->count,
                                         rows < room ? rows : room);
    if (!batch)
        return NULL;
    self->has_begun = true;
    fill(self, batch, rows, wish.is_rest);
    self->left -= self->left == SIZE_MAX ? 0 : batch->rows;
    bool has_rows = batch->rows > 0;
    bool failed = PyErr_Occurred();
    bool may_wait = wish.is_rest || PyErr_ExceptionMatches(self->libtrace_error);
    if (failed && has_rows && may_wait)
        self->error = exception_take();
    if (failed || self->stopped || self->left == 0)
        end(self);
    if (has_rows && (!failed || may_wait))
        return (PyObject *)batch;
    if (has_rows)
        self->interrupted = Py_NewRef((PyObject *)batch);
    Py_DECREF((PyObject *)batch);
    return NULL;
}

PyObject *column_reader_next(PyObject *self_)
{
    struct column_reader *self = (struct column_reader *)self_;
    return read_batch(self, (struct wish){.most = self->batch_rows});
}

static PyObject *reader_rest(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct wish all = {.most = MOST_ROWS, .is_rest = true};
    PyObject *batch = read_batch((struct column_reader *)self_, all);
    return batch || PyErr_Occurred() ? batch : Py_NewRef(Py_None);
}

static PyObject *reader_skip(PyObject *self_, PyObject *arg)
{
    struct column_reader *self = (struct column_reader *)self_;
    size_t rows = PyLong_AsSize_t(arg);
    if (rows == (size_t)-1 && PyErr_Occurred())
        return NULL;
    while (rows > 0) {
        PyObject *batch = read_batch(self, (struct wish){.most = batch_first_room(rows)});
        if (!batch && PyErr_Occurred())
            return NULL;
        rows = batch ? rows - ((struct batch *)batch)->rows : 0;
        Py_XDECREF(batch);
    }
    Py_RETURN_NONE;
}

static PyObject *reader_close(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct column_reader *self = (struct column_reader *)self_;
    if (is_busy(self))
        return NULL;
    Py_CLEAR(self->error);
    Py_CLEAR(self->interrupted);
    end(self);
    Py_RETURN_NONE;
}

static PyObject *reader_stop(PyObject *self_, PyObject *Py_UNUSED(args))
{
    ((struct column_reader *)self_)->stopped = true;
    Py_RETURN_NONE;
}

static PyObject *reader_set_batch(PyObject *self_, PyObject *arg)
{
    struct column_reader *self = (struct column_reader *)self_;
    size_t rows = PyLong_AsSize_t(arg);
    if (is_busy(self) || (rows == (size_t)-1 && PyErr_Occurred()))
        return NULL;
    self->batch_rows = rows > 0 ? rows : 1;
    if (self->records && make_spares(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *reader_expect_many(PyObject *self_, PyObject *memory)
{
    struct column_reader *self = (struct column_reader *)self_;
    struct column_spares *spares = batch_memory_of(memory);
    if (!spares)
        return NULL;
    self->has_begun = true;
    if (self->spares) {
        column_spares_close(self->spares);
        self->spares = column_spares_share(spares);
    }
    Py_RETURN_NONE;
}

PyMethodDef column_reader_methods[] = {
    {"rest", reader_rest, METH_NOARGS,
     "rest($self, /)\n--\n\nAll that is left as one batch, or much of it; None at the end."},
    {"skip", reader_skip, METH_O, "skip($self, rows, /)\n--\n\nRead rows without keeping them."},
    {"set_batch", reader_set_batch, METH_O,
     "set_batch($self, rows, /)\n--\n\nThe most rows of the batches from now on."},
    {"expect_many", reader_expect_many, METH_O,
     "expect_many($self, memory, /)\n--\n\nTake memory for many rows at once, for the source is "
     "large: that of a batch's memory()."},
    {"close", reader_close, METH_NOARGS, "close($self, /)\n--\n\nRead no more."},
    {"stop", reader_stop, METH_NOARGS,
     "stop($self, /)\n--\n\nLet the thread that is reading end soon, as if the trace ended."},
    {.ml_name = NULL}};

int column_list_add(PyObject *list, const struct column_info *info, const char *doc)
{
    PyObject *item = Py_BuildValue("(sisO)", info->name, (int)info->kind, doc,
                                   info->can_be_missing ? Py_True : Py_False);
    int status = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return status;
}
