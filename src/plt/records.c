/* The records of a trace: for columns, and for natkit's flow tables. */
#include "records.h"

#include "filter.h"
#include "state.h"
#include "trace.h"
#include "wait.h"

#include "common/hasattribute.h"
#include "common/keptexception.h"
#include "common/monotonic.h"

#include <poll.h>

struct plt_records {
    struct plt_state *state; /* borrowed */
    PyObject *trace;         /* owned: the plt.trace */
    bool ahead;              /* a thread decompresses */
    bool made;               /* by us, of a URI: to be closed at the end */
    PyObject *filter;        /* owned: a plt.filter of our own, or NULL */
    PyObject *trace_filter;  /* owned: a copy of the trace's own filter, or NULL */
    struct source *source;   /* the trace's */
    struct filter_use use;   /* of the filter */
    uint32_t snaplen;        /* the trace's */
    struct bounds *bounds;   /* borrowed: the trace's, NULL where it has none */
    uint64_t accepted;
    char error[SOURCE_ERROR_SIZE]; /* of a filter; else the source's */
};

/* A filter for this reader alone: its libpcap program is used without the GIL.  A condition does
 * not change, and is shared. */
static PyObject *own_filter(struct plt_state *state, PyObject *filter)
{
    PyObject *expression = filter;
    if (PyObject_TypeCheck(filter, state->where_type) && filter_text(filter) == NULL) {
        if (!filter_check(state, filter, "where"))
            return NULL;
        Py_INCREF(filter);
        return filter;
    }
    if (PyObject_TypeCheck(filter, state->filter_type)) {
        expression = PyObject_GetAttrString(filter, "expression");
        if (!expression)
            return NULL;
    } else if (PyUnicode_Check(filter)) {
        Py_INCREF(expression);
    } else {
        PyErr_Format(PyExc_TypeError, "filter must be a plt.filter or an expression, not %.100s",
                     Py_TYPE(filter)->tp_name);
        return NULL;
    }
    PyObject *own = PyObject_CallOneArg((PyObject *)state->filter_type, expression);
    Py_DECREF(expression);
    return own;
}

/* The trace to read, started: the caller's own, or one made of a URI. */
static PyObject *started_trace(struct plt_records *self, PyObject *source)
{
    PyObject *trace = source;
    self->made = !PyObject_TypeCheck(source, self->state->trace_type);
    if (self->made) {
        trace = PyObject_CallOneArg((PyObject *)self->state->trace_type, source);
        if (!trace)
            return NULL;
        PyObject *started = PyObject_CallMethod(trace, "start", NULL);
        if (!started)
            Py_CLEAR(trace);
        Py_XDECREF(started);
    } else {
        Py_INCREF(trace);
    }
    return trace;
}

/* Of a compressed file, decompress ahead in a thread of its own; packets that a loop asks for would
 * only wait for each other's turn to run Python.  Whether there is such a thread, or -1. */
static int read_ahead(struct source *source)
{
    PyObject *stream = source->input.stream; /* NULL where no file is read */
    int has = stream ? has_attribute(stream, "read_ahead") : 0;
    if (has <= 0)
        return has;
    PyObject *result = PyObject_CallMethod(stream, "read_ahead", NULL);
    int found = result ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    return found;
}

struct plt_records *records_open(struct plt_state *state, PyObject *source, PyObject *filter)
{
    struct plt_records *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->state = state;
    if (filter && filter != Py_None && !(self->filter = own_filter(state, filter)))
        goto error;
    self->trace = started_trace(self, source);
    if (!self->trace)
        goto error;
    PyObject *trace_filter = NULL;
    self->source = trace_borrow(self->trace, &trace_filter, &self->snaplen, &self->bounds);
    int ahead = self->source ? read_ahead(self->source) : -1;
    if (ahead < 0)
        goto error;
    self->ahead = ahead;
    if (trace_filter && !(self->trace_filter = own_filter(state, trace_filter)))
        goto error;
    return self;
error:
    records_close(self);
    return NULL;
}

/* Whether both filters accept a record: 1, 0, or -1 with the reason in error. */
static int accepts(struct plt_records *self, struct plt_record *record)
{
    struct source *source = self->source;
    int accepted = 1;
    if (self->trace_filter)
        accepted =
            filter_record(self->trace_filter, source, record, &source->filter_use, self->error);
    if (accepted > 0 && self->filter)
        accepted = filter_record(self->filter, source, record, &self->use, self->error);
    return accepted;
}

enum plt_records_result records_next(struct plt_records *self, struct plt_record *record)
{
    for (;;) {
        if (self->bounds && bounds_reached(self->bounds))
            return PLT_END;
        switch (source_take(self->source, record)) {
        case SOURCE_END:
            return filter_was_refused(&self->source->filter_use, self->error) ||
                           filter_was_refused(&self->use, self->error)
                       ? PLT_ERROR
                       : PLT_END;
        case SOURCE_MORE:
            return PLT_MORE;
        case SOURCE_ERROR:
            return PLT_ERROR;
        case SOURCE_RECORD:
            break;
        }
        record->layers = NULL;
        record->meta.number = self->source->count;
        if (self->bounds && !bounds_in_time(self->bounds, &record->meta))
            return PLT_END;
        int accepted = accepts(self, record);
        if (accepted < 0) { /* the trace may be read on, with a better filter */
            source_give_back(self->source, record);
            return PLT_ERROR;
        }
        if (accepted > 0) {
            self->accepted++;
            if (self->bounds)
                bounds_count(self->bounds);
            plt_record_cut(record, self->snaplen);
            return PLT_RECORD;
        }
    }
}

/* Whether each record that the source has is wanted, as it is. */
static bool takes_all(const struct plt_records *self)
{
    return !self->filter && !self->trace_filter && !self->bounds && self->snaplen == UINT32_MAX;
}

enum plt_records_result records_block(struct plt_records *self, struct record_block *out,
                                      size_t most)
{
    struct source *source = self->source;
    out->count = 0;
    if (source->next_block && !source->has_back && takes_all(self)) {
        uint64_t before = source->count;
        out->count = source->next_block(source, out->records, most);
        self->accepted += out->count;
        for (size_t i = 0; i < out->count; i++)
            out->records[i].meta.number = before + i + 1;
    }
    if (!source_keeps_records(source))
        most = 1;
    while (out->count < most) {
        struct plt_record *record = &out->records[out->count];
        enum plt_records_result result = records_next(self, record);
        if (result != PLT_RECORD)
            return result;
        if (record->layers) {
            out->layers[out->count] = *record->layers;
            record->layers = &out->layers[out->count];
        }
        out->count++;
    }
    return PLT_RECORD;
}

bool records_are_read_ahead(const struct plt_records *self)
{
    return self->ahead;
}

/* The same as records_fill() of a live source, which waits for packets by itself. */
static int fill_live(struct source *source, double until)
{
    double deadline = source->deadline;
    if (until > 0 && (deadline == 0 || until < deadline))
        source->deadline = until;
    int status = source->fill(source);
    source->deadline = deadline;
    return status < 0 ? -1 : until > 0 && monotonic_now() >= until;
}

/* The same of a file, which may be a pipe. */
static int fill_from_file(struct source *source, double until)
{
    int fd = source->input.waits_on;
    bool is_there = fd < 0 || until == 0;
    while (!is_there) {
        double left = until - monotonic_now();
        int ready = wait_for_descriptor(fd, POLLIN, left > 0 ? left : 0);
        if (ready < 0)
            return -1;
        is_there = ready > 0;
        if (!is_there && left <= 0)
            return 1;
    }
    return source->fill(source);
}

int records_fill(struct plt_records *self, double until)
{
    struct source *source = self->source;
    if (PyErr_CheckSignals() < 0)
        return -1;
    int status = source->input.stream ? fill_from_file(source, until) : fill_live(source, until);
    if (status >= 0)
        return status;
    bool is_timeout = PyErr_ExceptionMatches(self->state->error);
    trace_raise_from(self->trace, source);
    return !is_timeout && PyErr_ExceptionMatches(self->state->error) ? PLT_ENDED : -1;
}

void records_raise(struct plt_records *self)
{
    if (self->error[0])
        PyErr_SetString(self->state->error, self->error);
    else
        trace_raise(self->trace, self->source);
}

void records_close(struct plt_records *self)
{
    PyObject *error = exception_take();
    if (self->source)
        trace_give_back(self->trace, self->accepted);
    if (self->made && self->trace) {
        PyObject *closed = PyObject_CallMethod(self->trace, "close", NULL);
        if (!closed)
            PyErr_Clear();
        Py_XDECREF(closed);
    }
    Py_XDECREF(self->trace);
    Py_XDECREF(self->filter);
    Py_XDECREF(self->trace_filter);
    PyMem_Free(self);
    exception_restore(error);
}

int records_traverse(const struct plt_records *self, visitproc visit, void *arg)
{
    Py_VISIT(self->trace);
    Py_VISIT(self->filter);
    Py_VISIT(self->trace_filter);
    return 0;
}
