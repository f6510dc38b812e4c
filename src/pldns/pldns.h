/* What the files of pldns share: the parsed message, the two types, and how text is taken of ldns.
 */
#ifndef PLDNS_H
#define PLDNS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/column.h"

/* A parsed message: its header as sent and its records, section after section in one array. */
struct pldns_sections {
    uint16_t ident;
    uint16_t flags; /* the second 16 bits of the header, RFC 1035 section 4.1.1 */
    ldns_rr **rrs;  /* owned, as are the records in it */
    size_t
        start[5]; /* section i, numbered as LDNS_SECTION_*, is rrs[start[i]] to rrs[start[i + 1]] */
    ldns_rr *opt; /* owned; the OPT of the additional section (RFC 6891), or NULL */
    ldns_rr *tsig; /* owned; its TSIG (RFC 8945), or NULL */
};

struct pldns_message {
    PyObject ob_base;
    ldns_status status;
    struct pldns_sections sections; /* empty where status is not LDNS_STATUS_OK */
    bool made;                      /* its bytes were read */
};

struct pldns_rr {
    PyObject ob_base;
    struct pldns_message *message; /* a strong reference: it owns rr */
    const ldns_rr *rr;             /* borrowed from message */
};

struct pldns_state {
    PyTypeObject *message_type;
    PyTypeObject *rr_type;
    PyTypeObject *matcher_type;
    PyTypeObject *reader_type;
    struct batch_types batch_types;
    PyObject *transport_name; /* the interned string "_pldns_transport" */
};

/* The bytes of an argument that holds DNS, and how they travelled. */
enum pldns_transport {
    PLDNS_BYTES, /* a bytes-like object, of no transport that we know */
    PLDNS_UDP,
    PLDNS_TCP
};

struct pldns_payload {
    Py_buffer view; /* to be released */
    enum pldns_transport transport;
};

/* An attribute's closure: its name for messages, and what its getter needs. */
struct pldns_field {
    const char *name;
    unsigned value;
};

/* The top bit of a class in mDNS: of a record, that caches are to drop what they have (RFC 6762
 * section 10.2); of a question, that it wants a unicast response (section 5.4). */
#define PLDNS_CLASS_MDNS 0x8000U

#define PLDNS_ROW(field, getter, number, text)                                                     \
    {                                                                                              \
        .name = field, .get = getter, .set = pldns_readonly, .doc = text,                          \
        .closure = (void *)(uintptr_t) & (const struct pldns_field)                                \
        {                                                                                          \
            field, number                                                                          \
        }                                                                                          \
    }

/* The state of the module that a type, or the one that it is a subclass of, belongs to. */
struct pldns_state *pldns_state_of(PyTypeObject *type);

extern PyType_Spec pldns_message_spec;
extern PyType_Spec pldns_rr_spec;

/* Reads a message; whatever it returns, sections is to be cleared after use. */
ldns_status pldns_parse(struct pldns_sections *sections, const uint8_t *wire, size_t length);
void pldns_clear(struct pldns_sections *sections);

/* Takes the bytes of a plt payload or a bytes-like object: 0, or -1 with an exception. */
int pldns_payload_get(struct pldns_payload *payload, const struct pldns_state *state,
                      PyObject *obj);
/* The first message of a TCP stream's bytes, as far as it is there: sets *wire past its length
 * prefix (RFC 1035 section 4.2.2), *length to its bytes, and returns the bytes of the stream used.
 */
size_t pldns_unframe(const uint8_t *stream, size_t size, const uint8_t **wire, size_t *length);

PyObject *pldns_message_new(const struct pldns_state *state, const uint8_t *wire, size_t length);
PyObject *pldns_rr_new(const struct pldns_state *state, struct pldns_message *message,
                       const ldns_rr *rr);
/* ldns's words for a status; a string that is never freed. */
const char *pldns_status_words(ldns_status status);
/* Prints the field that holds the parameters of an SVCB or HTTPS record; a status that is not ok
 * where they are malformed, and part of them is printed. */
ldns_status pldns_print_svcparams(ldns_buffer *out, const ldns_rdf *field);
/* Whether a field is a well-formed list of types.  The next two take only such: whether ldns has
 * a wrong name for one of them; and printing their names, a blank after each. */
bool pldns_is_bitmap(const ldns_rdf *field);
bool pldns_is_bitmap_misnamed(const ldns_rdf *field);
ldns_status pldns_print_bitmap(ldns_buffer *out, const ldns_rdf *field);
/* Prints a type's name as pldns_typestr has it. */
ldns_status pldns_print_type(ldns_buffer *out, unsigned type);
/* Whether ldns has a name for a type that is not the registry's. */
bool pldns_is_misnamed(unsigned type);
/* Prints a field of a printable record, without the blanks that ldns ends lists with; a status that
 * is not ok where it is malformed, and part of it may be printed. */
ldns_status pldns_print_field(ldns_buffer *out, const ldns_rdf *field);
/* Prints the data of a record: its fields with single blanks between them, or all of it as of an
 * unknown type.  Not ok only for want of memory. */
ldns_status pldns_print_rdata(ldns_buffer *out, const ldns_rr *rr);
/* Whether the fields of a record are what its type wants, as far as printing them does not tell. */
bool pldns_is_printable(const ldns_rr *rr);
/* Whether ldns may be asked for the line of a record. */
bool pldns_is_line_printable(const ldns_rr *rr);
/* A name in presentation form, or NULL with an exception. */
PyObject *pldns_name_text(const ldns_rdf *name);
/* The message where it is ok, else NULL with ValueError. */
struct pldns_message *pldns_message_ok(PyObject *self_, const struct pldns_field *field);
/* The setter of every attribute: TypeError. */
int pldns_readonly(PyObject *self_, PyObject *value, void *closure);

PyObject *pldns_edns_udp_size_get(PyObject *self_, void *closure);
PyObject *pldns_edns_do_get(PyObject *self_, void *closure);
PyObject *pldns_edns_version_get(PyObject *self_, void *closure);
PyObject *pldns_edns_rcode_get(PyObject *self_, void *closure);
PyObject *pldns_edns_options_get(PyObject *self_, void *closure);

PyObject *pldns_opcodestr(PyObject *module, PyObject *number);
PyObject *pldns_rcodestr(PyObject *module, PyObject *number);
PyObject *pldns_typestr(PyObject *module, PyObject *number);
/* Also the method of ldns of that name: self is not looked at. */
PyObject *pldns_errorstr(PyObject *self_, PyObject *number);
/* Adds TYPE_*, CLASS_*, OPCODE_* and RCODE_*: 0, or -1 with an exception. */
int pldns_add_constants(PyObject *module);

#endif
