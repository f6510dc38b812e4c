/* The writer of pcapng files (draft-ietf-opsawg-pcapng): packets of any link types, nanoseconds,
 * directions, and comments.  A section of the machine's byte order, an interface for each link
 * type, snap length and frame check sequence that is met, and enhanced packet blocks.  A file that
 * is appended to gets another section. */
#include "writer.h"

#include "packet/decode.h"
#include "packet/linktypes.h"
#include "packet/meta.h"

#include "frame.h"
#include "pcapngfile.h"
#include "sink.h"

#include <string.h>

#define NAME "python-libtrace"

enum { TICKS_EXPONENT = 9, OPTION_HEADER = 4 };

/* What an interface block says of its packets. */
struct kind {
    uint32_t dlt;
    uint32_t snaplen;
    bool has_fcs;
    uint8_t fcs; /* bytes of it */
};

struct pcapng_writer {
    struct writer base;
    bool started;       /* the section header is there */
    struct kind *kinds; /* owned: of the interfaces, by number */
    uint32_t count;
    uint32_t room;
};

/* The put_ functions write at to and return the place after what they wrote. */

static uint8_t *put16(uint8_t *to, uint16_t value)
{
    memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t len)
{
    memset(to + len, 0, padded(len) - len);
    memcpy(to, bytes, len);
    return to + padded(len);
}

static uint8_t *put_option(uint8_t *to, enum pcapng_option code, const void *value, size_t len)
{
    to = put16(to, (uint16_t)code);
    to = put16(to, (uint16_t)len);
    return put_bytes(to, value, len);
}

static size_t option_size(size_t len)
{
    return OPTION_HEADER + padded(len);
}

/* Begin a block with a body of so many bytes: where the body goes, NULL with an exception. */
static uint8_t *begin_block(struct pcapng_writer *self, enum pcapng_block type, size_t body)
{
    size_t len = BLOCK_HEADER + body + BLOCK_TRAILER;
    uint8_t *block = sink_record(self->base.sink, len);
    if (!block)
        return NULL;
    put32(block + len - BLOCK_TRAILER, (uint32_t)len);
    return put32(put32(block, type), (uint32_t)len);
}

static int write_section(struct pcapng_writer *self)
{
    static const uint8_t unknown_length[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t *to =
        begin_block(self, BLOCK_SECTION, 16 + option_size(sizeof(NAME) - 1) + option_size(0));
    if (!to)
        return -1;
    to = put32(to, PCAPNG_MAGIC);
    to = put16(put16(to, 1), 0); /* the version */
    to = put_bytes(to, unknown_length, sizeof(unknown_length));
    to = put_option(to, SHB_USERAPPL, NAME, sizeof(NAME) - 1);
    put_option(to, OPTION_END, "", 0);
    self->started = true;
    return 0;
}

/* A snap length that a packet exceeds is none. */
static struct kind kind_of(const struct frame *frame)
{
    const struct plt_meta *meta = &frame->meta;
    return (struct kind){.dlt = meta->dlt,
                         .snaplen = frame->len <= meta->snaplen ? meta->snaplen : 0,
                         .has_fcs = meta->fcs_counted,
                         .fcs = meta->fcs_counted ? meta->fcs : 0};
}

static bool is_same(const struct kind *one, const struct kind *other)
{
    return one->dlt == other->dlt && one->snaplen == other->snaplen &&
           one->has_fcs == other->has_fcs && one->fcs == other->fcs;
}

/* Write the block of a new interface; 0, or -1 with an exception. */
static int write_interface(struct pcapng_writer *self, const struct kind *kind)
{
    static const uint8_t resolution = TICKS_EXPONENT;
    size_t fcs_size = kind->has_fcs ? option_size(1) : 0;
    if (self->count == self->room) {
        uint32_t room = self->room ? self->room * 2 : 4;
        struct kind *more = PyMem_Realloc(self->kinds, room * sizeof(*more));
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        self->kinds = more;
        self->room = room;
    }
    uint8_t *to =
        begin_block(self, BLOCK_INTERFACE, 8 + option_size(1) + fcs_size + option_size(0));
    if (!to)
        return -1;
    to = put16(put16(to, (uint16_t)kind->dlt), 0);
    to = put32(to, kind->snaplen);
    to = put_option(to, IF_TSRESOL, &resolution, 1);
    if (kind->has_fcs)
        to = put_option(to, IF_FCSLEN, &kind->fcs, 1);
    put_option(to, OPTION_END, "", 0);
    self->kinds[self->count++] = *kind;
    return 0;
}

/* The number of a packet's interface, which is written where it is new; -1 with an exception. */
static int64_t interface_of(struct pcapng_writer *self, const struct frame *frame)
{
    struct kind kind = kind_of(frame);
    for (uint32_t i = 0; i < self->count; i++)
        if (is_same(&self->kinds[i], &kind))
            return i;
    return write_interface(self, &kind) < 0 ? -1 : (int64_t)self->count - 1;
}

/* The flags of a packet whose source states its direction, else 0: then none are written. */
static uint32_t flags_of(const struct plt_meta *meta)
{
    switch (meta->direction) {
    case DIR_INCOMING:
        return FLAGS_INBOUND;
    case DIR_OUTGOING:
        return FLAGS_OUTBOUND;
    default:
        return 0;
    }
}

/* What options an enhanced packet block has. */
struct options {
    const char *comment; /* borrowed, or NULL */
    size_t comment_len;
    uint32_t flags; /* 0 for none */
};

static size_t options_size(const struct options *options)
{
    size_t size = options->comment ? option_size(options->comment_len) : 0;
    if (options->flags)
        size += option_size(sizeof(options->flags));
    return size ? size + option_size(0) : 0;
}

static void put_options(uint8_t *to, const struct options *options)
{
    if (options->comment)
        to = put_option(to, OPTION_COMMENT, options->comment, options->comment_len);
    if (options->flags)
        to = put_option(to, EPB_FLAGS, &options->flags, sizeof(options->flags));
    if (options->comment || options->flags)
        put_option(to, OPTION_END, "", 0);
}

/* Write a packet with a comment, a str, or NULL for none; 0, or -1 with an exception. */
static int write_packet(struct pcapng_writer *self, const struct frame *frame, PyObject *comment)
{
    const struct plt_meta *meta = &frame->meta;
    struct options options = {.flags = flags_of(meta)};
    Py_ssize_t comment_len = 0;
    if (comment) {
        options.comment = PyUnicode_AsUTF8AndSize(comment, &comment_len);
        if (!options.comment)
            return -1;
        options.comment_len = (size_t)comment_len;
    }
    if (!self->started && write_section(self) < 0)
        return -1;
    int64_t interface = interface_of(self, frame);
    if (interface < 0)
        return -1;
    uint64_t wire_len = meta_length_field(meta, frame->data, frame->len);
    uint64_t ticks = (uint64_t)meta->sec * 1000000000 + meta->nsec;
    size_t body = 20 + padded(frame->len) + options_size(&options);
    uint8_t *to = begin_block(self, BLOCK_ENHANCED, body);
    if (!to)
        return -1;
    to = put32(to, (uint32_t)interface);
    to = put32(put32(to, (uint32_t)(ticks >> 32)), (uint32_t)ticks);
    to = put32(to, frame->len);
    to = put32(to, wire_len < UINT32_MAX ? (uint32_t)wire_len : UINT32_MAX);
    to = put_bytes(to, frame->data, frame->len);
    put_options(to, &options);
    return 0;
}

static int pcapng_write(struct writer *base, const struct frame *frame)
{
    static const int64_t last_second = (int64_t)(UINT64_MAX / 1000000000) - 1;
    const struct plt_meta *meta = &frame->meta;
    if (meta->dlt > UINT16_MAX) {
        PyErr_SetString(PyExc_OSError, "pcapng files have no link type for this packet");
        return -1;
    }
    if (meta->sec < 0 || meta->sec > last_second) {
        PyErr_SetString(PyExc_OSError, "pcapng files are written in nanoseconds, which have no "
                                       "room for the packet's time");
        return -1;
    }
    PyObject *comment = frame->comment; /* held: another thread may set another meanwhile */
    Py_XINCREF(comment);
    int status = write_packet((struct pcapng_writer *)base, frame, comment);
    Py_XDECREF(comment);
    return status;
}

/* A trace of no packets is a section without interfaces. */
static int pcapng_finish(struct writer *base)
{
    struct pcapng_writer *self = (struct pcapng_writer *)base;
    PyMem_Free(self->kinds);
    self->kinds = NULL;
    self->count = self->room = 0;
    return self->started ? 0 : write_section(self);
}

struct writer *pcapng_writer_new(struct sink *sink, const uint8_t *Py_UNUSED(header),
                                 size_t Py_UNUSED(header_len))
{
    struct writer *base = writer_new(sizeof(struct pcapng_writer), sink, pcapng_write);
    if (base)
        base->finish = pcapng_finish;
    return base;
}
