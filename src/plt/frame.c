/* Frames: bytes and their lifetime. */
#include "frame.h"
#include "packet/linktypes.h"
#include "packet/straight.h"

#include "state.h"

#include <string.h>

/* More unused memory than this is given back when a frame is kept. */
#define SLACK 256

struct frame *frame_new(struct plt_state *state, uint32_t len)
{
    struct frame *frame = PyMem_Malloc(sizeof(*frame));
    if (!frame) {
        PyErr_NoMemory();
        return NULL;
    }
    memset(frame, 0, offsetof(struct frame, layers));
    frame->data = PyMem_Malloc(len ? len : 1);
    if (!frame->data) {
        PyMem_Free(frame);
        PyErr_NoMemory();
        return NULL;
    }
    frame->refs = 1;
    frame->state = state;
    frame->len = len;
    frame->capacity = len;
    return frame;
}

/* Release what a frame's memory was borrowed from.  That may be an object over another frame, and
 * so on without end: what comes to be released meanwhile waits, for the stack has an end. */
static void release_buffer(struct plt_state *state, struct frame_buffer *buffer)
{
    buffer->next = state->to_release;
    state->to_release = buffer;
    if (state->releases)
        return;
    state->releases = true;
    while ((buffer = state->to_release)) {
        state->to_release = buffer->next;
        PyBuffer_Release(&buffer->view);
        PyMem_Free(buffer);
    }
    state->releases = false;
}

void frame_free(struct frame *frame)
{
    while (frame && frame->refs == 0) {
        struct frame *parent = frame->parent;
        Py_XDECREF(frame->comment);
        if (frame->buffer)
            release_buffer(frame->state, frame->buffer);
        else if (!parent)
            PyMem_Free(frame->data);
        PyMem_Free(frame);
        if (parent) {
            parent->pins--;
            parent->refs--;
        }
        frame = parent;
    }
}

void frame_decode(struct frame *frame)
{
    if (frame->root != ROOT_LINK ||
        !decode_straight(frame->data, frame->len, &frame->meta, &frame->layers))
        plt_decode_general(frame->data, frame->len, &frame->meta, frame->root, frame->root_proto,
                           &frame->layers);
    frame->decoded = true;
}

/* A frame that borrows its memory. */
static struct frame *frame_borrowing(struct plt_state *state, uint8_t root, uint8_t proto)
{
    struct frame *frame = PyMem_Calloc(1, sizeof(*frame));
    if (!frame) {
        PyErr_NoMemory();
        return NULL;
    }
    frame->refs = 1;
    frame->state = state;
    frame->root = root;
    frame->root_proto = proto;
    return frame;
}

struct frame *frame_child(struct frame *parent, uint32_t start, uint32_t end, enum plt_root root,
                          uint8_t proto)
{
    struct frame *frame = frame_borrowing(parent->state, (uint8_t)root, proto);
    if (!frame)
        return NULL;
    frame->parent = frame_hold(parent);
    parent->pins++;
    frame->data = parent->data + start;
    frame->len = end > start ? end - start : 0;
    frame->readonly = parent->readonly;
    frame->kind = parent->kind;
    frame->meta = parent->meta;
    return frame;
}

struct frame *frame_of_inner(struct frame *parent, const struct plt_record *inner)
{
    uint32_t start = (uint32_t)(inner->data - parent->data);
    struct frame *frame = frame_child(parent, start, start + inner->len, ROOT_LINK, 0);
    if (frame)
        frame->meta = inner->meta;
    return frame;
}

struct frame *frame_of_buffer(struct plt_state *state, PyObject *exporter, enum plt_root root,
                              uint8_t proto)
{
    struct frame *frame = NULL;
    struct frame_buffer *borrowed = PyMem_Calloc(1, sizeof(*borrowed));
    if (!borrowed) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_buffer *buffer = &borrowed->view;
    bool readonly = false;
    if (PyObject_GetBuffer(exporter, buffer, PyBUF_WRITABLE) < 0) {
        /* NumPy raises ValueError for what is read-only */
        if (!PyErr_ExceptionMatches(PyExc_BufferError) && !PyErr_ExceptionMatches(PyExc_ValueError))
            goto error;
        PyErr_Clear();
        if (PyObject_GetBuffer(exporter, buffer, PyBUF_SIMPLE) < 0) {
            if (PyErr_ExceptionMatches(PyExc_BufferError)) /* its bytes are not in a row */
                PyErr_SetString(PyExc_ValueError, NOT_DATA);
            goto error;
        }
        readonly = true;
    }
    if (buffer->len > (Py_ssize_t)INT32_MAX) {
        PyBuffer_Release(buffer);
        PyErr_Format(PyExc_ValueError, "%zd bytes are more than a packet can have", buffer->len);
        goto error;
    }
    frame = frame_borrowing(state, (uint8_t)root, proto);
    if (!frame) {
        PyBuffer_Release(buffer);
        goto error;
    }
    frame->buffer = borrowed;
    frame->data = buffer->buf;
    frame->len = (uint32_t)buffer->len;
    frame->readonly = readonly;
    frame->kind = FRAME_STRING;
    frame->meta.capture_len = frame->len;
    frame->meta.linktype = LIBTRACE_TYPE_UNKNOWN;
    frame->meta.direction = -1;
    return frame;
error:
    PyMem_Free(borrowed);
    return NULL;
}

/* Set the comment of a frame to that of a record, to none where it is not UTF-8; 0, or -1. */
static int set_comment(struct frame *frame, const struct plt_record *record)
{
    PyObject *comment = NULL;
    if (record->comment) {
        comment = PyUnicode_DecodeUTF8(record->comment, (Py_ssize_t)record->comment_len, NULL);
        if (!comment && !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return -1;
        if (!comment)
            PyErr_Clear();
    }
    Py_XSETREF(frame->comment, comment);
    return 0;
}

struct frame *frame_of_record(struct plt_state *state, const struct plt_record *record,
                              struct frame *frame)
{
    if (frame && frame->capacity < record->len) {
        frame_release(frame);
        frame = NULL;
    }
    if (!frame) {
        frame = frame_new(state, record->len);
        if (!frame)
            return NULL;
    }
    memcpy(frame->data, record->data, record->len);
    frame->len = record->len;
    frame->meta = record->meta;
    frame->kind = FRAME_PACKET;
    frame->root = ROOT_LINK;
    frame->decoded = false;
    if ((record->comment || frame->comment) && set_comment(frame, record) < 0) {
        frame_release(frame);
        return NULL;
    }
    return frame;
}

/* The copy of a quoted or tunnelled packet is that of the packet around it, and a part of it. */
static struct frame *copy_child(const struct frame *from)
{
    if (Py_EnterRecursiveCall(" while copying a packet"))
        return NULL;
    struct frame *parent = frame_copy(from->parent);
    Py_LeaveRecursiveCall();
    if (!parent)
        return NULL;
    uint32_t start = (uint32_t)(from->data - from->parent->data);
    struct frame *child =
        frame_child(parent, start, start + from->len, (enum plt_root)from->root, from->root_proto);
    if (child)
        child->meta = from->meta;
    frame_release(parent);
    return child;
}

struct frame *frame_copy(const struct frame *from)
{
    if (from->parent)
        return copy_child(from);
    struct frame *frame = frame_new(from->state, from->len);
    if (!frame)
        return NULL;
    memcpy(frame->data, from->data, from->len);
    frame->kind = FRAME_COPY;
    frame->root = from->root;
    frame->root_proto = from->root_proto;
    frame->meta = from->meta;
    Py_XINCREF(from->comment);
    frame->comment = from->comment;
    return frame;
}

void frame_shrink(struct frame *frame)
{
    if (frame->pins || frame->parent || frame->buffer || frame->capacity - frame->len <= SLACK)
        return;
    uint8_t *data = PyMem_Realloc(frame->data, frame->len ? frame->len : 1);
    if (data) {
        frame->data = data;
        frame->capacity = frame->len;
    }
}

bool frame_writable(const struct frame *frame, const char *name)
{
    if (frame->readonly)
        PyErr_Format(PyExc_TypeError, "%s can't be set: the object was made from read-only bytes",
                     name);
    return !frame->readonly;
}
