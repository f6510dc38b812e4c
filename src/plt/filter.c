/* plt.filter: a tcpdump expression, compiled by libpcap through libtrace on first use. */
#include "libtrace_compat.h"

#include <stdio.h>
#include <string.h>

/* One program a link type: libtrace compiles a filter for the first packet that it sees. */
struct program {
    struct program *next;      /* owned */
    libtrace_filter_t *filter; /* owned */
    int dlt;
};

struct filter {
    PyObject ob_base;
    PyObject *expression;      /* owned: str */
    const char *text;          /* borrowed from expression */
    struct program *programs;  /* owned */
    libtrace_filter_t *live;   /* owned, or NULL: for traces that filter themselves */
    struct fence_packet fence; /* owned */
};

static PyObject *filter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char name[] = "bpf";
    static char *names[] = {name, NULL};
    PyObject *expression = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:filter", names, &expression))
        return NULL;
    const char *text = PyUnicode_AsUTF8(expression);
    if (!text)
        return NULL;
    if ((Py_ssize_t)strlen(text) != PyUnicode_GetLength(expression)) {
        PyErr_SetString(PyExc_ValueError, "a filter expression is ASCII text without NUL");
        return NULL;
    }
    struct filter *self = (struct filter *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    Py_INCREF(expression);
    self->expression = expression;
    self->text = text;
    if (fence_packet_init(&self->fence) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void filter_dealloc(PyObject *self_)
{
    struct filter *self = (struct filter *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    while (self->programs) {
        struct program *program = self->programs;
        self->programs = program->next;
        trace_destroy_filter(program->filter);
        PyMem_RawFree(program);
    }
    if (self->live)
        trace_destroy_filter(self->live);
    fence_packet_clear(&self->fence);
    Py_XDECREF(self->expression);
    type->tp_free(self_);
    Py_DECREF(type);
}

libtrace_filter_t *filter_of(PyObject *filter)
{
    struct filter *self = (struct filter *)filter;
    if (!self->live)
        self->live = trace_create_filter(self->text);
    return self->live;
}

static struct program *program_for(struct filter *self, int dlt)
{
    for (struct program *program = self->programs; program; program = program->next)
        if (program->dlt == dlt)
            return program;
    struct program *program = PyMem_RawCalloc(1, sizeof(*program));
    if (!program || !(program->filter = trace_create_filter(self->text))) {
        PyMem_RawFree(program);
        return NULL;
    }
    program->dlt = dlt;
    program->next = self->programs;
    self->programs = program;
    return program;
}

int filter_accepts(PyObject *filter, const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                   char error[SOURCE_ERROR_SIZE])
{
    struct filter *self = (struct filter *)filter;
    uint32_t skip = 0;
    int dlt = fence_dlt(meta);
    if (dlt == TRACE_DLT_ERROR) { /* no pcap link type that libtrace knows: what of IP it has */
        struct plt_layers layers;
        plt_decode(data, len, meta, ROOT_LINK, 0, &layers);
        dlt = TRACE_DLT_RAW;
        skip = layers.version == 0 ? len : layers.layer3;
    }
    struct program *program = program_for(self, dlt);
    if (!program) {
        snprintf(error, SOURCE_ERROR_SIZE, "no memory for a filter");
        return -1;
    }
    /* libtrace takes a pointer that may be written to, and does not write */
    fence_packet_set(&self->fence, (uint8_t *)(uintptr_t)data + skip, len - skip, dlt, meta);
    int accepted = trace_apply_filter(program->filter, self->fence.packet);
    if (accepted >= 0)
        return accepted > 0;
    libtrace_err_t problem = trace_get_err(self->fence.trace);
    snprintf(error, SOURCE_ERROR_SIZE, "%s", problem.problem);
    return -1;
}

PyObject *packet_apply_filter(PyObject *self_, PyObject *filter)
{
    const struct view *self = (struct view *)self_;
    struct frame *frame = self->frame;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    if (self->type != VIEW_PACKET) {
        PyErr_SetString(PyExc_TypeError, "apply_filter() is for packets, not for their layers");
        return NULL;
    }
    if (!PyObject_TypeCheck(filter, state->filter_type)) {
        PyErr_Format(PyExc_TypeError, "apply_filter() takes a plt.filter, not %.100s",
                     Py_TYPE(filter)->tp_name);
        return NULL;
    }
    if (!frame) {
        PyErr_SetString(PyExc_ValueError, "nothing was read into this packet");
        return NULL;
    }
    char error[SOURCE_ERROR_SIZE];
    int accepted = filter_accepts(filter, frame->data, frame->len, &frame->meta, error);
    if (accepted < 0) {
        PyErr_SetString(state->error, error);
        return NULL;
    }
    return PyBool_FromLong(accepted);
}

static PyObject *filter_repr(PyObject *self_)
{
    return PyUnicode_FromFormat("plt.filter(%R)", ((struct filter *)self_)->expression);
}

static PyObject *filter_expression_get(PyObject *self_, void *Py_UNUSED(closure))
{
    PyObject *expression = ((struct filter *)self_)->expression;
    Py_INCREF(expression);
    return expression;
}

static PyGetSetDef filter_getset[] = {
    READONLY(expression, filter_expression_get, "The expression that the filter was made from."),
    {.name = NULL}};

static PyType_Slot filter_slots[] = {
    {Py_tp_doc, "filter(bpf)\n--\n\nA tcpdump filter expression (pcap-filter(7)), for traces and "
                "packets.\n\nIt is compiled when it is first used; LibtraceError then if it is "
                "bad."},
    {Py_tp_new, filter_new},
    {Py_tp_dealloc, filter_dealloc},
    {Py_tp_repr, filter_repr},
    {Py_tp_getset, filter_getset},
    {0, NULL}};

PyType_Spec filter_spec = {.name = "plt.filter",
                           .basicsize = sizeof(struct filter),
                           .flags = Py_TPFLAGS_DEFAULT,
                           .slots = filter_slots};
