/* FlowTable.add() and FlowTable.add_trace(): packets into a table. */
#include "read.h"

#include "flows.h"
#include "object.h"

#include "common/hasattribute.h"
#include "common/pipeline.h"
#include "packet/block.h"

#include <stdatomic.h>
#include <time.h>

enum {
    BLOCK = PACKETS_OF_BLOCK, /* packets whose flows are looked for before the first is counted */
    PACKETS_AHEAD = 8192,     /* in a buffer between the threads */
    STRETCH = 1 << 16,        /* packets read between two looks at signals and callbacks */
    ENDED_AT_ONCE = 4096      /* flows that on_expired is called for */
};

/* Seconds between two calls of progress. */
#define PROGRESS_EVERY 0.05

/* --- One packet ------------------------------------------------------------------------------ */

const char table_add_doc[] =
    "add($self, packet, /)\n--\n\n"
    "Count a packet in its flow.\n\n"
    "packet is any packet or layer object of plt that came from a trace; a quoted or\n"
    "tunnelled packet counts in that packet's own flow. One that is not IP only counts in\n"
    "not_ip. ValueError for an object made from bytes, which has no arrival time, and for\n"
    "anything else.";

PyObject *table_add(PyObject *self_, PyObject *obj)
{
    struct flow_table_object *self = table_object(self_);
    struct plt_packet found = {.data = NULL};
    struct flow_packet packet;
    int status = self->state->plt_api->packet_of(self->state->plt_api, obj, &found);
    if (status < 0 || table_object_check(self) < 0)
        return NULL;
    if (status == 0)
        return PyErr_Format(PyExc_ValueError,
                            "a flow table takes packet and layer objects of plt, not %.100s",
                            Py_TYPE(obj)->tp_name);
    if (!found.meta) {
        PyErr_SetString(PyExc_ValueError, "an object made from bytes has no arrival time");
        return NULL;
    }
    if (flow_input_packet(&self->table.input, &found, &packet) &&
        flow_table_feed(&self->table, &packet, 1) == 0) {
        input_count(&self->table.input.packets, -1);
        return PyErr_NoMemory();
    }
    if (!flow_table_catch_up(&self->table, false))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* --- A trace --------------------------------------------------------------------------------- */

/* What a call of add_trace() reads with. */
struct reading {
    struct flow_table_object *self;
    struct plt_records *records;
    struct pipeline *second; /* owned: counts the packets; NULL where this thread does */
    bool looked;             /* whether there is a processor for it */
    bool of_bytes;           /* progress is what counts them */
    bool hands_over;         /* flows that ended are handed over as they come */
    uint64_t read;
    uint64_t found;         /* of them those that have a flow */
    uint64_t counted;       /* of these those that were counted */
    _Atomic uint64_t ended; /* flows in the table that ended, as far as is known here */
    bool out_of_memory;
    /* Of a stretch: where packets go that are to be counted next, for how many there is room, and
     * how many are there. */
    struct flow_packet *place;
    size_t room;
    size_t waiting;
    struct record_block block;
};

static bool is_to_hand_over(const struct reading *reading)
{
    return reading->hands_over && reading->ended >= ENDED_AT_ONCE;
}

/* The second thread's work. */
static bool count_packets(void *reading_, void *packets_, size_t count)
{
    struct reading *reading = reading_;
    struct flow_packet *packets = packets_;
    struct flow_table *table = &reading->self->table;
    bool enough = true;
    for (size_t at = 0; at < count && enough; at += BLOCK) {
        size_t block = count - at < BLOCK ? count - at : BLOCK;
        size_t counted = flow_table_feed(table, packets + at, block);
        reading->counted += counted;
        enough = counted == block;
    }
    reading->ended = table->set.ended;
    return enough;
}

/* Count the packets that wait; with a second thread it will, when its buffer is full. */
static void hand_on(struct reading *reading, struct pipeline *second)
{
    bool enough = second ? pipeline_add(second, reading->waiting)
                         : count_packets(reading, reading->place, reading->waiting);
    reading->out_of_memory |= !enough;
    reading->waiting = 0;
    if (second)
        reading->place = pipeline_room(second, &reading->room);
}

/* A packet was read to where the next one goes; it is to be counted if it has a flow. */
static inline void add_packet(struct reading *reading, struct pipeline *second, bool found)
{
    reading->found += found;
    reading->waiting += found;
    if (reading->waiting == reading->room)
        hand_on(reading, second);
}

/* Read some records and count their packets, and fragments that have waited; what the source said
 * after the last of them. */
static enum plt_records_result read_block(struct reading *reading, struct pipeline *second)
{
    struct flow_input *input = &reading->self->table.input;
    struct record_block *block = &reading->block;
    enum plt_records_result result =
        reading->self->state->plt_api->records_block(reading->records, block, BLOCK);
    for (size_t i = 0; i < block->count && !reading->out_of_memory; i++) {
        const struct plt_record *record = &block->records[i];
        add_packet(reading, second,
                   flow_input_record(input, record, &reading->place[reading->waiting]));
        while (!reading->out_of_memory &&
               flow_input_fragment(input, false, &reading->place[reading->waiting]))
            add_packet(reading, second, true);
        reading->read++;
    }
    if (reading->waiting > 0)
        hand_on(reading, second);
    reading->out_of_memory |= input->fragments_lost;
    input->fragments_lost = false;
    return result;
}

/* Read up to STRETCH packets, fewer where flows are to be handed over, without the GIL; what the
 * source said last. */
static enum plt_records_result read_stretch(struct reading *reading)
{
    struct pipeline *second = reading->second;
    enum plt_records_result result = PLT_RECORD;
    struct flow_packet packets[BLOCK];
    if (second && !pipeline_start(second, count_packets, reading))
        second = NULL;
    reading->room = BLOCK;
    reading->place = second ? pipeline_room(second, &reading->room) : packets;
    for (uint64_t end = reading->read + STRETCH; reading->read < end && result == PLT_RECORD &&
                                                 !reading->out_of_memory &&
                                                 !is_to_hand_over(reading);)
        result = read_block(reading, second);
    reading->place = NULL;
    return result;
}

static double now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        return 0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Have the bytes counted that are read of a source: the source to read, or NULL, and what tells of
 * them takes the place of progress.  Both are owned. */
static PyObject *measure(PyObject *source, PyObject **progress)
{
    PyObject *module = PyImport_ImportModule("plt.shared");
    PyObject *sources = NULL, *told = NULL, *first = NULL; /* borrowed */
    PyObject *made =
        module ? PyObject_CallMethod(module, "measured", "[O]OO", source, *progress, Py_False)
               : NULL;
    Py_XDECREF(module);
    if (made && PyArg_ParseTuple(made, "O!O", &PyList_Type, &sources, &told))
        first = PyList_GetItem(sources, 0);
    if (first) {
        Py_INCREF(first);
        Py_INCREF(told);
        *progress = told;
    }
    Py_XDECREF(made);
    return first;
}

/* Tell how far it is: of bytes what counts them does, a bar such as tqdm's gets the packets since
 * the last time. */
static int tell(PyObject *progress, bool of_bytes, bool end, uint64_t read, uint64_t told)
{
    PyObject *result = NULL;
    if (of_bytes)
        result = PyObject_CallMethod(progress, end ? "close" : "tell", NULL);
    else
        result = PyObject_CallMethod(progress, "update", "K", (unsigned long long)(read - told));
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int hand_over(struct flow_table_object *self, PyObject *on_expired)
{
    PyObject *flows = flows_take(self);
    PyObject *result = NULL;
    if (flows)
        result = PySequence_Size(flows) > 0 ? PyObject_CallOneArg(on_expired, flows)
                                            : Py_NewRef(Py_None);
    Py_XDECREF(flows);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Have all counted that was read, and end the second thread until the next stretch, so that the
 * table may be looked at: status, or -1 with MemoryError. */
static int settle(struct reading *reading, int status)
{
    bool enough = true;
    if (!reading->second)
        return status;
    Py_BEGIN_ALLOW_THREADS
    enough = pipeline_finish(reading->second);
    Py_END_ALLOW_THREADS
    if (enough || status < 0)
        return status;
    PyErr_NoMemory();
    return -1;
}

/* What there was no memory to count was not read, as far as the table tells: it came last. */
static void forget_lost(struct reading *reading)
{
    if (reading->found > reading->counted)
        input_count(&reading->self->table.input.packets,
                    -(int64_t)(reading->found - reading->counted));
}

/* Whether this is a child process, forked by a handler of a signal while the second thread was at
 * work: the table stays in use for ever then, for that thread may have left it half changed. */
static bool is_forked(const struct reading *reading)
{
    return reading->second && pipeline_is_gone(reading->second);
}

static int raise_forked(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "the process was forked while a flow table was read");
    return -1;
}

/* Read a stretch, and more of the file where there is none left: 0, or -1 with an exception. */
static int read_on(struct reading *reading, enum plt_records_result *result)
{
    const struct plt_api *api = reading->self->state->plt_api;
    Py_BEGIN_ALLOW_THREADS
    *result = read_stretch(reading);
    Py_END_ALLOW_THREADS
    if (reading->out_of_memory) {
        PyErr_NoMemory();
        return -1;
    }
    if (*result == PLT_ERROR) {
        api->records_raise(reading->records);
        return -1;
    }
    /* a child that is forked here must not take from the file what its parent is to read next */
    int status = PyErr_CheckSignals();
    if (status == 0 && !is_forked(reading) && *result == PLT_MORE)
        status = api->records_fill(reading->records, 0);
    return is_forked(reading) ? raise_forked() : status;
}

/* Have a second thread count, where it has a processor: one that decompresses takes longer than
 * reading and counting, and should have its own. */
static void start_second(struct reading *reading)
{
    bool ahead = reading->self->state->plt_api->records_are_read_ahead(reading->records);
    reading->second = pipeline_new(sizeof(struct flow_packet), PACKETS_AHEAD, ahead ? 3 : 2);
    reading->looked = true;
}

/* All of a trace: 0, or -1 with an exception.  What was read before it stays counted. */
static int read_all(struct reading *reading, PyObject *progress, PyObject *on_expired)
{
    struct flow_table_object *self = reading->self;
    enum plt_records_result result = PLT_RECORD;
    uint64_t told = 0;
    double told_at = now();
    int status = 0;
    while (status == 0 && result != PLT_END) {
        /* callbacks, and what opened the trace, may have given the table to another thread */
        if (table_object_check(self) < 0)
            return -1;
        self->busy = true;
        if (!reading->looked && reading->read >= STRETCH && !self->one_thread)
            start_second(reading);
        status = read_on(reading, &result);
        if (is_forked(reading))
            return -1;
        bool end = result == PLT_END;
        bool tells = progress && (end || now() - told_at >= PROGRESS_EVERY);
        bool hands_over = on_expired && (end || is_to_hand_over(reading));
        if (status < 0 || end || tells || hands_over)
            status = settle(reading, status);
        self->busy = false;
        if (status == 0 && hands_over) {
            status = hand_over(self, on_expired);
            reading->ended = 0;
        }
        if (status == 0 && tells) {
            status = tell(progress, reading->of_bytes, end, reading->read, told);
            told = reading->read;
            told_at = now();
        }
    }
    return status;
}

const char table_add_trace_doc[] =
    "add_trace($self, source, filter=None, progress=None, on_expired=None)\n--\n\n"
    "Count all packets of a trace; returns how many were read.\n\n"
    "source is what plt.trace() takes, or a plt.trace; filter a plt.filter or an expression.\n"
    "progress=True shows a bar of tqdm's with the bytes that were read of those that the file\n"
    "has; a function gets both, the second is None where it is not known, at most ten times a\n"
    "second and at the end; an object with an update method, such as a bar of tqdm's of your\n"
    "own, gets the packets since the last time. on_expired is called with a Flows of those that "
    "ended, some thousands at a\n"
    "time and the rest at the end; without it they stay in memory until expired() is called.\n\n"
    "LibtraceError if the trace can't be read; packets before an exception are counted.";

PyObject *table_add_trace(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char source_word[] = "source", filter_word[] = "filter", progress_word[] = "progress",
                on_expired_word[] = "on_expired";
    static char *keywords[] = {source_word, filter_word, progress_word, on_expired_word, NULL};
    struct flow_table_object *self = table_object(self_);
    const struct plt_api *api = self->state->plt_api;
    PyObject *source = NULL, *filter = Py_None, *progress = Py_None, *on_expired = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOO:add_trace", keywords, &source, &filter,
                                     &progress, &on_expired) ||
        table_object_check(self) < 0)
        return NULL;
    if (progress == Py_False)
        progress = Py_None;
    int counts = progress == Py_None || progress == Py_True || PyCallable_Check(progress)
                     ? 1
                     : has_attribute(progress, "update");
    if (counts < 0)
        return NULL;
    if (!counts) {
        PyErr_Format(PyExc_TypeError,
                     "progress must be callable or have an update method, not %.100s",
                     Py_TYPE(progress)->tp_name);
        return NULL;
    }
    if (on_expired != Py_None && !PyCallable_Check(on_expired)) {
        PyErr_Format(PyExc_TypeError, "on_expired must be callable, not %.100s",
                     Py_TYPE(on_expired)->tp_name);
        return NULL;
    }
    bool of_bytes = progress == Py_True || PyCallable_Check(progress);
    PyObject *counted = of_bytes ? measure(source, &progress) : Py_NewRef(source);
    if (!counted)
        return NULL;
    struct plt_records *records = api->records_open(api, counted, filter);
    Py_DECREF(counted);
    if (!records) {
        if (of_bytes)
            Py_DECREF(progress);
        return NULL;
    }
    struct reading reading = {.self = self,
                              .records = records,
                              .of_bytes = of_bytes,
                              .hands_over = on_expired != Py_None};
    int status = read_all(&reading, progress == Py_None ? NULL : progress,
                          on_expired == Py_None ? NULL : on_expired);
    forget_lost(&reading);
    pipeline_free(reading.second);
    api->records_close(records);
    if (of_bytes)
        Py_DECREF(progress);
    return status < 0 ? NULL : PyLong_FromUnsignedLongLong(reading.read);
}
