/* pcap files (draft-ietf-opsawg-pcap): of either byte order, with micro- or nanoseconds, and the
 * variants that libpcap reads. */
#include "plt.h"

enum {
    MAGIC_MICRO = 0xa1b2c3d4,
    MAGIC_NANO = 0xa1b23c4d,
    MAGIC_MODIFIED = 0xa1b2cd34 /* Kuznetzov's: 8 bytes more before each packet */
};

enum { FILE_HEADER = 24, PACKET_HEADER = 16, MODIFIED_HEADER = 24 };

/* A capture length above this is damage: libpcap's own limit for the largest link types. */
#define MAX_CAPTURE_LENGTH ((uint32_t)128 << 20)

struct pcap_source {
    struct source base;
    bool opened; /* the file header was read */
    bool big_endian;
    bool swapped_lengths; /* before version 2.3 the wire length came first */
    uint32_t header;      /* size of a packet's */
    uint32_t nanoseconds; /* of the clock's second field: 1 or 1000 */
    uint32_t dlt;
};

static uint32_t load32(const struct pcap_source *self, const uint8_t *bytes)
{
    return self->big_endian ? load_be32(bytes) : load_le32(bytes);
}

static uint32_t load16(const struct pcap_source *self, const uint8_t *bytes)
{
    return self->big_endian ? load_be16(bytes) : load_le16(bytes);
}

static enum source_result open_file(struct pcap_source *self)
{
    enum source_result result = SOURCE_END;
    const uint8_t *header = input_need(&self->base, FILE_HEADER, "its file header", &result);
    if (!header)
        return result == SOURCE_END ? source_fail(&self->base, "the file is empty") : result;
    self->big_endian = load_be32(header) >> 16 == 0xa1b2;
    self->header = PACKET_HEADER;
    self->nanoseconds = 1000;
    switch (load32(self, header)) {
    case MAGIC_MICRO:
        break;
    case MAGIC_NANO:
        self->nanoseconds = 1;
        break;
    case MAGIC_MODIFIED:
        self->header = MODIFIED_HEADER;
        break;
    default:
        return source_fail(&self->base, "not a pcap file: it begins with %02x %02x %02x %02x",
                           header[0], header[1], header[2], header[3]);
    }
    uint32_t major = load16(self, header + 4);
    uint32_t minor = load16(self, header + 6);
    self->swapped_lengths = major == 2 && minor < 3;
    self->dlt = load32(self, header + 20) & 0x03ffffff; /* the bits above tell of the FCS */
    self->base.input.at += FILE_HEADER;
    self->opened = true;
    return SOURCE_RECORD;
}

static enum source_result pcap_next(struct source *base, struct plt_record *record)
{
    struct pcap_source *self = (struct pcap_source *)base;
    enum source_result result = SOURCE_RECORD;
    if (!self->opened && (result = open_file(self)) != SOURCE_RECORD)
        return result;
    const uint8_t *header = input_need(base, self->header, "a packet header", &result);
    if (!header)
        return result;
    uint32_t len = load32(self, header + (self->swapped_lengths ? 12 : 8));
    uint32_t wire_len = load32(self, header + (self->swapped_lengths ? 8 : 12));
    if (len > MAX_CAPTURE_LENGTH)
        return source_fail(base, "its header claims a capture length of %u bytes", len);
    if (base->input.end - base->input.at < self->header + len) {
        header = input_need(base, (size_t)self->header + len, "a packet", &result);
        if (!header)
            return result;
    }
    const uint8_t *data = header + self->header;
    /* a clock that overflows its second is damage too slight to lose the packet */
    uint64_t nsec = (uint64_t)load32(self, header + 4) * self->nanoseconds;
    record->data = data;
    record->len = len;
    record->meta = (struct plt_meta){.sec = load32(self, header) + (int64_t)(nsec / 1000000000),
                                     .nsec = (uint32_t)(nsec % 1000000000),
                                     .capture_len = len,
                                     .dlt = self->dlt,
                                     .linktype = PLT_LINKTYPE_OF_DLT,
                                     .direction = -1,
                                     .fine_clock = self->nanoseconds == 1};
    meta_set_wire_len(&record->meta, data, len, wire_len);
    base->input.at += self->header + len;
    base->count++;
    return SOURCE_RECORD;
}

static void pcap_destroy(struct source *base)
{
    input_clear(&base->input);
    PyMem_Free(base);
}

struct source *pcap_source_new(void)
{
    struct pcap_source *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->base.next = pcap_next;
    self->base.fill = input_fill;
    self->base.destroy = pcap_destroy;
    return &self->base;
}
