/* Batches and their columns as Python objects: their memory, and the buffer protocol. */
#include "batch.h"

/* --- A column: its values, its mask or its text -------------------------------------------------
 */

struct column {
    PyObject ob_base;
    struct column_data *data; /* owned */
    enum column_part part;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
};

const char *column_format(uint8_t kind)
{
    static const char *const formats[KIND_COUNT] = {"q", "?", "b", "h", "q", "B", "H", "I", "Q",
                                                    "d", "B", "q", "i", "B", "B", "i", "i", "i"};
    return formats[kind];
}

/* The bytes of an item: a character of a text, or what is in lists. */
static size_t item_width(uint8_t kind)
{
    return kind_is_list(kind) ? column_width(kind_of_items(kind)) : 1;
}

static PyObject *column_new(PyTypeObject *type, struct column_data *data, enum column_part part)
{
    struct column *self = (struct column *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    atomic_fetch_add(&data->refs, 1);
    self->data = data;
    self->part = part;
    self->shape[0] = (Py_ssize_t)data->rows;
    self->strides[0] = part == PART_VALUES ? (Py_ssize_t)column_width(data->kind)
                       : part == PART_TEXT ? (Py_ssize_t)item_width(data->kind)
                                           : 1;
    if (part == PART_TEXT)
        self->shape[0] = (Py_ssize_t)data->text_len / self->strides[0];
    else if (part == PART_VALUES && (data->kind == KIND_TEXT || kind_is_list(data->kind)))
        self->shape[0]++;
    self->shape[1] = 16;
    self->strides[1] = 1;
    return (PyObject *)self;
}

static void column_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    column_data_release(((struct column *)self_)->data);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int column_getbuffer(PyObject *self_, Py_buffer *buffer, int flags)
{
    static uint8_t nothing[1]; /* a buffer has an address even where it is empty */
    struct column *self = (struct column *)self_;
    const struct column_data *data = self->data;
    if (flags & PyBUF_WRITABLE) {
        buffer->obj = NULL;
        PyErr_SetString(PyExc_BufferError, "columns are read-only: copy what you want to change");
        return -1;
    }
    bool address = self->part == PART_VALUES && kind_is_address(data->kind);
    const char *format = "B";
    if (self->part == PART_VALUES)
        format = column_format(data->kind);
    else if (self->part == PART_MASK)
        format = "?";
    else if (self->part == PART_TEXT && kind_is_list(data->kind))
        format = column_format(kind_of_items(data->kind));
    void *memory = self->part == PART_VALUES ? (void *)data->values
                   : self->part == PART_MASK ? (void *)data->absent
                   : self->part == PART_TEXT ? (void *)data->text
                                             : (void *)data->versions;
    *buffer =
        (Py_buffer){.buf = memory ? memory : nothing,
                    .len = self->shape[0] * self->strides[0],
                    .itemsize = address ? 1 : self->strides[0],
                    .readonly = 1,
                    .ndim = address && flags & PyBUF_ND ? 2 : 1, /* without a shape it is bytes */
                    .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)format : NULL,
                    .shape = flags & PyBUF_ND ? self->shape : NULL,
                    .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL};
    Py_INCREF(self_);
    buffer->obj = self_;
    return 0;
}

static Py_ssize_t column_length(PyObject *self_)
{
    return ((struct column *)self_)->shape[0];
}

static PyType_Slot column_slots[] = {
    {Py_tp_doc, "The values of a column, its mask or its text, by the buffer protocol."},
    {Py_tp_dealloc, column_dealloc},
    {Py_bf_getbuffer, column_getbuffer},
    {Py_sq_length, column_length},
    {0, NULL}};

PyType_Spec column_object_spec = {.name = "_Column",
                                  .basicsize = sizeof(struct column),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                           Py_TPFLAGS_IMMUTABLETYPE,
                                  .slots = column_slots};

/* --- A batch --------------------------------------------------------------------------------- */

bool is_column_type(const PyTypeObject *type)
{
    return type->tp_dealloc == column_dealloc;
}

struct batch *batch_new_bare(const struct batch_types *types, const struct column_info *infos,
                             size_t count, size_t room)
{
    struct batch *self = (struct batch *)types->batch->tp_alloc(types->batch, 0);
    if (!self)
        return NULL;
    Py_INCREF(types->column);
    self->column_type = types->column;
    self->count = count;
    self->room = room ? room : 1;
    self->infos = PyMem_Calloc(count + 1, sizeof(*self->infos));
    self->columns = PyMem_Calloc(count + 1, sizeof(struct column_data *));
    if (!self->infos || !self->columns) {
        Py_DECREF((PyObject *)self);
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        self->infos[i] = infos[i];
    return self;
}

struct batch *batch_new(const struct batch_types *types, const struct column_info *infos,
                        size_t count, size_t room)
{
    return batch_new_from(types, NULL, infos, count, room);
}

struct batch *batch_new_from(const struct batch_types *types, struct column_spares *spares,
                             const struct column_info *infos, size_t count, size_t room)
{
    struct batch *self = batch_new_bare(types, infos, count, room);
    for (size_t i = 0; self && i < count; i++) {
        self->columns[i] = spares ? column_spares_take(spares, &infos[i], self->room)
                                  : column_data_new(&infos[i], self->room);
        if (!self->columns[i]) {
            Py_DECREF((PyObject *)self);
            PyErr_NoMemory();
            return NULL;
        }
    }
    return self;
}

static const char memory_name[] = "plt.column_spares";

static void free_memory(PyObject *capsule)
{
    column_spares_close(PyCapsule_GetPointer(capsule, memory_name));
}

PyObject *batch_memory(const struct batch *batch, size_t batches, size_t rows)
{
    struct column_spares *spares =
        column_spares_new(batch->count * batches, batch_first_room(rows));
    if (!spares)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(spares, memory_name, free_memory);
    if (!capsule)
        column_spares_close(spares);
    return capsule;
}

struct column_spares *batch_memory_of(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, memory_name))
        return PyCapsule_GetPointer(capsule, memory_name);
    PyErr_Format(PyExc_TypeError, "memory must be what memory() gives, not %.100s",
                 Py_TYPE(capsule)->tp_name);
    return NULL;
}

bool batch_grow(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (!column_data_grow(batch->columns[i]))
            return false;
    batch->room *= 2;
    return true;
}

size_t batch_room_for(struct batch *batch, size_t rows, size_t most)
{
    if (batch->rows == batch->room && !batch_grow(batch))
        return 0;
    size_t left = (rows < batch->room ? rows : batch->room) - batch->rows;
    return left < most ? left : most;
}

PyObject *batch_part(const struct batch *batch, size_t column, enum column_part part)
{
    struct column_data *data = batch->columns[column];
    bool has_text = data->kind == KIND_TEXT || kind_is_list(data->kind);
    if ((part == PART_MASK && !data->absent) || (part == PART_TEXT && !has_text) ||
        (part == PART_VERSIONS && !data->versions))
        Py_RETURN_NONE;
    return column_new(batch->column_type, data, part);
}

struct batch_types batch_types_of(PyObject *batch)
{
    return (struct batch_types){.batch = Py_TYPE(batch),
                                .column = ((struct batch *)batch)->column_type};
}
