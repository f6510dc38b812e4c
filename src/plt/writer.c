/* Writers of trace files: packets into records of a format.  Here are pcap's
 * (draft-ietf-opsawg-pcap): of any link type, packets of any size, and nanoseconds where the first
 * packet's clock has them. */
#include "writer.h"

#include "frame.h"

#include <string.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16, SNAP_LENGTH = 262144 };

enum { MAGIC_MICRO = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d };

#define LINKTYPE_MASK ((uint32_t)0x03ffffff)

struct writer {
    struct sink *sink; /* owned */
    enum trace_format format;
    bool started; /* the file header is there, or needs not to be */
    bool swapped; /* the file that is appended to is of the other byte order */
    bool nanoseconds;
    uint32_t dlt;
    uint32_t fcs_bits; /* of the network field: the FCS that each packet has */
};

static uint32_t ordered(const struct writer *self, uint32_t value)
{
    return self->swapped ? __builtin_bswap32(value) : value;
}

/* Take over the header of a pcap file that is appended to; 0, or -1 with OSError. */
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

struct writer *writer_new(enum trace_format format, struct sink *sink, const uint8_t *header,
                          Py_ssize_t header_len)
{
    struct writer *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        goto error;
    }
    self->sink = sink;
    self->format = format;
    self->started = format != FORMAT_PCAP;
    if (!self->started && header_len >= FILE_HEADER && read_header(self, header) < 0)
        goto error;
    return self;
error:
    PyMem_Free(self);
    sink_close(sink);
    return NULL;
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
    uint8_t *record = sink_record(self->sink, FILE_HEADER);
    if (!record)
        return -1;
    self->nanoseconds = meta->fine_clock;
    self->dlt = meta->dlt;
    self->started = true;
    header[0] = self->nanoseconds ? MAGIC_NANO : MAGIC_MICRO;
    memcpy(&header[1], version, sizeof(version));
    header[4] = SNAP_LENGTH;
    self->fcs_bits = fcs_bits(meta);
    header[5] = meta->dlt | self->fcs_bits;
    memcpy(record, header, FILE_HEADER);
    return 0;
}

static int pcap_write(struct writer *self, const struct frame *frame)
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
    uint8_t *record = sink_record(self->sink, PACKET_HEADER + (size_t)frame->len);
    if (!record)
        return -1;
    memcpy(record, header, PACKET_HEADER);
    memcpy(record + PACKET_HEADER, frame->data, frame->len);
    return 0;
}

int writer_write(struct writer *self, const struct frame *frame)
{
    return self->format == FORMAT_ERF ? erf_write(self->sink, frame) : pcap_write(self, frame);
}

bool writer_failed(const struct writer *self)
{
    return sink_failed(self->sink);
}

int writer_close(struct writer *self)
{
    struct plt_meta ethernet = {.dlt = LINKTYPE_ETHERNET};
    int failed = !self->started && write_header(self, &ethernet) < 0; /* a trace of no packets */
    failed = sink_close(self->sink) < 0 || failed;
    PyMem_Free(self);
    return failed ? -1 : 0;
}
