/* What the files of plt share.  The one idea: frames own bytes, objects view them. */
#ifndef PLT_PLT_H
#define PLT_PLT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/bytes.h"
#include "common/capi.h"
#include "common/column.h"
#include "packet/decode.h"
#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/field.h"
#include "packet/packet.h"
#include "packet/property.h"
#include "packet/protocols.h"
#include "packet/values.h"

/* --- The module ------------------------------------------------------------------------------ */

/* The Python types, one number each; VIEW_* up to VIEW_COUNT share struct view. */
enum view_type {
    VIEW_PACKET,
    VIEW_DATA,
    VIEW_LAYER2,
    VIEW_LAYER3,
    VIEW_TRANSPORT,
    VIEW_INTERNET,
    VIEW_IP,
    VIEW_IP6,
    VIEW_TCP,
    VIEW_UDP,
    VIEW_SCTP,
    VIEW_CHUNK,
    VIEW_ICMP,
    VIEW_ECHO,
    VIEW_REDIRECT,
    VIEW_ICMP6,
    VIEW_ECHO6,
    VIEW_TOOBIG6,
    VIEW_PARAM6,
    VIEW_NEIGHBOUR6,
    VIEW_COUNT
};

struct plt_state {
    PyTypeObject *views[VIEW_COUNT]; /* owned */
    PyTypeObject *trace_type;        /* owned */
    PyTypeObject *filter_type;       /* owned */
    PyTypeObject *output_type;       /* owned */
    struct batch_types batch_types;
    PyTypeObject *reader_type;     /* owned */
    PyObject *error;               /* owned: LibtraceError */
    PyObject *ipp;                 /* owned: the module ipp._ipp, which owns the next */
    const struct ipp_api *ipp_api; /* borrowed */
    const void *datetime;          /* borrowed from the interpreter: its PyDateTime_CAPI */
    struct plt_api api;            /* what the capsule holds */
};

extern struct PyModuleDef plt_module;

/* The state of the module that made a type, or NULL with an exception. */
struct plt_state *plt_state_of(PyTypeObject *type);

/* --- Sources --------------------------------------------------------------------------------- */

/* A stream of bytes through a buffer of our own.  The stream is a Python object with readinto1(),
 * or readinto() of a raw file: it waits at most for one read, having given back the GIL. */
struct input {
    PyObject *stream;   /* owned */
    const char *method; /* of the stream: readinto1 or readinto */
    uint8_t *buffer;    /* owned */
    size_t capacity;
    size_t at;   /* of the next byte to hand out */
    size_t end;  /* of what was read */
    size_t need; /* how much must lie behind `at` before it is worth asking again */
    bool eof;
};

enum source_result { SOURCE_RECORD, SOURCE_END, SOURCE_MORE, SOURCE_ERROR };

#define SOURCE_ERROR_SIZE 256

/* What became of a filter among the packets of a trace that may be of several link types. */
struct filter_use {
    bool applied;                    /* it could be compiled for one of them */
    char refused[SOURCE_ERROR_SIZE]; /* why not for the first for which it could not, or "" */
};

/* Where packets come from.  next() neither waits nor needs the GIL; where it answers SOURCE_MORE,
 * fill() is to be called with the GIL held, and next() again. */
struct live_config;

struct source {
    enum source_result (*next)(struct source *self, struct plt_record *record);
    int (*fill)(struct source *self); /* 0, or -1 with an exception */
    void (*destroy)(struct source *self);
    void (*count_drops)(struct source *self); /* bring drops up to date; may be NULL */
    /* Of live sources, NULL for files: stop, and go on with another configuration. */
    int (*pause)(struct source *self);
    int (*resume)(struct source *self, const struct live_config *config);
    /* Of live sources: take over another configuration while capturing; what was captured before
     * may still come.  1 where it must be paused and resumed for that, -1 with an exception and
     * nothing changed. */
    int (*configure)(struct source *self, const struct live_config *config);
    struct input input;
    bool filters;                 /* the configured filter is applied by the source itself */
    bool mixed;                   /* packets may be of several link types */
    struct filter_use filter_use; /* of the trace's filter, where it is applied here */
    uint64_t drops;
    uint64_t count;                /* records handed out */
    char error[SOURCE_ERROR_SIZE]; /* why next() answered SOURCE_ERROR */
};

/* The bytes behind `at`, of which there are at least `need`, else NULL and *result tells why: more
 * is to be read, or the stream ended, at a record's border (SOURCE_END) or within `what`. */
const uint8_t *input_need(struct source *source, size_t need, const char *what,
                          enum source_result *result);
/* Read more into the input: the fill() of sources that have nothing else to do. */
int input_fill(struct source *source);
void input_clear(struct input *input);
enum source_result source_fail(struct source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Readers of files by name of format; NULL with an exception.  ahead was read of the stream
 * already, which they hold. */
struct source *source_open_file(const char *format, const char *ahead, size_t ahead_len,
                                PyObject *stream);
struct source *pcap_source_new(void);
struct source *pcapng_source_new(void);
struct source *erf_source_new(void);
struct source *fixed_source_new(const char *name);

/* --- Reading in bulk, in bulk.c -------------------------------------------------------------- */

struct plt_bulk *bulk_open(struct plt_state *state, PyObject *source, PyObject *filter);
enum plt_bulk_result bulk_next(struct plt_bulk *self, struct plt_record *record);
int bulk_fill(struct plt_bulk *self);
void bulk_raise(struct plt_bulk *self);
void bulk_close(struct plt_bulk *self);

/* What bulk.c needs of a trace: its source, marked busy (NULL with LibtraceError), its filter
 * (borrowed, or NULL), its snap length, and the way back. */
struct source *trace_borrow(PyObject *trace, PyObject **filter, uint32_t *snaplen);
void trace_give_back(PyObject *trace, uint64_t accepted);
/* A packet's number and what is wrong with it, as LibtraceError. */
void trace_raise(PyObject *trace, const struct source *source);
/* Give the pending exception as LibtraceError where it is a stream's, not the user's. */
void trace_raise_from(PyObject *trace, const struct source *source);
/* 1 where a plt.filter accepts these bytes, 0 where not, -1 with the reason in error.  Needs no
 * GIL, but one thread at a time. */
int filter_accepts(PyObject *filter, const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                   char error[SOURCE_ERROR_SIZE]);
/* The same of a record.  Of a mixed source, one of a link type for which the filter cannot be
 * compiled is not accepted, where it can be for another. */
int filter_record(PyObject *filter, const struct source *source, const struct plt_record *record,
                  struct filter_use *use, char error[SOURCE_ERROR_SIZE]);
/* At the end of a trace: whether the filter could be compiled for none of its packets, and why. */
bool filter_was_refused(const struct filter_use *use, char error[SOURCE_ERROR_SIZE]);

/* --- Frames ---------------------------------------------------------------------------------- */

/* A packet's bytes, their lifetime, and its layers, decoded once.  Not a Python object: counted by
 * its holders under the GIL. */
struct frame {
    Py_ssize_t refs;
    struct plt_state *state; /* borrowed: the views' types keep the module alive */
    uint8_t *data;           /* own memory when neither parent nor buffer is set */
    uint32_t len;
    uint32_t capacity;
    uint32_t pins; /* exported buffers and child frames: data must not move */
    uint8_t kind;  /* enum frame_kind */
    bool readonly;
    bool decoded;
    struct frame *parent; /* owned, or NULL: data lies within the parent's */
    Py_buffer *buffer;    /* owned, or NULL: data lies within an exporter's memory */
    struct plt_meta meta;
    uint8_t root;       /* enum plt_root */
    uint8_t root_proto; /* of it: plt_decode's proto */
    struct plt_layers layers;
};

enum frame_kind { FRAME_PACKET, FRAME_STRING, FRAME_COPY };

/* A frame with room for len bytes, its data not set; NULL with an exception. */
struct frame *frame_new(struct plt_state *state, uint32_t len);
/* A frame over part of another's bytes, rooted at a network or transport header. */
struct frame *frame_child(struct frame *parent, uint32_t start, uint32_t end, enum plt_root root,
                          uint8_t proto);
/* What is said of an object that no layer can be made of. */
#define NOT_OURS "Not a Data, Packet or ByteArray object"

/* A frame over the memory of a bytes-like object. */
struct frame *frame_of_buffer(struct plt_state *state, PyObject *exporter, enum plt_root root,
                              uint8_t proto);
/* A frame of a record, the bytes copied: into the frame given (which is consumed), or a new one
 * where that is NULL. */
struct frame *frame_of_record(struct plt_state *state, const struct plt_record *record,
                              struct frame *frame);
/* A private copy of a frame's bytes. */
struct frame *frame_copy(const struct frame *from);
/* Give back what a kept frame does not need of its memory. */
void frame_shrink(struct frame *frame);
void frame_free(struct frame *frame);

static inline struct frame *frame_hold(struct frame *frame)
{
    frame->refs++;
    return frame;
}

static inline void frame_release(struct frame *frame)
{
    if (frame && --frame->refs == 0)
        frame_free(frame);
}

/* The layers of a frame, decoded on first use. */
static inline const struct plt_layers *frame_layers(struct frame *frame)
{
    if (!frame->decoded) {
        plt_decode(frame->data, frame->len, &frame->meta, frame->root, frame->root_proto,
                   &frame->layers);
        frame->decoded = true;
    }
    return &frame->layers;
}

/* --- Views ----------------------------------------------------------------------------------- */

/* The one struct of every packet and layer object. */
struct view {
    PyObject ob_base;
    struct frame *frame; /* owned; NULL only in a packet() that nothing was read into */
    uint32_t start;      /* of the object's first byte in the frame */
    uint32_t end;        /* of what was captured of it */
    uint8_t type;        /* enum view_type */
    uint8_t payload_of;  /* TCP or UDP where it is the payload of such, else 0 */
};

#define VIEW_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE)

/* A new view; the frame is held.  NULL with an exception. */
PyObject *view_new(struct frame *frame, enum view_type type, uint32_t start, uint32_t end);
/* The same as an instance of a Python subclass of the type. */
PyObject *view_new_as(PyTypeObject *python_type, struct frame *frame, enum view_type type,
                      uint32_t start, uint32_t end);
/* The payload of a TCP or UDP header, None where it is empty. */
PyObject *view_payload(struct frame *frame, enum view_type type, uint8_t proto, uint32_t start,
                       uint32_t end);
/* The payload of the TCP or UDP header that a view shows, None where it is empty; ValueError where
 * the header is cut or its length is malformed. */
PyObject *view_transport_payload(const struct view *self, uint8_t proto);
/* Where what a view shows ends: padding after the IP packet is no part of what it carries. */
uint32_t view_ip_end(const struct view *self);
/* A new bytearray of part of a frame. */
PyObject *view_bytes(const struct frame *frame, uint32_t start, uint32_t end);
/* The view in an object of one of our types, or NULL (no exception). */
struct view *view_of(const struct plt_state *state, PyObject *obj);

void view_dealloc(PyObject *self_);
int view_getbuffer(PyObject *self_, Py_buffer *buffer, int flags);
void view_releasebuffer(PyObject *self_, Py_buffer *buffer);
int view_bool(PyObject *self_);
Py_ssize_t view_length(PyObject *self_);

/* --- Fields ---------------------------------------------------------------------------------- */

/* A header's table is a macro of rows, X(name, docstring, .base = ...): these two make of it the
 * structs and the attributes. */
#define DEFINE_FIELD(id, text, ...)                                                                \
    static const struct field field_##id = {.name = #id, .doc = text, __VA_ARGS__};
#define FIELD_ATTRIBUTE(id, text, ...)                                                             \
    {.name = #id,                                                                                  \
     .get = field_get,                                                                             \
     .set = field_set,                                                                             \
     .doc = (text),                                                                                \
     .closure = (void *)(uintptr_t)&field_##id},
#define FIELD_POINTER(id, ...) &field_##id,
/* The table as a value, for who reads fields by name: columns, tests, documentation. */
#define FIELD_TABLE(table, of, ROWS)                                                               \
    static const struct field *const table##_rows[] = {ROWS(FIELD_POINTER) NULL};                  \
    const struct field_table table = {.type = (of), .rows = table##_rows};
/* An attribute that no row describes, read-only. */
#define READONLY(id, getter, text)                                                                 \
    {                                                                                              \
        .name = #id, .get = (getter), .set = attribute_readonly, .doc = (text)                     \
    }

/* An attribute from a row of property.h, read-only. */
#define PROPERTY_ATTRIBUTE(id, getter, text)                                                       \
    {                                                                                              \
        .name = #id, .get = (getter), .set = attribute_readonly, .doc = (text),                    \
        .closure = (void *)(uintptr_t)&property_##id                                               \
    }

struct field_table {
    enum view_type type;
    const struct field *const *rows; /* ends with NULL */
};

extern const struct field_table ip_table, ip6_table, tcp_table, udp_table, sctp_table, chunk_table,
    icmp_table, echo_table, icmp6_table, echo6_table, toobig6_table, param6_table;
/* All of them, ends with NULL, in field.c. */
extern const struct field_table *const field_tables[];
/* plt._plt._fields(), in field.c. */
PyObject *field_list(PyObject *module, PyObject *args);

/* The int or float of a property's value. */
PyObject *property_object(const struct property *row, uint64_t value);
PyObject *field_get(PyObject *self_, void *closure);
int field_set(PyObject *self_, PyObject *value, void *closure);
/* The setter of every attribute that has none: TypeError. */
int attribute_readonly(PyObject *self_, PyObject *value, void *closure);
/* The int of an assigned value in low..high, -1 with TypeError or ValueError. */
long attribute_int(PyObject *value, const char *name, long low, long high);
/* Whether a frame's bytes may be changed, else TypeError. */
bool frame_writable(const struct frame *frame, const char *name);
/* ValueError("Data too short for NAME"); NULL. */
PyObject *too_short(const char *name);

/* --- Attributes that several types have ---------------------------------------------------------
 */

/* An IPprefix of an address in a frame, ValueError("Data too short for NAME") past its end. */
PyObject *prefix_at(const struct frame *frame, uint32_t at, int version, const char *name);
/* plt.NAME(x): the header of that type in x (new reference), None, or NULL with ValueError. */
PyObject *layer_construct(PyTypeObject *python_type, PyObject *args, PyObject *kwargs,
                          enum view_type type);
/* The method set_checksums() of layers 3 and above. */
PyObject *layer_set_checksums(PyObject *self_, PyObject *args);
/* The header of a type in a frame as a new view, None where there is none. */
PyObject *layer_get(struct frame *frame, enum view_type type);
/* packet.apply_filter, in filter.c. */
PyObject *packet_apply_filter(PyObject *self_, PyObject *filter);
/* The attributes and methods that describe an object, in diagnose.c. */
PyObject *diagnose_size(PyObject *self_, void *closure);
PyObject *diagnose_kind(PyObject *self_, void *closure);
PyObject *diagnose_type(PyObject *self_, void *closure);
PyObject *diagnose_info(PyObject *self_, PyObject *args);
PyObject *diagnose_dump(PyObject *self_, PyObject *args);
PyObject *diagnose_html(PyObject *self_, PyObject *args);
PyObject *diagnose_repr(PyObject *self_);
/* The checksums of IP (RFC 791) and of TCP, UDP, ICMP, ICMPv6, in checksum.c. */
enum checksum_state { CHECKSUM_NONE = -1, CHECKSUM_BAD = 0, CHECKSUM_GOOD = 1 };
enum checksum_state checksum_test_network(struct frame *frame);
enum checksum_state checksum_test_transport(struct frame *frame);
bool checksum_set_network(struct frame *frame);
bool checksum_set_transport(struct frame *frame);

/* Offer the module's C interface, in capi.c; 0, or -1 with an exception. */
int capi_add(PyObject *module, struct plt_state *state);

extern PyType_Spec packet_spec, data_spec, layer2_spec, layer3_spec, transport_spec, internet_spec,
    ip_spec, ip6_spec, tcp_spec, udp_spec, sctp_spec, chunk_spec, icmp_spec, echo_spec,
    redirect_spec, icmp6_spec, echo6_spec, toobig6_spec, param6_spec, neighbour6_spec;
extern PyType_Spec trace_spec, filter_spec, output_spec;

#endif
