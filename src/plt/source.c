/* Bytes of a Python stream, in a buffer from which the readers of file formats take records. */
#include "source.h"

#include "common/hasattribute.h"
#include "common/keptexception.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Large enough that a read's cost is lost in that of its packets. */
#define BUFFER_SIZE ((size_t)1 << 18)

enum source_result source_fail(struct source *source, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(source->error, sizeof(source->error), format, args);
    va_end(args);
    return SOURCE_ERROR;
}

const uint8_t *input_need(struct source *source, size_t need, const char *what,
                          enum source_result *result)
{
    struct input *input = &source->input;
    size_t have = input->end - input->at;
    if (have >= need)
        return input->buffer + input->at;
    if (!input->eof) {
        input->need = need;
        *result = SOURCE_MORE;
    } else if (have == 0) {
        *result = SOURCE_END;
    } else {
        *result = source_fail(source, "the trace is cut within %s: %zu of %zu bytes are there",
                              what, have, need);
    }
    return NULL;
}

static int set_capacity(struct input *input, size_t capacity)
{
    uint8_t *buffer = PyMem_Realloc(input->buffer, capacity);
    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    input->buffer = buffer;
    input->capacity = capacity;
    return 0;
}

/* Of a stream that is a part of a file, where that ends: its `stop_at`, where it has one. */
static int read_stop(struct input *input)
{
    input->stop = UINT64_MAX;
    int has_stop = has_attribute(input->stream, "stop_at");
    if (has_stop <= 0)
        return has_stop;
    PyObject *stop = PyObject_GetAttrString(input->stream, "stop_at");
    if (stop && stop != Py_None) {
        input->stop = PyLong_AsUnsignedLongLong(stop);
        input->is_of_part = true;
    }
    Py_XDECREF(stop);
    return PyErr_Occurred() ? -1 : 0;
}

int input_open(struct input *input, const char *ahead, size_t ahead_len, PyObject *stream)
{
    int has_readinto1 = has_attribute(stream, "readinto1");
    if (has_readinto1 < 0)
        return -1;
    Py_INCREF(stream);
    input->stream = stream;
    input->method = has_readinto1 ? "readinto1" : "readinto";
    if (read_stop(input) < 0 ||
        set_capacity(input, ahead_len < BUFFER_SIZE ? BUFFER_SIZE : ahead_len) < 0)
        return -1;
    memcpy(input->buffer, ahead, ahead_len);
    input->end = ahead_len;
    return 0;
}

/* Room for at least one byte more, twice the size at most: memory follows what was really read, not
 * what a length field claims. */
static int make_room(struct input *input)
{
    if (input->at > 0) {
        memmove(input->buffer, input->buffer + input->at, input->end - input->at);
        input->before += input->at;
        input->end -= input->at;
        input->at = 0;
    }
    if (input->end < input->capacity)
        return 0;
    return set_capacity(input, input->capacity ? input->capacity * 2 : BUFFER_SIZE);
}

int input_fill(struct source *source)
{
    struct input *input = &source->input;
    if (make_room(input) < 0)
        return -1;
    PyObject *view =
        PyMemoryView_FromMemory((char *)input->buffer + input->end,
                                (Py_ssize_t)(input->capacity - input->end), PyBUF_WRITE);
    if (!view)
        return -1;
    PyObject *read = PyObject_CallMethod(input->stream, input->method, "O", view);
    Py_DECREF(view);
    if (!read)
        return -1;
    Py_ssize_t count = PyLong_AsSsize_t(read);
    Py_DECREF(read);
    if (count < 0 || (size_t)count > input->capacity - input->end) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "a stream read more than it was asked for");
        return -1;
    }
    input->end += (size_t)count;
    input->eof = count == 0;
    return 0;
}

void input_close(const struct input *input)
{
    if (!input->stream)
        return;
    PyObject *pending = exception_take(); /* Python is not called with an exception set */
    PyObject *closed = PyObject_CallMethod(input->stream, "close", NULL);
    if (!closed)
        PyErr_WriteUnraisable(input->stream);
    Py_XDECREF(closed);
    exception_restore(pending);
}

void input_clear(struct input *input)
{
    PyMem_Free(input->buffer);
    input_close(input);
    Py_CLEAR(input->stream);
    *input = (struct input){.stream = NULL};
}

/* Tell the stream how far it was read, and of how many records. */
static void tell_stream(const struct source *source)
{
    const struct input *input = &source->input;
    unsigned long long size = input->before + input->at;
    unsigned long long records = source->count;
    PyObject *pending = exception_take(); /* as in input_clear() */
    PyObject *told = PyObject_CallMethod(input->stream, "was_read", "KK", size, records);
    if (!told)
        PyErr_WriteUnraisable(input->stream);
    Py_XDECREF(told);
    exception_restore(pending);
}

static void file_destroy(struct source *source)
{
    if (source->input.is_of_part)
        tell_stream(source);
    input_clear(&source->input);
    PyMem_Free(source);
}

struct source *file_source_new(size_t size, source_next *next)
{
    struct source *self = PyMem_Calloc(1, size);
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->next = next;
    self->fill = input_fill;
    self->destroy = file_destroy;
    return self;
}
