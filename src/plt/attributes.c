/* The getters and setters of attributes that are rows of a table. */
#include "attributes.h"

#include "errors.h"
#include "state.h"
#include "view.h"

#include <string.h>

PyObject *property_object(const struct frame *frame, const struct property *row, uint64_t value)
{
    double number = 0;
    switch (row->kind) {
    case KIND_BOOL:
        return PyBool_FromLong(value != 0);
    case KIND_FLOAT64:
        memcpy(&number, &value, sizeof(number));
        return PyFloat_FromDouble(number);
    case KIND_INT8:
    case KIND_INT16:
    case KIND_INT64:
        return PyLong_FromLongLong((long long)value);
    default:
        return value <= UINT16_MAX ? int_of(&frame->state->ints, (uint32_t)value)
                                   : PyLong_FromUnsignedLongLong(value);
    }
}

PyObject *header_property_get(PyObject *self_, void *closure)
{
    struct frame *frame = ((struct view *)self_)->frame;
    const struct property *row = closure;
    struct plt_packet packet = {.data = frame->data,
                                .len = frame->len,
                                .layers = frame_layers(frame),
                                .meta = &frame->meta};
    char room[PROPERTY_TEXT_ROOM];
    uint64_t value = 0;
    uint32_t size = 0;
    switch (property_value(row->id, &packet, &value)) {
    case VALUE_NONE:
        Py_RETURN_NONE;
    case VALUE_MISSING:
        return too_short(strchr(row->name, '.') + 1);
    case VALUE_PRESENT:
        break;
    }
    if (row->is_mac)
        return PyUnicode_FromString(property_text(row->id, &packet, room));
    if (row->kind != KIND_ADDRESS)
        return property_object(frame, row, value);
    const struct ipp_api *api = frame->state->ipp_api;
    const uint8_t *address = property_address(row->id, &packet, &size);
    return api->prefix_new(api, size == 4 ? 4 : 6, address, IPP_NO_LENGTH);
}

PyObject *field_get(PyObject *self_, void *closure)
{
    const struct view *self = (struct view *)self_;
    const struct field *row = closure;
    struct frame *frame = self->frame;
    uint32_t at = field_at(row, frame_layers(frame), frame->len, self->start);
    if (at == PLT_ABSENT)
        return too_short(row->name);
    uint32_t value = field_value(row, frame->data + at);
    if (row->is_flag)
        return PyBool_FromLong((long)value);
    /* sequence numbers hardly ever come again */
    return row->width > 2 ? PyLong_FromUnsignedLong(value) : int_of(&frame->state->ints, value);
}

int attribute_readonly(PyObject *self_, PyObject *Py_UNUSED(value), void *Py_UNUSED(closure))
{
    PyErr_Format(PyExc_TypeError, "this attribute of '%s' objects is read-only",
                 Py_TYPE(self_)->tp_name);
    return -1;
}

int field_set(PyObject *self_, PyObject *value, void *closure)
{
    struct view *self = (struct view *)self_;
    const struct field *row = closure;
    if (!row->writable) {
        PyErr_Format(PyExc_TypeError, "%s is read-only", row->name);
        return -1;
    }
    int64_t number = attribute_int(value, row->name, row->low, row->mask);
    if (number < 0 || !frame_writable(self->frame, row->name))
        return -1;
    struct frame *frame = self->frame;
    uint32_t at = field_at(row, frame_layers(frame), frame->len, self->start);
    if (at == PLT_ABSENT) {
        too_short(row->name);
        return -1;
    }
    uint8_t *bytes = frame->data + at;
    uint32_t keep = field_load(row, bytes) & ~(row->mask << row->shift);
    uint32_t stored = keep | (uint32_t)number << row->shift;
    store_be16(bytes, (uint16_t)stored); /* those that can be written are all of two bytes */
    return 0;
}

int attribute_long(PyObject *value, const char *name, long long *number)
{
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an integer, not %.100s", name,
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(value);
    if (!index)
        return -1;
    int overflow = 0;
    *number = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    return overflow != 0;
}

int64_t attribute_int(PyObject *value, const char *name, int64_t low, int64_t high)
{
    if (!value) {
        PyErr_Format(PyExc_TypeError, "%s can't be deleted", name);
        return -1;
    }
    long long number = 0;
    int overflow = attribute_long(value, name, &number);
    if (overflow < 0)
        return -1;
    if (overflow || number < low || number > high) {
        PyErr_Format(PyExc_ValueError, "%s must be in %lld..%lld", name, (long long)low,
                     (long long)high);
        return -1;
    }
    return number;
}
