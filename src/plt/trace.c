/* Traces: reading packets one after another. */
#include "trace.h"

#include "errors.h"
#include "filter.h"
#include "state.h"
#include "view.h"

PyObject *trace_busy(PyObject *self_)
{
    return raise_error(self_, "this trace is in use by another thread, or by columns that are not "
                              "read to the end");
}

void trace_raise(PyObject *trace, const struct source *source)
{
    struct plt_state *state = plt_state_of(Py_TYPE(trace));
    if (state)
        PyErr_Format(state->error, "%U: packet %llu: %s", ((struct trace *)trace)->uri,
                     (unsigned long long)source->count + 1, source->error);
}

void trace_raise_from(PyObject *trace, const struct source *source)
{
    struct plt_state *state = plt_state_of(Py_TYPE(trace));
    if (state)
        raise_error_from(state, "%U: %U, after packet %llu", ((struct trace *)trace)->uri,
                         (unsigned long long)source->count);
}

static int fill(PyObject *self_)
{
    struct trace *self = (struct trace *)self_;
    self->busy = true;
    int failed = self->source->fill(self->source);
    self->busy = false;
    if (failed)
        trace_raise_from(self_, self->source);
    return failed;
}

/* Whether the trace can be read from now, else LibtraceError. */
static bool readable(PyObject *self_)
{
    const struct trace *self = (struct trace *)self_;
    if (self->busy)
        trace_busy(self_);
    else if (!self->started)
        raise_error(self_, "Trace not started");
    return self->started && !self->busy;
}

struct source *trace_borrow(PyObject *trace, PyObject **filter, uint32_t *snaplen,
                            struct bounds **bounds)
{
    struct trace *self = (struct trace *)trace;
    if (!readable(trace))
        return NULL;
    self->busy = true;
    *filter = self->source->filters ? NULL : self->filter;
    *snaplen = plt_snaplen(self->snaplen);
    *bounds = bounds_are_set(&self->bounds) ? &self->bounds : NULL;
    return self->source;
}

void trace_give_back(PyObject *trace, uint64_t accepted)
{
    struct trace *self = (struct trace *)trace;
    self->busy = false;
    self->accepted += accepted;
}

/* The next record that the filter accepts: 1, 0 at the end, -1 with an exception. */
static int next_record(PyObject *self_, struct plt_record *record)
{
    struct trace *self = (struct trace *)self_;
    struct source *source = self->source;
    if (!readable(self_))
        return -1;
    struct bounds *bounds = bounds_are_set(&self->bounds) ? &self->bounds : NULL;
    for (;;) {
        int accepted = 1;
        if (bounds && bounds_reached(bounds))
            return 0;
        record->comment = NULL;
        switch (source_take(source, record)) {
        case SOURCE_RECORD:
            record->layers = NULL;
            record->meta.number = source->count;
            if (bounds && !bounds_in_time(bounds, &record->meta))
                return 0;
            if (self->filter && !source->filters)
                accepted =
                    filter_record(self->filter, source, record, &source->filter_use, source->error);
            if (accepted > 0) {
                self->accepted++;
                if (bounds)
                    bounds_count(bounds);
                plt_record_cut(record, plt_snaplen(self->snaplen));
                return 1;
            }
            if (accepted < 0) { /* next time there may be memory, or a better filter */
                source_give_back(source, record);
                if (accepted == FILTER_NO_MEMORY)
                    PyErr_NoMemory();
                else
                    raise_error(self_, source->error);
                return -1;
            }
            break;
        case SOURCE_MORE:
            if (fill(self_) < 0)
                return -1;
            break;
        case SOURCE_END:
            if (!filter_was_refused(&source->filter_use, source->error))
                return 0;
            raise_error(self_, source->error);
            return -1;
        case SOURCE_ERROR:
            trace_raise(self_, source);
            return -1;
        }
    }
}

/* A record that next_record() gave comes again: no packet could be made of it. */
static void give_back(struct trace *self, const struct plt_record *record)
{
    self->accepted--;
    bounds_uncount(&self->bounds);
    source_give_back(self->source, record);
}

/* Put a record into a packet, into its own frame where nothing else holds that.  A frame that is
 * let go of goes last: that may run a script's code, which may close the trace. */
static int packet_set(struct plt_state *state, struct view *packet, const struct plt_record *record)
{
    struct frame *own = packet->frame;
    struct frame *held = NULL;
    packet->frame = NULL;
    packet->end = 0;
    if (own && (own->refs > 1 || own->pins || own->parent || own->buffer)) {
        held = own;
        own = NULL;
    }
    struct frame *frame = frame_of_record(state, record, own);
    if (frame) {
        packet->frame = frame;
        packet->end = frame->len;
    }
    frame_release(held);
    return frame ? 0 : -1;
}

PyObject *trace_iternext(PyObject *self_)
{
    struct trace *self = (struct trace *)self_;
    struct plt_record record;
    if (next_record(self_, &record) <= 0)
        return NULL;
    self->turn ^= 1;
    struct view *packet = self->spare[self->turn];
    if (packet && Py_REFCNT(packet) == 1 && packet->frame) {
        if (packet_set(packet->frame->state, packet, &record) < 0)
            goto error;
    } else {
        struct plt_state *state = plt_state_of(Py_TYPE(self_));
        struct frame *frame = state ? frame_of_record(state, &record, NULL) : NULL;
        if (!frame)
            goto error;
        if (packet && packet->frame)
            frame_shrink(packet->frame); /* it is kept */
        packet = (struct view *)view_new(frame, VIEW_PACKET, 0, frame->len);
        frame_release(frame);
        if (!packet)
            goto error;
        Py_INCREF(packet);
        Py_XSETREF(self->spare[self->turn], packet); /* may run a script's code */
        return (PyObject *)packet;
    }
    Py_INCREF(packet);
    return (PyObject *)packet;
error:
    give_back(self, &record);
    return NULL;
}

PyObject *trace_iter(PyObject *self_)
{
    if (!((struct trace *)self_)->started)
        return raise_error(self_, "Trace not started");
    Py_INCREF(self_);
    return self_;
}

PyObject *trace_read_packet_into(PyObject *self_, PyObject *packet)
{
    struct plt_record record;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    struct view *view = view_of(state, packet);
    if (!view || view->type != VIEW_PACKET) {
        PyErr_Format(PyExc_TypeError, "read_packet() takes a plt.packet, not %.100s",
                     Py_TYPE(packet)->tp_name);
        return NULL;
    }
    int result = next_record(self_, &record);
    if (result < 0)
        return NULL;
    if (result > 0 && packet_set(state, view, &record) < 0) {
        give_back((struct trace *)self_, &record);
        return NULL;
    }
    return PyBool_FromLong(result);
}
