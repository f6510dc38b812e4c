/* The writer of pcap files (draft-ietf-opsawg-pcap): of any link type, packets of any size, and
 * nanoseconds where the first packet's clock has them. */
#include "writer.h"

#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/decode.h"

#include "frame.h"
#include "pcapfile.h"
#include "sink.h"

#include <string.h>

enum { SNAP_LENGTH = 262144 };

struct pcap_writer {
    struct writer base;
    bool started; /* the file header is there */
    bool swapped; /* the file that is appended to is of the other byte order */
    bool nanoseconds;
    uint32_t dlt;
    uint32_t fcs_words; /* 16-bit words of the FCS that was captured with each packet */
};

static uint32_t ordered(const struct pcap_writer *self, uint32_t value)
{
    return self->swapped ? __builtin_bswap32(value) : value;
}

/* The words of the FCS by a network field (draft-ietf-opsawg-pcap section 4).  One of none,
 * captured with each packet, is the same as none that was captured. */
static uint32_t fcs_words_of(uint32_t network)
{
    return network & PCAP_HAS_FCS ? network >> PCAP_FCS_SHIFT : 0;
}

/* What the network field has of that besides the link type. */
static uint32_t fcs_bits(uint32_t words)
{
    return words ? PCAP_HAS_FCS | words << PCAP_FCS_SHIFT : 0;
}

/* The words of a packet's FCS.  A packet that came in a tunnel has none, and counts none. */
static uint32_t fcs_words(const struct plt_meta *meta)
{
    return meta->fcs_counted ? meta->fcs / 2U & 0xf : 0;
}

/* Take over the header of a pcap file that is appended to; 0, or -1 with OSError. */
static int read_header(struct pcap_writer *self, const uint8_t *header)
{
    uint32_t magic = 0;
    uint32_t dlt = 0;
    uint16_t version[2] = {0};
    memcpy(&magic, header, 4);
    memcpy(version, header + 4, sizeof(version));
    memcpy(&dlt, header + 20, 4);
    self->swapped = magic != PCAP_MICRO && magic != PCAP_NANO;
    magic = ordered(self, magic);
    uint16_t major = self->swapped ? __builtin_bswap16(version[0]) : version[0];
    uint16_t minor = self->swapped ? __builtin_bswap16(version[1]) : version[1];
    /* in older versions, and AIX's, lengths and times are others */
    bool is_current = major == PCAP_MAJOR && minor == PCAP_MINOR;
    if (!is_current || (magic != PCAP_MICRO && magic != PCAP_NANO)) {
        PyErr_SetString(PyExc_OSError, "nothing can be appended to a pcap file of this variant");
        return -1;
    }
    self->nanoseconds = magic == PCAP_NANO;
    self->fcs_words = fcs_words_of(ordered(self, dlt));
    self->dlt = ordered(self, dlt) & PCAP_LINKTYPE_MASK;
    self->started = true;
    return 0;
}

/* The snap length of a file by its first packet: what tcpdump takes for most link types, or that of
 * a trace with larger packets, as of D-Bus.  libpcap cuts packets at it. */
static uint32_t snap_length(const struct plt_meta *meta, uint32_t len)
{
    uint32_t least = len > SNAP_LENGTH ? len : SNAP_LENGTH;
    uint32_t stated = meta->snaplen < MAX_CAPTURE_LENGTH ? meta->snaplen : MAX_CAPTURE_LENGTH;
    return stated > least ? stated : least;
}

static int write_header(struct pcap_writer *self, const struct plt_meta *meta, uint32_t len)
{
    uint32_t header[PCAP_FILE_HEADER / 4] = {0};
    uint16_t version[2] = {PCAP_MAJOR, PCAP_MINOR};
    uint8_t *record = sink_record(self->base.sink, PCAP_FILE_HEADER);
    if (!record)
        return -1;
    self->nanoseconds = meta->fine_clock;
    self->dlt = meta->dlt;
    self->started = true;
    header[0] = self->nanoseconds ? PCAP_NANO : PCAP_MICRO;
    memcpy(&header[1], version, sizeof(version));
    header[4] = snap_length(meta, len);
    self->fcs_words = fcs_words(meta);
    header[5] = meta->dlt | fcs_bits(self->fcs_words);
    memcpy(record, header, PCAP_FILE_HEADER);
    return 0;
}

static int pcap_write(struct writer *base, const struct frame *frame)
{
    struct pcap_writer *self = (struct pcap_writer *)base;
    const struct plt_meta *meta = &frame->meta;
    if (meta->dlt > UINT16_MAX) {
        PyErr_SetString(PyExc_OSError, "pcap files have no link type for this packet");
        return -1;
    }
    if (meta->sec < 0 || meta->sec > UINT32_MAX) {
        PyErr_SetString(PyExc_OSError, "pcap files have no room for the packet's time");
        return -1;
    }
    if (!self->started && write_header(self, meta, frame->len) < 0)
        return -1;
    if (meta->dlt != self->dlt) {
        PyErr_Format(PyExc_OSError,
                     "a packet of link type %u can't go into a pcap file of link type %u; "
                     "a pcapng file holds both",
                     meta->dlt, self->dlt);
        return -1;
    }
    if (fcs_words(meta) != self->fcs_words) {
        PyErr_SetString(PyExc_OSError, "a pcap file can't hold packets captured with their frame "
                                       "check sequence and others; a pcapng file can");
        return -1;
    }
    uint64_t wire_len = meta_length_field(meta, frame->data, frame->len);
    uint32_t header[PCAP_PACKET_HEADER / 4] = {
        ordered(self, (uint32_t)meta->sec),
        ordered(self, self->nanoseconds ? meta->nsec : meta->nsec / 1000),
        ordered(self, frame->len),
        ordered(self, wire_len < UINT32_MAX ? (uint32_t)wire_len : UINT32_MAX)};
    uint8_t *record = sink_record(self->base.sink, PCAP_PACKET_HEADER + (size_t)frame->len);
    if (!record)
        return -1;
    memcpy(record, header, PCAP_PACKET_HEADER);
    memcpy(record + PCAP_PACKET_HEADER, frame->data, frame->len);
    return 0;
}

/* A trace of no packets is a file header: of Ethernet, for it must say something. */
static int pcap_finish(struct writer *base)
{
    struct pcap_writer *self = (struct pcap_writer *)base;
    struct plt_meta ethernet = {.dlt = LINKTYPE_ETHERNET};
    return self->started ? 0 : write_header(self, &ethernet, 0);
}

struct writer *pcap_writer_new(struct sink *sink, const uint8_t *header, size_t header_len)
{
    struct writer *base = writer_new(sizeof(struct pcap_writer), sink, pcap_write);
    if (!base)
        return NULL;
    if (header_len >= PCAP_FILE_HEADER && read_header((struct pcap_writer *)base, header) < 0) {
        sink_close(sink);
        PyMem_Free(base);
        return NULL;
    }
    base->finish = pcap_finish;
    return base;
}
