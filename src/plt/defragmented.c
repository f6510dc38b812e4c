/* The type _Defragmented: packets one after another, with IP fragments put together. */
#include "defragmented.h"

#include "frame.h"
#include "state.h"
#include "view.h"

#include "common/keptexception.h"
#include "packet/bytes.h"
#include "streams/defragment.h"

struct defragmented {
    PyObject ob_base;
    struct plt_state *state; /* borrowed: the type keeps the module alive */
    PyObject *packets;       /* owned: an iterator; NULL after its end */
    PyObject *error;         /* owned: to be raised after what came before it, or NULL */
    bool busy;               /* the iterator is asked for a packet */
    struct defragmenter fragments;
};

static int defragmented_traverse(PyObject *self_, visitproc visit, void *arg)
{
    const struct defragmented *self = (const struct defragmented *)self_;
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(self->packets);
    Py_VISIT(self->error);
    return 0;
}

static int defragmented_clear(PyObject *self_)
{
    struct defragmented *self = (struct defragmented *)self_;
    Py_CLEAR(self->packets);
    Py_CLEAR(self->error);
    return 0;
}

static void defragmented_dealloc(PyObject *self_)
{
    struct defragmented *self = (struct defragmented *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    Py_TRASHCAN_BEGIN(self_, defragmented_dealloc); /* one may be over another, and so on */
    defragmented_clear(self_);
    defragment_clear(&self->fragments);
    type->tp_free(self_);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyObject *defragmented_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *packets = NULL;
    const char *seed = NULL;
    Py_ssize_t seed_size = 0;
    unsigned long long memory = 0;
    long long timeout = 0;
    struct plt_state *state = plt_state_of(type);
    if (!state || !PyArg_ParseTuple(args, "Oy#KL", &packets, &seed, &seed_size, &memory, &timeout))
        return NULL;
    if (seed_size != 16)
        return PyErr_Format(PyExc_ValueError, "a seed has 16 bytes, not %zd", seed_size);
    PyObject *iterator = PyObject_GetIter(packets);
    if (!iterator)
        return NULL;
    struct defragmented *self = (struct defragmented *)type->tp_alloc(type, 0);
    if (!self) {
        Py_DECREF(iterator);
        return NULL;
    }
    const uint64_t words[2] = {load_be64((const uint8_t *)seed),
                               load_be64((const uint8_t *)seed + 8)};
    self->state = state;
    self->packets = iterator;
    defragment_init(&self->fragments, words, (size_t)memory, timeout);
    self->fragments.keeps_comments = true;
    return (PyObject *)self;
}

static PyObject *packet_of_record(struct plt_state *state, const struct plt_record *record)
{
    struct frame *frame = frame_of_record(state, record, NULL);
    PyObject *packet = frame ? view_new(frame, VIEW_PACKET, 0, frame->len) : NULL;
    frame_release(frame);
    return packet;
}

/* The next packet of the iterator; NULL at its end, where an error of a trace waits for what was
 * read before it, and with any other exception. */
static PyObject *next_packet(struct defragmented *self)
{
    if (Py_EnterRecursiveCall(" while putting fragments together"))
        return NULL;
    self->busy = true;
    PyObject *packet = PyIter_Next(self->packets);
    self->busy = false;
    Py_LeaveRecursiveCall();
    if (packet)
        return packet;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(self->state->error))
            return NULL;
        self->error = exception_take();
    }
    Py_CLEAR(self->packets);
    return NULL;
}

/* Give a record the text of a comment, which it borrows; false with an exception. */
static bool borrow_comment(PyObject *comment, struct plt_record *record)
{
    Py_ssize_t size = 0;
    record->comment = PyUnicode_AsUTF8AndSize(comment, &size);
    record->comment_len = (uint32_t)size; /* as a comment is set it is no longer than 65535 */
    return record->comment;
}

/* A packet, the one that it completes, or NULL: with an exception, or where it waits. */
static PyObject *add_packet(struct defragmented *self, PyObject *packet)
{
    const struct view *view = view_of(self->state, packet);
    struct frame *frame = view && view->type == VIEW_PACKET ? view->frame : NULL;
    if (!view) {
        PyErr_Format(PyExc_TypeError, "defragment() takes packets, not %.100s",
                     Py_TYPE(packet)->tp_name);
        return NULL;
    }
    if (!frame || frame->root != ROOT_LINK || frame->parent || frame->buffer)
        return Py_NewRef(packet); /* not of a trace */
    struct plt_record record = {.data = frame->data, .len = frame->len, .meta = frame->meta};
    if (frame->comment && !borrow_comment(frame->comment, &record))
        return NULL;
    struct plt_layers layers = *frame_layers(frame);
    switch (defragment_add(&self->fragments, &record, &layers)) {
    case DEFRAGMENT_PASS:
        return Py_NewRef(packet);
    case DEFRAGMENT_WHOLE:
        return packet_of_record(self->state, &record);
    case DEFRAGMENT_HELD:
        return NULL;
    case DEFRAGMENT_NO_MEMORY:
        break;
    }
    return PyErr_NoMemory();
}

static PyObject *defragmented_next(PyObject *self_)
{
    struct defragmented *self = (struct defragmented *)self_;
    struct plt_record record;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the packets are in use by another thread");
        return NULL;
    }
    for (;;) {
        if (defragment_next(&self->fragments, !self->packets, &record))
            return packet_of_record(self->state, &record);
        if (!self->packets)
            return self->error ? exception_raise(&self->error) : NULL;
        PyObject *packet = next_packet(self);
        if (!packet && self->packets)
            return NULL;
        PyObject *result = packet ? add_packet(self, packet) : NULL;
        Py_XDECREF(packet);
        if (result || PyErr_Occurred())
            return result;
    }
}

static PyType_Slot defragmented_slots[] = {
    {Py_tp_doc, "_Defragmented(packets, seed, memory, timeout, /)\n--\n\n"
                "Iterates over packets, IP fragments put together: the C part of defragment()."},
    {Py_tp_new, defragmented_new},
    {Py_tp_dealloc, defragmented_dealloc},
    {Py_tp_traverse, defragmented_traverse},
    {Py_tp_clear, defragmented_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, defragmented_next},
    {0, NULL}};

PyType_Spec defragmented_spec = {.name = "plt._Defragmented",
                                 .basicsize = sizeof(struct defragmented),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                          Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = defragmented_slots};
