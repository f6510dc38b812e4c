/* The type ldns: a DNS message, its header, its sections and its EDNS. */
#include "message.h"

#include "edns.h"
#include "names.h"
#include "object.h"
#include "payload.h"
#include "rr.h"

#include "packet/bytes.h"
#include "common/room.h"

#include <string.h>

/* Header flags, in the second 16 bits: RFC 1035 section 4.1.1, RFC 4035 section 3.1.6. */
enum {
    FLAG_QR = 0x8000,
    FLAG_AA = 0x0400,
    FLAG_TC = 0x0200,
    FLAG_RD = 0x0100,
    FLAG_RA = 0x0080,
    FLAG_AD = 0x0020,
    FLAG_CD = 0x0010,
};

enum { MOST_SPARE_BUFFER = 4096 };

/* Keep the bytes of a plain message: 0, or -1 with MemoryError. */
static int message_keep(struct pldns_message *self, const uint8_t *wire, size_t length)
{
    struct pldns_sections *sections = &self->sections;
    if (self->room < length) {
        PyMem_Free(self->buffer);
        self->buffer = PyMem_Malloc(length);
        self->room = self->buffer ? length : 0;
    }
    if (!self->buffer) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(self->buffer, wire, length);
    self->wire = self->buffer;
    self->size = length;
    self->status = LDNS_STATUS_OK;
    sections->ident = load_be16(wire);
    sections->flags = load_be16(wire + 2);
    for (size_t i = 0; i < 4; i++)
        sections->start[i + 1] = sections->start[i] + self->plain.counts[i];
    return 0;
}

/* Read what a message without content is to hold: 0, or -1 with MemoryError. */
static int message_read(struct pldns_message *self, const uint8_t *wire, size_t length)
{
    self->made = true;
    if (pldns_plain_read(wire, length, &self->plain))
        return message_keep(self, wire, length);
    self->status = pldns_parse(&self->sections, wire, length);
    if (self->status != LDNS_STATUS_OK)
        pldns_clear(&self->sections);
    if (self->status == LDNS_STATUS_MEM_ERR) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject *message_empty(PyTypeObject *type, PyObject *Py_UNUSED(args),
                               PyObject *Py_UNUSED(kwargs))
{
    struct pldns_state *state = pldns_state_of_exact(type);
    PyObject *self_ = state ? spare_take(&state->messages, type) : NULL;
    struct pldns_message *self = (struct pldns_message *)self_;
    if (self) {
        self->sections = (struct pldns_sections){0};
        self->wire = NULL;
        self->size = 0;
        self->made = false;
    } else {
        self = (struct pldns_message *)type->tp_alloc(type, 0);
    }
    if (self)
        self->status = LDNS_STATUS_PACKET_OVERFLOW; /* as of a message of no bytes */
    return (PyObject *)self;
}

PyObject *pldns_message_new(const struct pldns_state *state, const uint8_t *wire, size_t length)
{
    PyObject *self = message_empty(state->message_type, NULL, NULL);
    if (self && message_read((struct pldns_message *)self, wire, length) < 0)
        Py_CLEAR(self);
    return self;
}

/* Read the message in an object, unless one was read before: its records point into it. */
static int message_fill(struct pldns_message *self, const struct pldns_state *state, PyObject *obj)
{
    struct pldns_payload payload;
    if (pldns_payload_get(&payload, state, obj) < 0)
        return -1;
    const uint8_t *wire = payload.view.buf;
    size_t length = (size_t)payload.view.len;
    if (payload.transport == PLDNS_TCP)
        pldns_unframe(payload.view.buf, length, &wire, &length);
    int status = self->made ? 0 : message_read(self, wire, length);
    PyBuffer_Release(&payload.view);
    return status;
}

static int message_init(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"payload", NULL};
    const struct pldns_state *state = pldns_state_of(Py_TYPE(self_));
    PyObject *obj = NULL;
    if (!state || !PyArg_ParseTupleAndKeywords(args, kwargs, "O:ldns", names, &obj))
        return -1;
    return message_fill((struct pldns_message *)self_, state, obj);
}

/* A call with other arguments than one by position. */
static PyObject *message_call(PyTypeObject *type, PyObject *const *args, Py_ssize_t count,
                              PyObject *names)
{
    PyObject *self = NULL;
    PyObject *positional = PyTuple_New(count);
    PyObject *keywords = PyDict_New();
    if (!positional || !keywords)
        goto done;
    for (Py_ssize_t i = 0; i < count; i++)
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
            goto done;
    self = message_empty(type, NULL, NULL);
    if (self && message_init(self, positional, keywords) < 0)
        Py_CLEAR(self);
done:
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return self;
}

PyObject *pldns_message_vectorcall(PyObject *type_, PyObject *const *args, size_t nargsf,
                                   PyObject *names)
{
    PyTypeObject *type = (PyTypeObject *)type_;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    const struct pldns_state *state = PyType_GetModuleState(type);
    if (!state)
        return NULL;
    if (count != 1 || (names && PyTuple_GET_SIZE(names) > 0))
        return message_call(type, args, count, names);
    PyObject *self = message_empty(type, NULL, NULL);
    if (self && message_fill((struct pldns_message *)self, state, args[0]) < 0)
        Py_CLEAR(self);
    return self;
}

static void message_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    struct pldns_message *self = (struct pldns_message *)self_;
    if (self->sections.rrs)
        pldns_clear(&self->sections);
    struct pldns_state *state = pldns_state_of_exact(type);
    bool is_kept = state && state->message_type == type && self->room <= MOST_SPARE_BUFFER &&
                   spare_give(&state->messages, self_);
    if (!is_kept) {
        PyMem_Free(self->buffer);
        type->tp_free(self_);
    }
    Py_DECREF(type);
}

static PyObject *message_is_ok(PyObject *self_, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(((struct pldns_message *)self_)->status == LDNS_STATUS_OK);
}

static PyObject *message_status_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLong((long)((struct pldns_message *)self_)->status);
}

static PyObject *message_ident_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    return self ? PyLong_FromLong(self->sections.ident) : NULL;
}

static PyObject *message_opcode_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    return self ? PyLong_FromLong(self->sections.flags >> 11 & 0xF) : NULL;
}

static PyObject *message_rcode_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    return self ? PyLong_FromLong(self->sections.flags & 0xF) : NULL;
}

static PyObject *message_flag_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    const struct pldns_field *field = closure;
    return self ? PyBool_FromLong((self->sections.flags & field->value) != 0) : NULL;
}

/* Passes the OPT record, which is in no list, where a record of a plain message begins. */
static size_t past_opt(const struct pldns_message *self, size_t at)
{
    return self->wire && at == self->plain.opt ? pldns_message_record(self, at).end : at;
}

/* A new list of the records of a section, or of their names: NULL with an exception. */
static PyObject *section_list(struct pldns_message *self, unsigned section,
                              PyObject *(*item)(struct pldns_message *, size_t, size_t))
{
    size_t first = self->sections.start[section];
    size_t count = self->sections.start[section + 1] - first;
    size_t at = self->wire ? self->plain.at[section] : 0;
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        at = past_opt(self, at);
        PyObject *object = item(self, first + i, at);
        if (!object)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, object);
        if (self->wire && i + 1 < count)
            at = pldns_message_record(self, at).end;
    }
    return list;
}

static PyObject *message_section_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    const struct pldns_field *field = closure;
    return self ? section_list(self, field->value, pldns_rr_new) : NULL;
}

static PyObject *message_question_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    return self ? section_list(self, LDNS_SECTION_QUESTION, pldns_owner_text) : NULL;
}

static PyObject *message_tsig_get(PyObject *self_, void *closure)
{
    struct pldns_message *self = pldns_message_ok(self_, closure);
    if (!self)
        return NULL;
    if (!self->sections.tsig)
        Py_RETURN_NONE;
    return pldns_rr_of_tsig(self);
}

static PyObject *message_repr(PyObject *self_)
{
    const struct pldns_message *self = (struct pldns_message *)self_;
    if (self->status != LDNS_STATUS_OK)
        return PyUnicode_FromFormat("<pldns.ldns not ok: %s>", pldns_status_words(self->status));
    const size_t *start = self->sections.start;
    return PyUnicode_FromFormat("<pldns.ldns %s %u: query %zu, response %zu, auth %zu, addit %zu>",
                                self->sections.flags & FLAG_QR ? "response" : "request",
                                (unsigned)self->sections.ident, start[1] - start[0],
                                start[2] - start[1], start[3] - start[2], start[4] - start[3]);
}

static PyGetSetDef message_getset[] = {
    PLDNS_ROW("status", message_status_get, 0,
              "ldns's status of reading the message: int, 0 where it is ok; see errorstr()."),
    PLDNS_ROW("ident", message_ident_get, 0, "The message's 16-bit identifier: int."),
    PLDNS_ROW("is_response", message_flag_get, FLAG_QR,
              "True for a response, False for a request."),
    PLDNS_ROW("opcode", message_opcode_get, 0,
              "The kind of request: int, 0 to 15; see opcodestr()."),
    PLDNS_ROW("rcode", message_rcode_get, 0,
              "The header's response code: int, 0 to 15; see rcodestr().\n\n"
              "RCODE_ constants above 15 (RCODE_BADVERS) are compared with edns_rcode, of which\n"
              "these are the lower four bits (RFC 6891 section 6.1.3)."),
    PLDNS_ROW("response_type", message_rcode_get, 0, "The same as rcode: int."),
    PLDNS_ROW("aa", message_flag_get, FLAG_AA, "True for an authoritative answer (RFC 1035)."),
    PLDNS_ROW("tc", message_flag_get, FLAG_TC, "True where the message was truncated (RFC 1035)."),
    PLDNS_ROW("rd", message_flag_get, FLAG_RD, "True where recursion is desired (RFC 1035)."),
    PLDNS_ROW("ra", message_flag_get, FLAG_RA, "True where recursion is available (RFC 1035)."),
    PLDNS_ROW("ad", message_flag_get, FLAG_AD, "True where the data is authentic (RFC 4035)."),
    PLDNS_ROW("cd", message_flag_get, FLAG_CD, "True where checking is disabled (RFC 4035)."),
    PLDNS_ROW("question", message_question_get, 0,
              "The names asked for: a new list of str, mostly of one; see query_rr_list."),
    PLDNS_ROW("query_rr_list", message_section_get, LDNS_SECTION_QUESTION,
              "The question section: a new list of ldnsrr, empty where there is none."),
    PLDNS_ROW("response_rr_list", message_section_get, LDNS_SECTION_ANSWER,
              "The answer section: a new list of ldnsrr, empty where there is none."),
    PLDNS_ROW("auth_rr_list", message_section_get, LDNS_SECTION_AUTHORITY,
              "The authority section: a new list of ldnsrr, empty where there is none."),
    PLDNS_ROW(
        "addit_rr_list", message_section_get, LDNS_SECTION_ADDITIONAL,
        "The additional section: a new list of ldnsrr, empty where there is none.\n\n"
        "The OPT record is not in it, but in the edns_ attributes; nor is TSIG, see tsig. Of\n"
        "several OPTs or TSIGs, which no message may have, the first is taken out."),
    PLDNS_ROW("tsig", message_tsig_get, 0,
              "The TSIG record (RFC 8945): an ldnsrr, None without one."),
    PLDNS_ROW("edns_udp_size", pldns_edns_udp_size_get, 0,
              "The UDP payload size that the sender takes (RFC 6891): int, None without OPT."),
    PLDNS_ROW("edns_do", pldns_edns_do_get, 0,
              "True where DNSSEC records are wanted (RFC 6891 section 6.1.3), None without OPT."),
    PLDNS_ROW("edns_version", pldns_edns_version_get, 0,
              "The EDNS version (RFC 6891): int, None without OPT."),
    PLDNS_ROW(
        "edns_rcode", pldns_edns_rcode_get, 0,
        "The extended response code (RFC 6891 section 6.1.3): int, 0 to 4095, None without OPT.\n\n"
        "The RCODE_ constants above 15 are compared with it: RCODE_BADVERS, RCODE_BADCOOKIE. "
        "Those\n"
        "of 17 to 22 and RCODE_BADSIG are mostly of the error of a TSIG record (RFC 8945)."),
    PLDNS_ROW("edns_options", pldns_edns_options_get, 0,
              "The EDNS options: a new list of (code, bytes), None without OPT.\n\n"
              "ValueError where an option is cut short (RFC 6891 section 6.1.2)."),
    {0},
};

static PyObject *message_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("pldns._show", "message_html", self_);
}

static PyMethodDef message_methods[] = {
    {.ml_name = "is_ok",
     .ml_meth = message_is_ok,
     .ml_flags = METH_NOARGS,
     .ml_doc = "is_ok($self, /)\n--\n\n"
               "True where ldns could read the message, False where status says why not."},
    {.ml_name = "errorstr",
     .ml_meth = pldns_errorstr,
     .ml_flags = METH_O,
     .ml_doc = "errorstr($self, status, /)\n--\n\n"
               "ldns's words for a status: str.\n\nValueError for a number that is no status."},
    {.ml_name = "_repr_html_",
     .ml_meth = message_html,
     .ml_flags = METH_NOARGS,
     .ml_doc = "_repr_html_($self, /)\n--\n\nThe message's records, for notebooks."},
    {0},
};

PyDoc_STRVAR(
    message_doc,
    "ldns(payload)\n--\n\n"
    "A DNS message, read by ldns.\n\n"
    "payload is udp.payload, tcp.payload, udp_payload or tcp_payload of a plt packet, or a\n"
    "bytes-like object that holds a message without length prefix. Of a TCP payload the\n"
    "2-byte length prefix (RFC 1035 section 4.2.2) is skipped, and the first message read,\n"
    "as far as it is there; messages() gives all of them. Segments are not joined. Anything\n"
    "else: ValueError.\n\n"
    "A payload that is not DNS, or cut short, makes a message that is not ok: is_ok() is\n"
    "False, status says why, and every other attribute raises ValueError with the status\n"
    "in words.");

static PyType_Slot message_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)message_doc},
    {.slot = Py_tp_new, .pfunc = message_empty},
    {.slot = Py_tp_init, .pfunc = message_init},
    {.slot = Py_tp_dealloc, .pfunc = message_dealloc},
    {.slot = Py_tp_getset, .pfunc = message_getset},
    {.slot = Py_tp_methods, .pfunc = message_methods},
    {.slot = Py_tp_repr, .pfunc = message_repr},
    {0},
};

PyType_Spec pldns_message_spec = {
    .name = "pldns.ldns",
    .basicsize = (int)sizeof(struct pldns_message),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = message_slots,
};
