/* A writer of pcap files (draft-ietf-opsawg-pcap): of any link type, packets of any size, and
 * nanoseconds where the first packet's clock has them, none of which libtrace 3 writes. */
#include "plt.h"

#include <string.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16, SNAP_LENGTH = 262144, BUFFER_SIZE = 1 << 16 };

enum { MAGIC_MICRO = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d };

#define LINKTYPE_MASK ((uint32_t)0x03ffffff)

struct writer {
    PyObject *stream; /* owned */
    bool started;     /* the file header is there */
    bool swapped;     /* the file that is appended to is of the other byte order */
    bool nanoseconds;
    uint32_t dlt;
    uint32_t fcs_bits; /* of the network field: the FCS that each packet has */
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

static uint32_t ordered(const struct writer *self, uint32_t value)
{
    return self->swapped ? __builtin_bswap32(value) : value;
}

/* Take over the header of a file that is appended to; 0, or -1 with OSError. */
static int read_header(struct writer *self, const uint8_t *header)
{
    uint32_t magic = 0;
    uint32_t dlt = 0;
    memcpy(&magic, header, 4);
    memcpy(&dlt, header + 20, 4);
    self->swapped = magic != MAGIC_MICRO && magic != MAGIC_NANO;
    magic = ordered(self, magic);
    if (magic != MAGIC_MICRO && magic != MAGIC_NANO) {
        PyErr_SetString(PyExc_OSError, "nothing can be appended to a pcap file of this variant");
        return -1;
    }
    self->nanoseconds = magic == MAGIC_NANO;
    self->fcs_bits = ordered(self, dlt) & ~LINKTYPE_MASK;
    self->dlt = ordered(self, dlt) & LINKTYPE_MASK;
    self->started = true;
    return 0;
}

struct writer *writer_new(PyObject *stream, const uint8_t *header, Py_ssize_t header_len)
{
    struct writer *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    if (header_len >= FILE_HEADER && read_header(self, header) < 0) {
        PyMem_Free(self);
        return NULL;
    }
    Py_INCREF(stream);
    self->stream = stream;
    return self;
}

/* Hand bytes to the stream, which may take only some at a time; 0, or -1 with its exception. */
static int write_all(struct writer *self, const uint8_t *data, size_t len)
{
    while (len > 0) {
        /* the stream reads the memory, and does not keep it */
        PyObject *view =
            PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)len, PyBUF_READ);
        PyObject *written = view ? PyObject_CallMethod(self->stream, "write", "O", view) : NULL;
        Py_XDECREF(view);
        if (!written)
            return -1;
        Py_ssize_t count = PyLong_AsSsize_t(written);
        Py_DECREF(written);
        if (count <= 0 || (size_t)count > len) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_OSError, "the file takes no more");
            return -1;
        }
        data += count;
        len -= (size_t)count;
    }
    return 0;
}

static int flush(struct writer *self)
{
    size_t used = self->used;
    self->used = 0;
    return write_all(self, self->buffer, used);
}

static int append(struct writer *self, const void *data, size_t len)
{
    if (self->used + len > BUFFER_SIZE && flush(self) < 0)
        return -1;
    if (len > BUFFER_SIZE)
        return write_all(self, data, len);
    memcpy(self->buffer + self->used, data, len);
    self->used += len;
    return 0;
}

/* What the network field says of a packet's FCS (draft-ietf-opsawg-pcap section 4): that it was
 * captured, and how many 16-bit words it has. */
static uint32_t fcs_bits(const struct plt_meta *meta)
{
    enum { HAS_FCS = 0x04000000, FCS_SHIFT = 28 };

    return meta->fcs_counted ? HAS_FCS | (uint32_t)(meta->fcs / 2U & 0xf) << FCS_SHIFT : 0;
}

static int write_header(struct writer *self, const struct plt_meta *meta)
{
    uint32_t header[FILE_HEADER / 4] = {0};
    uint16_t version[2] = {2, 4};
    self->nanoseconds = meta->fine_clock;
    self->dlt = meta->dlt;
    self->started = true;
    header[0] = self->nanoseconds ? MAGIC_NANO : MAGIC_MICRO;
    memcpy(&header[1], version, sizeof(version));
    header[4] = SNAP_LENGTH;
    self->fcs_bits = fcs_bits(meta);
    header[5] = meta->dlt | self->fcs_bits;
    return append(self, header, sizeof(header));
}

int writer_write(struct writer *self, const struct frame *frame)
{
    const struct plt_meta *meta = &frame->meta;
    if (meta->dlt > UINT16_MAX) {
        PyErr_SetString(PyExc_OSError, "pcap files have no link type for this packet");
        return -1;
    }
    if (!self->started && write_header(self, meta) < 0)
        return -1;
    if (meta->dlt != self->dlt) {
        PyErr_Format(PyExc_OSError,
                     "a packet of link type %u can't go into a pcap file of link type %u",
                     meta->dlt, self->dlt);
        return -1;
    }
    if (meta->sec < 0 || meta->sec > UINT32_MAX) {
        PyErr_SetString(PyExc_OSError, "pcap files have no room for the packet's time");
        return -1;
    }
    if (fcs_bits(meta) != self->fcs_bits) {
        PyErr_SetString(PyExc_OSError, "a pcap file can't hold packets captured with their frame "
                                       "check sequence and others");
        return -1;
    }
    uint64_t extra = plt_wire_extra(frame->data, frame->len, meta);
    uint64_t wire_len = meta->wire_len > extra ? meta->wire_len - extra : 0;
    uint32_t header[PACKET_HEADER / 4] = {
        ordered(self, (uint32_t)meta->sec),
        ordered(self, self->nanoseconds ? meta->nsec : meta->nsec / 1000),
        ordered(self, frame->len),
        ordered(self, wire_len < UINT32_MAX ? (uint32_t)wire_len : UINT32_MAX)};
    if (append(self, header, sizeof(header)) < 0)
        return -1;
    return append(self, frame->data, frame->len);
}

int writer_close(struct writer *self)
{
    struct plt_meta ethernet = {.dlt = LINKTYPE_ETHERNET};
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;
    int failed = !self->started && write_header(self, &ethernet) < 0; /* a trace of no packets */
    failed = failed || flush(self) < 0;
    if (failed)
        PyErr_Fetch(&type, &value, &traceback);
    PyObject *closed = PyObject_CallMethod(self->stream, "close", NULL);
    failed = failed || !closed;
    Py_XDECREF(closed);
    if (type)
        PyErr_Restore(type, value, traceback);
    Py_DECREF(self->stream);
    PyMem_Free(self);
    return failed ? -1 : 0;
}
