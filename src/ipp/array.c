/* The memory of an array, for memoryviews of any shape, also without rows: memoryview.cast() makes
 * none of those. */
#include "array.h"

struct array {
    PyObject ob_base;
    uint8_t *data;      /* owned */
    const char *format; /* a literal */
    int ndim;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
};

static void array_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    PyMem_Free(((struct array *)self_)->data);
    type->tp_free(self_);
    Py_DECREF(type);
}

static int array_getbuffer(PyObject *self_, Py_buffer *buffer, int flags)
{
    struct array *self = (struct array *)self_;
    *buffer = (Py_buffer){
        .buf = self->data,
        .obj = self_,
        .len = self->shape[0] * self->strides[0],
        .itemsize = 1,
        .ndim = flags & PyBUF_ND ? self->ndim : 1, /* without a shape it is bytes */
        .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)self->format : NULL,
        .shape = flags & PyBUF_ND ? self->shape : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL,
    };
    Py_INCREF(self_);
    return 0;
}

uint8_t *ipp_array_new(const struct ipp_state *state, Py_ssize_t rows, Py_ssize_t width,
                       const char *format, PyObject **view)
{
    struct array *self = (struct array *)state->array_type->tp_alloc(state->array_type, 0);
    uint8_t *data = NULL;
    if (!self)
        return NULL;
    data = self->data = PyMem_Calloc((size_t)rows, (size_t)width);
    if (!data) {
        PyErr_NoMemory();
    } else {
        self->format = format;
        self->ndim = width == 1 ? 1 : 2;
        self->shape[0] = rows;
        self->shape[1] = width;
        self->strides[0] = width;
        self->strides[1] = 1;
        *view = PyMemoryView_FromObject((PyObject *)self);
        if (!*view)
            data = NULL;
    }
    Py_DECREF((PyObject *)self);
    return data;
}

static PyType_Slot array_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t) "Memory, by the buffer protocol."},
    {.slot = Py_tp_dealloc, .pfunc = array_dealloc},
    {.slot = Py_bf_getbuffer, .pfunc = array_getbuffer},
    {.slot = 0},
};

PyType_Spec ipp_array_spec = {
    .name = "ipp._Array",
    .basicsize = sizeof(struct array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = array_slots,
};
