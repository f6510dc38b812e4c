/* The reader of pcap files (draft-ietf-opsawg-pcap) of either byte order, with micro- or
 * nanoseconds, and of the variants that libpcap or Wireshark read. */
#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/decode.h"

#include "pcapfile.h"
#include "readers.h"

/* The order of a packet's two lengths.  Before version 2.3, and on DG/UX, the wire length came
 * first.  It does in some files of version 2.3 too, which libpcap and Wireshark know by packets
 * that are longer than they were on the wire. */
enum length_order { CAPTURED_FIRST, WIRE_FIRST, SMALLER_FIRST };

struct pcap_source {
    struct source base;
    bool opened; /* the file header was read */
    bool big_endian;
    enum length_order order; /* in a packet's header */
    uint32_t header;         /* size of a packet's */
    uint32_t padding;        /* bytes before each packet, which its lengths count */
    uint32_t nanoseconds;    /* of the clock's second field: 1 or 1000 */
    struct plt_meta meta;    /* what all packets have in common */
    bool even_fcs;           /* each has as much of an FCS that its length field does not count */
    uint8_t uncounted_fcs;
};

/* --- Variants -------------------------------------------------------------------------------- */

enum { NOKIA_HEADER = 20, KUZNETZOV_HEADER = 24, KUZNETZOV_FIRST_HEADER = 28, IXIA_EXTRA = 4 };

/* The magic numbers, and under each the sizes that a packet's header may have, ending with 0: the
 * usual one first. */
static const struct variant {
    uint32_t magic;
    uint32_t nanoseconds; /* of the clock's second field */
    uint32_t extra;       /* bytes after the file header */
    uint32_t headers[4];
} variants[] = {
    {PCAP_MICRO, 1000, 0, {PCAP_PACKET_HEADER, KUZNETZOV_HEADER, NOKIA_HEADER}},
    {PCAP_NANO, 1, 0, {PCAP_PACKET_HEADER}},
    {PCAP_MODIFIED, 1000, 0, {KUZNETZOV_HEADER, KUZNETZOV_FIRST_HEADER}},
    {PCAP_IXIA_NANO, 1, IXIA_EXTRA, {PCAP_PACKET_HEADER}},
    {PCAP_IXIA_MICRO, 1000, IXIA_EXTRA, {PCAP_PACKET_HEADER}},
};

/* The variant of a file that begins with 4 bytes, NULL where it is no pcap file. */
static const struct variant *variant_of(const uint8_t *bytes, bool *big_endian)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(variants); i++) {
        *big_endian = load_be32(bytes) == variants[i].magic;
        if (*big_endian || load_le32(bytes) == variants[i].magic)
            return &variants[i];
    }
    return NULL;
}

bool pcap_recognise(const uint8_t *head, size_t len)
{
    bool big_endian = false;
    return len >= 4 && variant_of(head, &big_endian);
}

/* --- Packet headers of other sizes ----------------------------------------------------------- */

/* How headers of a size fit the bytes read so far. */
struct fit {
    bool whole;  /* all that is there are packets, the last of which may be cut */
    int packets; /* in a row; one cut after its header, or the end where the bytes end, is one */
};

/* Whether a packet's header, or what is there of it, has a time near the first packet's. */
static bool is_near(const struct pcap_source *self, const uint8_t *bytes, size_t len, size_t at)
{
    static const uint32_t day = 86400;
    uint32_t since =
        len - at < 4 ? 0 : load32(self->big_endian, bytes + at) - load32(self->big_endian, bytes);
    return since + day <= 2 * day;
}

static struct fit header_fit(const struct pcap_source *self, const uint8_t *bytes, size_t len,
                             uint32_t header)
{
    enum { LOOK_AT = 8, MAX_LENGTH = 262144, MICROSECONDS = 1000000 };

    size_t at = 0;
    int i = 0;
    for (; i < LOOK_AT && len - at >= PCAP_PACKET_HEADER; i++) {
        uint32_t captured = load32(self->big_endian, bytes + at + 8);
        if (captured > MAX_LENGTH || captured > load32(self->big_endian, bytes + at + 12) ||
            load32(self->big_endian, bytes + at + 4) >= MICROSECONDS)
            return (struct fit){.whole = false, .packets = i};
        if (len - at < header || len - at - header < captured) /* a packet that is still to come */
            return (struct fit){.whole = i > 0, .packets = i + is_near(self, bytes, len, at)};
        at += header + captured;
    }
    if (len - at == 0 || len - at >= PCAP_PACKET_HEADER)
        return (struct fit){.whole = true, .packets = i + (len - at == 0)};
    /* too few bytes for a header are no packet: they may be none of the trace's */
    return (struct fit){.whole = is_near(self, bytes, len, at), .packets = i};
}

/* The size of a packet's header: the usual one, unless another fits all that was read, and more
 * packets in a row than that one. */
static uint32_t choose_header(const struct pcap_source *self, const uint32_t *sizes)
{
    const struct input *input = &self->base.input;
    const uint8_t *bytes = input->buffer + input->at;
    size_t len = input->end - input->at;
    if (len < PCAP_PACKET_HEADER)
        return sizes[0];
    struct fit usual = header_fit(self, bytes, len, sizes[0]);
    for (const uint32_t *size = sizes + 1; !usual.whole && *size; size++) {
        struct fit other = header_fit(self, bytes, len, *size);
        if (other.whole && other.packets > usual.packets)
            return *size;
    }
    return sizes[0];
}

/* The link type in a file's network field.  Those above 16 bits are not assigned, and have another
 * meaning in linktypes.h. */
static uint32_t linktype_of_network(uint32_t network)
{
    uint32_t linktype = network & PCAP_LINKTYPE_MASK;
    return linktype <= UINT16_MAX ? linktype : LINKTYPE_UNDECODED;
}

/* --- AIX ------------------------------------------------------------------------------------- */

/* The interfaces of AIX, by the numbers of RFC 1573 (ifType) that its tcpdump puts in the place of
 * the link type. */
static const struct aix_interface {
    uint32_t type;
    uint32_t linktype;
    uint32_t padding;
} aix_interfaces[] = {
    {6, LINKTYPE_ETHERNET, 0},
    {9, LINKTYPE_IEEE802_5, 0},
    {15, LINKTYPE_FDDI, 3},
    {24, LINKTYPE_NULL, 0},
};

/* Read the rest of the files of AIX as Wireshark does: they are of version 2.2, and have
 * nanoseconds.  Other programs wrote that version too, but those link types seldom. */
static void read_aix(struct pcap_source *self, uint32_t network)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(aix_interfaces); i++)
        if (network == aix_interfaces[i].type) {
            self->meta.dlt = aix_interfaces[i].linktype;
            self->meta.fine_clock = true;
            self->nanoseconds = 1;
            self->padding = aix_interfaces[i].padding;
        }
}

/* Take the padding from a record that has some. */
static void strip_padding(const struct pcap_source *self, struct plt_record *record)
{
    uint32_t padding = self->padding < record->len ? self->padding : record->len;
    record->data += padding;
    record->len -= padding;
    record->meta.capture_len = record->len;
    record->meta.wire_len -= padding < record->meta.wire_len ? padding : record->meta.wire_len;
}

/* --- The file -------------------------------------------------------------------------------- */

static enum length_order order_of_version(uint32_t major, uint32_t minor)
{
    if (major == DGUX_MAJOR || minor < 3)
        return WIRE_FIRST;
    return minor == 3 ? SMALLER_FIRST : CAPTURED_FIRST;
}

static enum source_result open_file(struct pcap_source *self)
{
    enum source_result result = SOURCE_END;
    const uint8_t *header = input_need(&self->base, PCAP_FILE_HEADER, "its file header", &result);
    if (!header)
        return result == SOURCE_END ? source_fail(&self->base, "the file is empty") : result;
    const struct variant *variant = variant_of(header, &self->big_endian);
    if (!variant)
        return source_fail(&self->base, "not a pcap file: it begins with %02x %02x %02x %02x",
                           header[0], header[1], header[2], header[3]);
    self->nanoseconds = variant->nanoseconds;
    uint32_t major = load16(self->big_endian, header + 4);
    uint32_t minor = load16(self->big_endian, header + 6);
    bool of_dgux = major == DGUX_MAJOR && minor == 0; /* tcpdump's files there */
    if (major != PCAP_MAJOR && !of_dgux) /* packets may be laid out otherwise (section 4) */
        return source_fail(&self->base, "pcap of version %u.%u, which is not known", major, minor);
    self->order = order_of_version(major, minor);
    uint32_t network = load32(self->big_endian, header + 20);
    bool has_fcs = network & PCAP_HAS_FCS; /* captured with each packet */
    self->meta = (struct plt_meta){.dlt = linktype_of_network(network),
                                   .linktype = PLT_LINKTYPE_OF_DLT,
                                   .direction = -1,
                                   .fine_clock = self->nanoseconds == 1,
                                   .fcs = has_fcs ? (uint8_t)((network >> PCAP_FCS_SHIFT) * 2) : 0,
                                   .fcs_counted = has_fcs,
                                   .snaplen = load32(self->big_endian, header + 16)};
    if (variant->magic == PCAP_MICRO && major == PCAP_MAJOR && minor == AIX_MINOR)
        read_aix(self, network);
    self->even_fcs = meta_even_fcs(&self->meta, &self->uncounted_fcs);
    size_t file_header = PCAP_FILE_HEADER + variant->extra;
    if (!input_need(&self->base, file_header, "its file header", &result))
        return result;
    self->base.input.at += file_header;
    /* the longer headers came with version 2.4 */
    bool may_be_longer = minor == 4 || variant->magic == PCAP_MODIFIED;
    self->header = may_be_longer ? choose_header(self, variant->headers) : variant->headers[0];
    self->opened = true;
    return SOURCE_RECORD;
}

struct lengths {
    uint32_t captured;
    uint32_t wire;
};

static inline struct lengths read_lengths(bool big_endian, enum length_order order,
                                          const uint8_t *header)
{
    uint32_t first = load32(big_endian, header + 8);
    uint32_t second = load32(big_endian, header + 12);
    if (order == WIRE_FIRST || (order == SMALLER_FIRST && first > second))
        return (struct lengths){.captured = second, .wire = first};
    return (struct lengths){.captured = first, .wire = second};
}

/* The record of a packet whose header and bytes are in memory. */
static inline void take_record(const struct pcap_source *self, bool big_endian,
                               const uint8_t *header, struct lengths lengths,
                               struct plt_record *record)
{
    enum { SECOND = 1000000000 };
    uint32_t sec = load32(big_endian, header);
    uint64_t nsec = (uint64_t)load32(big_endian, header + 4) * self->nanoseconds;
    record->data = header + self->header;
    record->len = lengths.captured;
    record->meta = self->meta;
    record->meta.sec = sec;
    record->meta.nsec = (uint32_t)nsec;
    if (nsec >= SECOND) { /* damage too slight to lose the packet */
        record->meta.sec += (int64_t)(nsec / SECOND);
        record->meta.nsec = (uint32_t)(nsec % SECOND);
    }
    record->meta.capture_len = lengths.captured;
    if (self->even_fcs)
        record->meta.wire_len = (uint64_t)lengths.wire + self->uncounted_fcs;
    else
        meta_set_wire_len(&record->meta, record->data, lengths.captured, lengths.wire);
}

static inline size_t take_records(struct pcap_source *self, bool big_endian,
                                  enum length_order order, struct plt_record *records, size_t most)
{
    const uint8_t *at = self->base.input.buffer + self->base.input.at;
    const uint8_t *end = self->base.input.buffer + self->base.input.end;
    const uint8_t *limit = self->base.input.buffer + input_limit(&self->base.input);
    size_t count = 0;
    for (; count < most && at < limit && (size_t)(end - at) >= self->header; count++) {
        struct lengths lengths = read_lengths(big_endian, order, at);
        if (lengths.captured > MAX_CAPTURE_LENGTH ||
            (size_t)(end - at) - self->header < lengths.captured)
            break;
        take_record(self, big_endian, at, lengths, &records[count]);
        if (order == WIRE_FIRST)
            strip_padding(self, &records[count]);
        records[count].layers = NULL;
        at += self->header + lengths.captured;
    }
    self->base.input.at = (size_t)(at - self->base.input.buffer);
    self->base.count += count;
    return count;
}

static size_t pcap_next_block(struct source *base, struct plt_record *records, size_t most)
{
    struct pcap_source *self = (struct pcap_source *)base;
    if (!self->opened)
        return 0;
    if (self->big_endian || self->order != CAPTURED_FIRST)
        return take_records(self, self->big_endian, self->order, records, most);
    return take_records(self, false, CAPTURED_FIRST, records, most); /* what most files are */
}

static enum source_result pcap_next(struct source *base, struct plt_record *record)
{
    struct pcap_source *self = (struct pcap_source *)base;
    enum source_result result = SOURCE_RECORD;
    if (!self->opened && (result = open_file(self)) != SOURCE_RECORD)
        return result;
    if (input_is_past(&base->input))
        return SOURCE_END;
    const uint8_t *header = input_need(base, self->header, "a packet header", &result);
    if (!header)
        return result;
    struct lengths lengths = read_lengths(self->big_endian, self->order, header);
    if (lengths.captured > MAX_CAPTURE_LENGTH)
        return source_fail(base, "its header claims a capture length of %u bytes",
                           lengths.captured);
    header = input_need(base, (size_t)self->header + lengths.captured, "a packet", &result);
    if (!header)
        return result;
    take_record(self, self->big_endian, header, lengths, record);
    strip_padding(self, record);
    base->input.at += self->header + lengths.captured;
    base->count++;
    return SOURCE_RECORD;
}

struct source *pcap_source_new(void)
{
    struct source *self = file_source_new(sizeof(struct pcap_source), pcap_next);
    if (self)
        self->next_block = pcap_next_block;
    return self;
}
