/* plt.filter: a tcpdump expression.  libpcap, through which libtrace filters too, compiles it when
 * a packet is first filtered, once for each link type. */
#include "filter.h"

#include "condition.h"

#include "packet/decode.h"
#include "packet/meta.h"

#include "attributes.h"
#include "libtrace_compat.h"
#include "state.h"
#include "view.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

struct program {
    struct program *next; /* owned */
    struct bpf_program code;
    uint32_t dlt;   /* of the packets that it is for */
    bool on_layer3; /* to be run from their IP header on: libpcap does not know their link type */
    bool bad;       /* not compiled, and error says why */
    char error[SOURCE_ERROR_SIZE];
};

const char *filter_expression_text(PyObject *expression, Py_ssize_t *len)
{
    const char *text =
        PyUnicode_IS_ASCII(expression) ? PyUnicode_AsUTF8AndSize(expression, len) : NULL;
    if (!text || (Py_ssize_t)strlen(text) != *len) {
        PyErr_SetString(PyExc_ValueError, "a filter expression is ASCII text without NUL");
        return NULL;
    }
    return text;
}

int filter_keep_expression(struct filter *self, PyObject *expression)
{
    self->expression = PyUnicode_FromObject(expression);
    self->text = self->expression ? PyUnicode_AsUTF8(self->expression) : NULL;
    return self->text ? 0 : -1;
}

static int filter_init(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char name[] = "bpf";
    static char *names[] = {name, NULL};
    struct filter *self = (struct filter *)self_;
    PyObject *expression = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:filter", names, &expression))
        return -1;
    Py_ssize_t len = 0;
    if (!filter_expression_text(expression, &len))
        return -1;
    if (self->expression) /* a filter keeps its expression: a trace may have it */
        return 0;
    return filter_keep_expression(self, expression);
}

static void filter_dealloc(PyObject *self_)
{
    struct filter *self = (struct filter *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    while (self->programs) {
        struct program *program = self->programs;
        self->programs = program->next;
        pcap_freecode(&program->code); /* of one that is not compiled: zeros */
        PyMem_RawFree(program);
    }
    if (self->live)
        trace_destroy_filter(self->live);
    if (self->where)
        where_free(self->where);
    Py_XDECREF(self->expression);
    type->tp_free(self_);
    Py_DECREF(type);
}

libtrace_filter_t *filter_of(PyObject *filter)
{
    struct filter *self = (struct filter *)filter;
    if (self->where)
        return NULL;
    if (!self->live)
        self->live = trace_create_filter(self->text);
    return self->live;
}

static bool has_expression(const struct filter *self)
{
    if (!self->expression)
        PyErr_SetString(PyExc_ValueError,
                        "this filter has no expression: filter.__init__() was not called");
    return self->expression != NULL;
}

bool filter_check(const struct plt_state *state, PyObject *filter, const char *method)
{
    if (!PyObject_TypeCheck(filter, state->filter_type)) {
        PyErr_Format(PyExc_TypeError, "%s() takes a plt.filter, not %.100s", method,
                     Py_TYPE(filter)->tp_name);
        return false;
    }
    return has_expression((struct filter *)filter);
}

PyObject *filter_from(const struct plt_state *state, PyObject *filter, const char *method)
{
    if (PyUnicode_Check(filter))
        return PyObject_CallOneArg((PyObject *)state->filter_type, filter);
    if (!filter_check(state, filter, method))
        return NULL;
    Py_INCREF(filter);
    return filter;
}

const char *filter_text(PyObject *filter)
{
    const struct filter *self = (struct filter *)filter;
    return self->where ? NULL : self->text;
}

/* --- Compiling ------------------------------------------------------------------------------- */

/* libpcap's number of a link type, which for a few is another than that in files. */
static int pcap_dlt(uint32_t dlt)
{
    const struct link_row *row = link_row_of(dlt);
    return row ? row->dlt : (int)dlt;
}

enum compiled { COMPILED, BAD, NO_MEMORY };

/* A filter that libpcap could not compile for lack of memory says nothing of the expression; that
 * it was memory, only errno tells. */
static enum compiled compile(struct program *program, const char *text, int dlt,
                             char error[SOURCE_ERROR_SIZE])
{
    errno = 0;
    pcap_t *dead = dlt < 0 ? NULL : pcap_open_dead(dlt, 262144);
    if (!dead && errno == ENOMEM)
        return NO_MEMORY;
    if (!dead) {
        snprintf(error, SOURCE_ERROR_SIZE, "libpcap does not know link type %u", program->dlt);
        return BAD;
    }
    enum compiled result = COMPILED;
    if (pcap_compile(dead, &program->code, text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        result = errno == ENOMEM ? NO_MEMORY : BAD;
        snprintf(error, SOURCE_ERROR_SIZE, "Unable to compile the filter \"%.80s\": %s", text,
                 pcap_geterr(dead));
    }
    pcap_close(dead);
    return result;
}

/* NULL when out of memory. */
static struct program *program_for(struct filter *self, uint32_t dlt)
{
    for (struct program *program = self->programs; program; program = program->next)
        if (program->dlt == dlt)
            return program;
    struct program *program = PyMem_RawCalloc(1, sizeof(*program));
    if (!program)
        return NULL;
    program->dlt = dlt;
    int number = pcap_dlt(dlt);
    enum compiled result = compile(program, self->text, number, program->error);
    if (result == BAD) {
        char second[SOURCE_ERROR_SIZE]; /* the first error is the one to tell, of the expression */
        program->on_layer3 = true;
        result = compile(program, self->text, DLT_RAW,
                         number == DLT_NO_NUMBER ? program->error : second);
        program->bad = result == BAD;
    }
    if (result == NO_MEMORY) {
        PyMem_RawFree(program);
        return NULL;
    }
    program->next = self->programs;
    self->programs = program;
    return program;
}

/* Whether an expression means something on some link type: what one of these has, as addresses,
 * directions, cells, others lack.  NOT_TRIED when out of memory. */
static enum soundness soundness_of(struct filter *self)
{
    static const int link_types[] = {
        DLT_EN10MB, DLT_LINUX_SLL, DLT_IEEE802_11, DLT_IEEE802_11_RADIO,
        DLT_SUNATM, DLT_MTP2,      DLT_PFLOG,      DLT_PPP};
    for (size_t i = 0; self->soundness == NOT_TRIED && i < Py_ARRAY_LENGTH(link_types); i++) {
        struct program tried = {.dlt = (uint32_t)link_types[i]};
        enum compiled result = compile(&tried, self->text, link_types[i], tried.error);
        if (result == NO_MEMORY)
            return NOT_TRIED;
        if (result == COMPILED) {
            pcap_freecode(&tried.code);
            self->soundness = SOUND;
        }
    }
    if (self->soundness == NOT_TRIED)
        self->soundness = UNSOUND;
    return self->soundness;
}

/* --- Filtering ------------------------------------------------------------------------------- */

static int fail(char error[SOURCE_ERROR_SIZE], const char *why)
{
    snprintf(error, SOURCE_ERROR_SIZE, "%s", why);
    return -1;
}

static bool matches(const struct program *program, const uint8_t *data, uint32_t len,
                    const struct plt_meta *meta)
{
    uint64_t known = meta_length_field(meta, data, len);
    uint64_t wire_len = known ? known : len;
    uint32_t skip = 0;
    if (program->on_layer3) {
        struct plt_layers layers;
        plt_decode(data, len, meta, ROOT_LINK, 0, &layers);
        if (layers.version == 0)
            return false;
        skip = layers.layer3;
    }
    wire_len = wire_len > skip ? wire_len - skip : 0;
    struct pcap_pkthdr header = {.caplen = len - skip,
                                 .len = wire_len < UINT32_MAX ? (uint32_t)wire_len : UINT32_MAX};
    return pcap_offline_filter(&program->code, &header, data + skip) != 0;
}

static int fail_for_memory(char error[SOURCE_ERROR_SIZE])
{
    fail(error, "no memory for a filter");
    return FILTER_NO_MEMORY;
}

int filter_accepts(PyObject *filter, const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                   char error[SOURCE_ERROR_SIZE])
{
    struct filter *self = (struct filter *)filter;
    if (self->where)
        return condition_accepts(self->where, data, len, meta);
    const struct program *program = program_for(self, meta->dlt);
    if (!program)
        return fail_for_memory(error);
    if (program->bad)
        return fail(error, program->error);
    return matches(program, data, len, meta);
}

int filter_record(PyObject *filter, const struct source *source, struct plt_record *record,
                  struct filter_use *use, char error[SOURCE_ERROR_SIZE])
{
    struct filter *self = (struct filter *)filter;
    if (self->where)
        return condition_accepts_record(self->where, record, &use->layers);
    const struct program *program = program_for(self, record->meta.dlt);
    if (!program)
        return fail_for_memory(error);
    if (!program->bad) {
        use->applied = true;
        return matches(program, record->data, record->len, &record->meta);
    }
    enum soundness soundness = source->mixed ? soundness_of(self) : UNSOUND;
    if (soundness == NOT_TRIED)
        return fail_for_memory(error);
    if (soundness == UNSOUND)
        return fail(error, program->error);
    if (!use->refused[0])
        fail(use->refused, program->error);
    return 0;
}

bool filter_was_refused(const struct filter_use *use, char error[SOURCE_ERROR_SIZE])
{
    if (use->applied || !use->refused[0])
        return false;
    fail(error, use->refused);
    return true;
}

PyObject *packet_apply_filter(PyObject *self_, PyObject *filter)
{
    const struct view *self = (struct view *)self_;
    struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    if (self->type != VIEW_PACKET) {
        PyErr_SetString(PyExc_TypeError, "apply_filter() is for packets, not for their layers");
        return NULL;
    }
    PyObject *own = filter_from(state, filter, "apply_filter");
    if (!own)
        return NULL;
    const struct frame *frame = self->frame;
    if (!frame) {
        PyErr_SetString(PyExc_ValueError, "nothing was read into this packet");
        Py_DECREF(own);
        return NULL;
    }
    char error[SOURCE_ERROR_SIZE];
    int accepted = filter_accepts(own, frame->data, frame->len, &frame->meta, error);
    Py_DECREF(own);
    if (accepted < 0) {
        PyErr_SetString(state->error, error);
        return NULL;
    }
    return PyBool_FromLong(accepted);
}

static PyObject *filter_repr(PyObject *self_)
{
    PyObject *expression = ((struct filter *)self_)->expression;
    return expression ? PyUnicode_FromFormat("plt.filter(%R)", expression)
                      : PyUnicode_FromString("plt.filter()");
}

static PyObject *filter_expression_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct filter *self = (struct filter *)self_;
    if (!has_expression(self))
        return NULL;
    Py_INCREF(self->expression);
    return self->expression;
}

static PyGetSetDef filter_getset[] = {
    READONLY(expression, filter_expression_get, "The expression that the filter was made from."),
    {.name = NULL}};

static PyType_Slot filter_slots[] = {
    {Py_tp_doc, "filter(bpf)\n--\n\n"
                "A tcpdump filter expression (pcap-filter(7)), for traces and packets.\n\n"
                "It is compiled when it is first used; LibtraceError then if it is bad."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, filter_init},
    {Py_tp_dealloc, filter_dealloc},
    {Py_tp_repr, filter_repr},
    {Py_tp_getset, filter_getset},
    {0, NULL}};

PyType_Spec filter_spec = {.name = "plt.filter",
                           .basicsize = sizeof(struct filter),
                           .flags =
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = filter_slots};
