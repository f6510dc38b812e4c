/* pcap files (draft-ietf-opsawg-pcap): of either byte order, with micro- or nanoseconds, and the
 * variants that libpcap or Wireshark read. */
#include "packet/bytes.h"
#include "packet/decode.h"

#include "formats.h"

enum {
    MAGIC_MICRO = 0xa1b2c3d4,
    MAGIC_NANO = 0xa1b23c4d,
    MAGIC_MODIFIED = 0xa1b2cd34,  /* Kuznetzov's: 8 or 12 bytes more before each packet */
    MAGIC_IXIA_NANO = 0x1c0001ac, /* Ixia's: 4 bytes more after the file header */
    MAGIC_IXIA_MICRO = 0x1c0001ab
};

enum { FILE_HEADER = 24, IXIA_EXTRA = 4, PACKET_HEADER = 16 };

/* What the network field says besides the link type (draft-ietf-opsawg-pcap section 4): bit 26
 * that an FCS was captured, the highest four how many 16-bit words it has. */
enum { LINKTYPE_MASK = 0x03ffffff, HAS_FCS = 0x04000000, FCS_SHIFT = 28 };

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
    bool has_fcs; /* captured with each packet */
    uint8_t fcs;  /* its bytes */
};

static uint32_t load32(const struct pcap_source *self, const uint8_t *bytes)
{
    return self->big_endian ? load_be32(bytes) : load_le32(bytes);
}

static uint32_t load16(const struct pcap_source *self, const uint8_t *bytes)
{
    return self->big_endian ? load_be16(bytes) : load_le16(bytes);
}

/* --- Variants that only their packets tell -----------------------------------------------------
 */

/* Sizes of packet headers under the usual magic number: everybody's, Kuznetzov's first, Nokia's. */
static const uint32_t usual_headers[] = {PACKET_HEADER, 24, 20, 0};
/* Under Kuznetzov's magic number: the patch of October 1999, that of September. */
static const uint32_t modified_headers[] = {24, 28, 0};

enum fit { FIT_NO, FIT_CUT, FIT_WHOLE };

/* Whether the bytes read so far are packets with headers of a size: FIT_WHOLE where the last ends
 * where the bytes do, or a whole header follows it. */
static enum fit header_fits(const struct pcap_source *self, const uint8_t *bytes, size_t len,
                            uint32_t header)
{
    enum { LOOK_AT = 8, MAX_LENGTH = 262144, MICROSECONDS = 1000000 };
    static const uint32_t day = 86400;

    size_t at = 0;
    for (int i = 0; i < LOOK_AT && len - at >= PACKET_HEADER; i++) {
        uint32_t captured = load32(self, bytes + at + 8);
        if (captured > MAX_LENGTH || captured > load32(self, bytes + at + 12) ||
            load32(self, bytes + at + 4) >= MICROSECONDS)
            return FIT_NO;
        if (len - at < header || len - at - header < captured)
            return i > 0 ? FIT_WHOLE : FIT_CUT; /* a packet that is still to come */
        at += header + captured;
    }
    if (len - at == 0 || len - at >= PACKET_HEADER)
        return FIT_WHOLE;
    /* a header that is cut begins with a time near the first packet's */
    uint32_t since = len - at < 4 ? 0 : load32(self, bytes + at) - load32(self, bytes);
    return since + day <= 2 * day ? FIT_WHOLE : FIT_CUT;
}

/* The size of a packet's header: the first that fits all that was read, the usual one else. */
static uint32_t choose_header(const struct pcap_source *self, const uint32_t *sizes)
{
    const struct input *input = &self->base.input;
    const uint8_t *bytes = input->buffer + input->at;
    size_t len = input->end - input->at;

    if (len >= PACKET_HEADER && header_fits(self, bytes, len, sizes[0]) != FIT_WHOLE) {
        for (const uint32_t *size = sizes + 1; *size; size++)
            if (header_fits(self, bytes, len, *size) == FIT_WHOLE)
                return *size;
    }
    return sizes[0];
}

/* --- The file ----------------------------------------------------------------------------------
 */

static enum source_result open_file(struct pcap_source *self)
{
    enum source_result result = SOURCE_END;
    const uint8_t *header = input_need(&self->base, FILE_HEADER, "its file header", &result);
    if (!header)
        return result == SOURCE_END ? source_fail(&self->base, "the file is empty") : result;
    const uint32_t *sizes = NULL;
    size_t file_header = FILE_HEADER;
    self->big_endian = load_be32(header) >> 16 == 0xa1b2 || load_be32(header) >> 16 == 0x1c00;
    self->header = PACKET_HEADER;
    self->nanoseconds = 1000;
    switch (load32(self, header)) {
    case MAGIC_MICRO:
        sizes = usual_headers;
        break;
    case MAGIC_NANO:
        self->nanoseconds = 1;
        break;
    case MAGIC_MODIFIED:
        sizes = modified_headers;
        break;
    case MAGIC_IXIA_NANO:
        self->nanoseconds = 1;
        file_header += IXIA_EXTRA;
        break;
    case MAGIC_IXIA_MICRO:
        file_header += IXIA_EXTRA;
        break;
    default:
        return source_fail(&self->base, "not a pcap file: it begins with %02x %02x %02x %02x",
                           header[0], header[1], header[2], header[3]);
    }
    uint32_t major = load16(self, header + 4);
    uint32_t minor = load16(self, header + 6);
    self->swapped_lengths = major == 2 && minor < 3;
    uint32_t network = load32(self, header + 20);
    self->dlt = network & LINKTYPE_MASK;
    self->has_fcs = network & HAS_FCS;
    self->fcs = self->has_fcs ? (uint8_t)(network >> FCS_SHIFT) * 2 : 0;
    if (file_header > FILE_HEADER &&
        !input_need(&self->base, file_header, "its file header", &result))
        return result;
    self->base.input.at += file_header;
    if (sizes)
        self->header =
            minor == 4 || sizes == modified_headers ? choose_header(self, sizes) : sizes[0];
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
                                     .fine_clock = self->nanoseconds == 1,
                                     .fcs = self->fcs,
                                     .fcs_counted = self->has_fcs};
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
