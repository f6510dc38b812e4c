/* Views: what every packet and layer object is made of. */
#include "view.h"

#include "packet/values.h"

#include "errors.h"
#include "state.h"

/* New memory for a view; NULL with an exception.  All have that of the largest type, but for
 * packets, which are kept by the million.  Not inlined, which would make the way past it longer. */
__attribute__((noinline)) static PyObject *view_allocate(const struct plt_state *state,
                                                         enum view_type type)
{
    PyTypeObject *python_type = state->views[type];
    if (type == VIEW_PACKET)
        return (PyObject *)PyObject_New(struct view, python_type);
    void *memory = PyObject_Malloc(state->view_size);
    return memory ? PyObject_Init(memory, python_type) : PyErr_NoMemory();
}

PyObject *view_new(struct frame *frame, enum view_type type, uint32_t start, uint32_t end)
{
    struct plt_state *state = frame->state;
    PyObject *spare =
        type == VIEW_PACKET ? NULL : spare_take(&state->spare_views, state->views[type]);
    struct view *self = (struct view *)(spare ? spare : view_allocate(state, type));
    if (!self)
        return NULL;
    self->frame = frame_hold(frame);
    self->start = start;
    self->end = end;
    self->type = (uint8_t)type;
    self->payload_of = 0;
    return (PyObject *)self;
}

PyObject *view_new_as(PyTypeObject *python_type, struct frame *frame, enum view_type type,
                      uint32_t start, uint32_t end)
{
    if (python_type == frame->state->views[type])
        return view_new(frame, type, start, end);
    struct view *self = (struct view *)python_type->tp_alloc(python_type, 0);
    if (!self)
        return NULL;
    self->frame = frame_hold(frame);
    self->start = start;
    self->end = end;
    self->type = (uint8_t)type;
    return (PyObject *)self;
}

PyObject *view_payload(struct frame *frame, enum view_type type, uint8_t proto, uint32_t start,
                       uint32_t end)
{
    if (start >= end)
        Py_RETURN_NONE;
    PyObject *payload = view_new(frame, type, start, end);
    if (payload)
        ((struct view *)payload)->payload_of = proto;
    return payload;
}

/* What a frame's header of TCP or UDP carries; false where there is no such header, or where it is
 * cut or malformed. */
static bool find_payload(struct frame *frame, uint8_t proto, struct plt_payload *out)
{
    const struct plt_layers *layers = frame_layers(frame);
    struct plt_packet packet = {.data = frame->data, .len = frame->len, .layers = layers};
    return layers->proto == proto && packet_payload(&packet, out) && out->at <= out->end;
}

PyObject *view_transport_payload(const struct view *self, uint8_t proto)
{
    struct plt_payload payload;
    if (!find_payload(self->frame, proto, &payload))
        return too_short("payload");
    return view_payload(self->frame, VIEW_DATA, proto, payload.at, payload.end);
}

PyObject *view_packet_payload(const struct view *self, uint8_t proto)
{
    struct plt_payload payload;
    if (!self->frame || !find_payload(self->frame, proto, &payload))
        Py_RETURN_NONE;
    return view_payload(self->frame, VIEW_TRANSPORT, proto, payload.at, payload.end);
}

uint32_t view_ip_end(const struct view *self)
{
    uint32_t end = frame_layers(self->frame)->ip_end;
    if (end < self->start)
        return self->start;
    return end < self->end ? end : self->end;
}

PyObject *view_bytes(const struct frame *frame, uint32_t start, uint32_t end)
{
    return PyByteArray_FromStringAndSize((const char *)frame->data + start,
                                         end > start ? (Py_ssize_t)(end - start) : 0);
}

struct view *view_of(const struct plt_state *state, PyObject *obj)
{
    return PyObject_TypeCheck(obj, state->views[VIEW_PACKET]) ? (struct view *)obj : NULL;
}

void view_dealloc(PyObject *self_)
{
    struct view *self = (struct view *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    struct plt_state *state = self->frame ? self->frame->state : NULL;
    frame_release(self->frame);
    bool is_largest = state && self->type != VIEW_PACKET && type == state->views[self->type];
    if (!is_largest || !spare_give(&state->spare_views, self_))
        type->tp_free(self_);
    Py_DECREF(type);
}

PyObject *view_getattro(PyObject *self_, PyObject *name)
{
    const struct frame *frame = ((struct view *)self_)->frame;
    if (!frame) /* an empty packet does not know the module's state */
        return PyObject_GenericGetAttr(self_, name);
    return lookup_attribute(&frame->state->lookups, self_, name);
}

int view_getbuffer(PyObject *self_, Py_buffer *buffer, int flags)
{
    struct view *self = (struct view *)self_;
    struct frame *frame = self->frame;
    if (!frame) {
        buffer->obj = NULL;
        PyErr_SetString(PyExc_BufferError, "nothing was read into this packet");
        return -1;
    }
    if (PyBuffer_FillInfo(buffer, self_, frame->data + self->start,
                          (Py_ssize_t)(self->end - self->start), frame->readonly, flags) < 0)
        return -1;
    /* the packet may be given another frame while the buffer is out: it pins this one */
    frame->pins++;
    buffer->internal = frame_hold(frame);
    return 0;
}

void view_releasebuffer(PyObject *Py_UNUSED(self_), Py_buffer *buffer)
{
    struct frame *frame = buffer->internal;
    frame->pins--;
    frame_release(frame);
}

int view_bool(PyObject *Py_UNUSED(self_))
{
    return 1;
}

Py_ssize_t view_length(PyObject *self_)
{
    const struct view *self = (struct view *)self_;
    return (Py_ssize_t)(self->end - self->start);
}
