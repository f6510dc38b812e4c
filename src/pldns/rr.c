/* The type ldnsrr: one record of a message, its fields and ldns's text of them. */
#include "rr.h"

#include "attributes.h"
#include "mdns.h"
#include "object.h"
#include "names.h"
#include "rdata.h"
#include "wire.h"

#include "common/room.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 256 /* of a new buffer, which grows */

/* A new str of what is in the buffer.  ldns escapes all that is not printable in the locale: in one
 * of single bytes that leaves bytes above 127, which are escaped here. */
static PyObject *buffer_text(const ldns_buffer *buffer)
{
    enum { ESCAPED = 4 };
    const uint8_t *bytes = ldns_buffer_begin(buffer);
    size_t size = ldns_buffer_position(buffer);
    char *text = PyMem_Malloc(size * ESCAPED + 1);
    if (!text)
        return PyErr_NoMemory();
    size_t end = 0;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < 0x80)
            text[end++] = (char)bytes[i];
        else
            end += (size_t)snprintf(text + end, ESCAPED + 1, "\\%03u", bytes[i]);
    PyObject *str = PyUnicode_DecodeASCII(text, (Py_ssize_t)end, NULL);
    PyMem_Free(text);
    return str;
}

static ldns_buffer *buffer_new(void)
{
    ldns_buffer *buffer = ldns_buffer_new(TEXT_SIZE);
    if (!buffer)
        PyErr_NoMemory();
    return buffer;
}

static PyObject *name_text(const ldns_rdf *name)
{
    ldns_buffer *buffer = buffer_new();
    if (!buffer)
        return NULL;
    PyObject *text = NULL;
    errno = 0;
    ldns_status status = ldns_rdf2buffer_str_dname(buffer, name);
    if (errno == ENOMEM)
        PyErr_NoMemory();
    else if (status == LDNS_STATUS_OK)
        text = buffer_text(buffer);
    else
        PyErr_Format(PyExc_ValueError, "name not printable: %s", pldns_status_words(status));
    ldns_buffer_free(buffer);
    return text;
}

static ldns_status print_line(ldns_buffer *buffer, const ldns_rr *rr)
{
    if (pldns_is_line_printable(rr)) {
        ldns_status status = ldns_rr2buffer_str(buffer, rr);
        if (status == LDNS_STATUS_OK) {
            ldns_buffer_skip(buffer, -1); /* its newline */
            return status;
        }
        ldns_buffer_clear(buffer);
    }
    ldns_rdf2buffer_str_dname(buffer, ldns_rr_owner(rr));
    ldns_buffer_printf(buffer, "\t%u\t", (unsigned)ldns_rr_ttl(rr));
    ldns_rr_class2buffer_str(buffer, ldns_rr_get_class(rr));
    ldns_buffer_printf(buffer, "\t");
    pldns_print_type(buffer, ldns_rr_get_type(rr));
    ldns_buffer_printf(buffer, "\t");
    return pldns_print_rdata(buffer, rr);
}

/* A new str of what `print` writes of a record; it only ever fails for want of memory.  ldns may
 * then leave out something, or print it in another form, and say that all is well: errno tells. */
static PyObject *printed(ldns_status (*print)(ldns_buffer *, const ldns_rr *), const ldns_rr *rr)
{
    ldns_buffer *buffer = buffer_new();
    if (!buffer)
        return NULL;
    errno = 0;
    bool done = print(buffer, rr) == LDNS_STATUS_OK && errno != ENOMEM;
    PyObject *text = done ? buffer_text(buffer) : PyErr_NoMemory();
    ldns_buffer_free(buffer);
    return text;
}

/* Whether the message may hold the record, and the collector has to know of it. */
static bool is_of_subclass(const struct pldns_rr *self)
{
    return PyType_HasFeature(Py_TYPE(self->message), Py_TPFLAGS_HAVE_GC) != 0;
}

static struct pldns_rr *rr_alloc(struct pldns_message *message)
{
    struct pldns_state *state = pldns_state_of(Py_TYPE(message));
    if (!state)
        return NULL;
    struct pldns_rr *self = (struct pldns_rr *)spare_take(&state->rrs, state->rr_type);
    if (!self)
        self = PyObject_GC_New(struct pldns_rr, state->rr_type);
    if (!self)
        return NULL;
    Py_INCREF(message);
    self->message = message;
    self->rr = NULL;
    self->number = self->at = 0;
    if (is_of_subclass(self))
        PyObject_GC_Track(self);
    return self;
}

PyObject *pldns_rr_new(struct pldns_message *message, size_t number, size_t at)
{
    struct pldns_rr *self = rr_alloc(message);
    if (self) {
        self->number = number;
        self->at = at;
    }
    return (PyObject *)self;
}

PyObject *pldns_rr_of_tsig(struct pldns_message *message)
{
    struct pldns_rr *self = rr_alloc(message);
    if (self)
        self->rr = message->sections.tsig;
    return (PyObject *)self;
}

/* The record of ldns, NULL with MemoryError. */
static const ldns_rr *rr_of(PyObject *self_)
{
    struct pldns_rr *self = (struct pldns_rr *)self_;
    if (!self->rr && pldns_message_parse(self->message) == 0)
        self->rr = self->message->sections.rrs[self->number];
    return self->rr;
}

/* Whether the printed name of a plain message is what ldns prints: of bytes above 127 it asks the
 * locale. */
static bool is_ascii(const struct pldns_name *name)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < name->size; i++)
        bits |= name->bytes[i];
    return bits < 0x80;
}

PyObject *pldns_owner_text(struct pldns_message *message, size_t number, size_t at)
{
    struct pldns_name name;
    char text[PLDNS_TEXT_ROOM];
    if (at > 0 && pldns_name_read(message->wire, message->size, at, &name) > 0 && is_ascii(&name)) {
        size_t size = pldns_name_print(&name, text);
        PyObject *str = PyUnicode_New((Py_ssize_t)size, 0x7f);
        if (str)
            memcpy(PyUnicode_1BYTE_DATA(str), text, size);
        return str;
    }
    return pldns_message_parse(message) < 0
               ? NULL
               : name_text(ldns_rr_owner(message->sections.rrs[number]));
}

/* Of a cycle it is the message that lets go: one that can be in a cycle has a dict. */
static int rr_traverse(PyObject *self_, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT((PyObject *)((struct pldns_rr *)self_)->message);
    return 0;
}

static void rr_dealloc(PyObject *self_)
{
    struct pldns_rr *self = (struct pldns_rr *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    if (is_of_subclass(self))
        PyObject_GC_UnTrack(self_);
    Py_DECREF(self->message);
    struct pldns_state *state = pldns_state_of_exact(type);
    if (!state || state->rr_type != type || !spare_give(&state->rrs, self_))
        type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *rr_owner_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct pldns_rr *self = (struct pldns_rr *)self_;
    return self->rr ? name_text(ldns_rr_owner(self->rr))
                    : pldns_owner_text(self->message, self->number, self->at);
}

static PyObject *rr_type_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct pldns_rr *self = (struct pldns_rr *)self_;
    if (self->at > 0)
        return PyLong_FromLong(pldns_message_record(self->message, self->at).type);
    const ldns_rr *rr = rr_of(self_);
    return rr ? PyLong_FromLong((long)ldns_rr_get_type(rr)) : NULL;
}

static PyObject *rr_class_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct pldns_rr *self = (struct pldns_rr *)self_;
    if (self->at > 0)
        return PyLong_FromLong(pldns_message_record(self->message, self->at).rr_class);
    const ldns_rr *rr = rr_of(self_);
    return rr ? PyLong_FromLong((long)ldns_rr_get_class(rr)) : NULL;
}

/* Whether mDNS's bit of the class is set in a question, or in another record.  The class
 * of an OPT is a size (RFC 6891 section 6.1.2). */
static PyObject *mdns_bit(PyObject *self_, bool in_question)
{
    const ldns_rr *rr = rr_of(self_);
    if (!rr)
        return NULL;
    bool is_set = ((unsigned)ldns_rr_get_class(rr) & PLDNS_CLASS_MDNS) != 0;
    return PyBool_FromLong(is_set && ldns_rr_is_question(rr) == in_question &&
                           ldns_rr_get_type(rr) != LDNS_RR_TYPE_OPT);
}

static PyObject *rr_cache_flush_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return mdns_bit(self_, false);
}

static PyObject *rr_unicast_response_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return mdns_bit(self_, true);
}

static PyObject *rr_ttl_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct pldns_rr *self = (struct pldns_rr *)self_;
    if (self->at > 0 && self->at >= self->message->plain.at[LDNS_SECTION_ANSWER])
        return PyLong_FromUnsignedLong(pldns_message_record(self->message, self->at).ttl);
    const ldns_rr *rr = rr_of(self_);
    return rr ? PyLong_FromUnsignedLong(ldns_rr_ttl(rr)) : NULL;
}

static PyObject *rr_rdata_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const ldns_rr *rr = rr_of(self_);
    return rr ? printed(pldns_print_rdata, rr) : NULL;
}

static PyObject *rr_line_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const ldns_rr *rr = rr_of(self_);
    return rr ? printed(print_line, rr) : NULL;
}

static PyObject *rr_str(PyObject *self_)
{
    return rr_line_get(self_, NULL);
}

/* Appends the text of a field: 1, 0 where it cannot be printed, or -1 with an exception. */
static int append_field(PyObject *list, ldns_buffer *buffer, const ldns_rdf *field)
{
    ldns_buffer_clear(buffer);
    errno = 0;
    ldns_status result = pldns_print_field(buffer, field);
    if (errno == ENOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    if (result != LDNS_STATUS_OK)
        return 0;
    PyObject *text = buffer_text(buffer);
    int status = text ? PyList_Append(list, text) : -1;
    Py_XDECREF(text);
    return status < 0 ? -1 : 1;
}

static PyObject *rr_rdata_fields_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const ldns_rr *rr = rr_of(self_);
    ldns_buffer *buffer = NULL;
    PyObject *list = rr ? PyList_New(0) : NULL;
    if (!list || ldns_rr_rd_count(rr) == 0)
        return list;
    buffer = buffer_new();
    if (!buffer)
        goto error;
    int done = pldns_is_printable(rr) ? 1 : 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr) && done > 0; i++)
        done = append_field(list, buffer, ldns_rr_rdf(rr, i));
    if (done < 0)
        goto error;
    if (done == 0) { /* one field then, as rdata has it */
        PyObject *text = printed(pldns_print_rdata, rr);
        if (!text || PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL) < 0 ||
            PyList_Append(list, text) < 0) {
            Py_XDECREF(text);
            goto error;
        }
        Py_DECREF(text);
    }
    ldns_buffer_free(buffer);
    return list;
error:
    ldns_buffer_free(buffer);
    Py_DECREF(list);
    return NULL;
}

static PyObject *rr_repr(PyObject *self_)
{
    PyObject *line = rr_line_get(self_, NULL);
    PyObject *tab = line ? PyUnicode_FromString("\t") : NULL;
    PyObject *blank = tab ? PyUnicode_FromString(" ") : NULL;
    PyObject *words = blank ? PyUnicode_Replace(line, tab, blank, -1) : NULL;
    PyObject *result = words ? PyUnicode_FromFormat("<pldns.ldnsrr %U>", words) : NULL;
    Py_XDECREF(line);
    Py_XDECREF(tab);
    Py_XDECREF(blank);
    Py_XDECREF(words);
    return result;
}

static PyGetSetDef rr_getset[] = {
    PLDNS_ROW("owner", rr_owner_get, 0,
              "The record's name, absolute, in presentation form (RFC 1035 section 5.1): str.\n\n"
              "Bytes that are not printable ASCII are written \\DDD."),
    PLDNS_ROW("type", rr_type_get, 0,
              "The record's type: int, see the TYPE_ constants and typestr()."),
    PLDNS_ROW("rr_class", rr_class_get, 0,
              "The record's class: int, see the CLASS_ constants.\n\n"
              "All 16 bits: in mDNS the top one is cache_flush or unicast_response, and\n"
              "rr_class & 0x7FFF the class."),
    PLDNS_ROW(
        "cache_flush", rr_cache_flush_get, 0,
        "True for an mDNS record whose cache-flush bit is set, the top bit of the class (RFC\n"
        "6762 section 10.2).\n\nFalse for questions and OPT."),
    PLDNS_ROW(
        "unicast_response", rr_unicast_response_get, 0,
        "True for an mDNS question that wants a unicast response, by the top bit of the class\n"
        "(RFC 6762 section 5.4).\n\nFalse for other records."),
    PLDNS_ROW("ttl", rr_ttl_get, 0,
              "Time to live in seconds: int.\n\nOf a question, which has none, ldns's 3600."),
    PLDNS_ROW(
        "rdata", rr_rdata_get, 0,
        "The record's data: str, its fields joined by single blanks, \"\" for a question.\n\n"
        "Fields are as ldns prints them, those of SVCB and HTTPS as RFC 9460 has them. Data that\n"
        "is malformed for its type, and that of WKS, is in the form of RFC 3597: \\# LENGTH HEX."),
    PLDNS_ROW("rdata_fields", rr_rdata_fields_get, 0,
              "The record's data: a new list of str, a field each, empty for a question.\n\n"
              "Fields are as in rdata, without blanks at their ends."),
    PLDNS_ROW("str", rr_line_get, 0,
              "ldns's line for the record, without its newline: str.\n\n"
              "Where ldns does not print the data itself, it is as in rdata."),
    {0},
};

PyDoc_STRVAR(rr_doc, "A resource record of a DNS message, from one of the message's lists.\n\n"
                     "It keeps its message alive. str() of it is its line.");

static PyObject *rr_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("pldns._show", "record_html", self_);
}

static PyMethodDef rr_methods[] = {
    {.ml_name = "_repr_html_",
     .ml_meth = rr_html,
     .ml_flags = METH_NOARGS,
     .ml_doc = "_repr_html_($self, /)\n--\n\nThe record's fields, for notebooks."},
    {0},
};

static PyType_Slot rr_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)rr_doc},
    {.slot = Py_tp_dealloc, .pfunc = rr_dealloc},
    {.slot = Py_tp_traverse, .pfunc = rr_traverse},
    {.slot = Py_tp_getset, .pfunc = rr_getset},
    {.slot = Py_tp_methods, .pfunc = rr_methods},
    {.slot = Py_tp_repr, .pfunc = rr_repr},
    {.slot = Py_tp_str, .pfunc = rr_str},
    {0},
};

PyType_Spec pldns_rr_spec = {
    .name = "pldns.ldnsrr",
    .basicsize = (int)sizeof(struct pldns_rr),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = rr_slots,
};
