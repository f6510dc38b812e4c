/* The reader of pcapng files (draft-ietf-opsawg-pcapng): several sections, each with its byte
 * order, and interfaces, each with its link type and clock. */
#include "packet/bytes.h"
#include "packet/meta.h"
#include "packet/decode.h"

#include "pcapngfile.h"
#include "readers.h"

#include <string.h>

/* Blocks longer than this are damage: a packet of the largest size, and its options. */
#define MAX_BLOCK ((uint32_t)(128 << 20) + 65536)

struct interface {
    uint32_t dlt;
    uint32_t snaplen;
    bool binary; /* the clock ticks 2 to the exponent a second, else 10 */
    uint8_t exponent;
    bool has_fcs;   /* captured with each packet */
    uint8_t fcs;    /* its bytes */
    int64_t offset; /* seconds added to its times */
    uint64_t drops; /* as the last statistics block says */
};

struct pcapng_source {
    struct source base;
    bool big_endian;
    bool opened;                  /* a section header was read */
    struct interface *interfaces; /* owned */
    uint32_t interface_count;
    uint32_t interface_room;
    bool wants_room; /* an interface block waits for room: fill() makes it */
    uint64_t skip;   /* bytes of an uninteresting block that are still to pass */
};

/* --- Options --------------------------------------------------------------------------------- */

/* The value of an option in len bytes of options, NULL where it is absent or shorter than least. */
static const uint8_t *find_option(const struct pcapng_source *self, const uint8_t *options,
                                  uint32_t len, uint32_t code, uint32_t least)
{
    uint32_t at = 0;
    while (at + 4 <= len) {
        uint32_t found = load16(self->big_endian, options + at);
        uint32_t size = load16(self->big_endian, options + at + 2);
        if (found == OPTION_END || size > len - at - 4)
            return NULL;
        if (found == code && size >= least)
            return options + at + 4;
        at += 4 + ((size + 3) & ~3U);
    }
    return NULL;
}

/* --- Blocks that say something of the packets ------------------------------------------------ */

/* A section of another version may hold what can't be read (section 4.1 of the draft); 1.2 is what
 * some programs write for 1.0. */
static enum source_result read_section(struct pcapng_source *self, const uint8_t *body,
                                       uint32_t len)
{
    if (len < 16)
        return source_fail(&self->base, "a section header of %u bytes is too short", len);
    uint32_t major = load16(self->big_endian, body + 4);
    uint32_t minor = load16(self->big_endian, body + 6);
    if (major != 1 || (minor != 0 && minor != 2))
        return source_fail(&self->base, "pcapng of version %u.%u, which is not known", major,
                           minor);
    self->opened = true;
    self->interface_count = 0; /* their drops stay counted */
    return SOURCE_RECORD;
}

/* The option if_fcslen counts bits in the draft's words and bytes in its example, which is what
 * programs write. */
static uint8_t fcs_bytes(uint8_t length)
{
    enum { MOST_BYTES = 8 };

    return length > MOST_BYTES ? length / 8 : length;
}

static enum source_result read_interface(struct pcapng_source *self, const uint8_t *body,
                                         uint32_t len)
{
    if (len < 8)
        return source_fail(&self->base, "an interface block of %u bytes is too short", len);
    if (self->interface_count == self->interface_room) {
        self->base.input.at -= BLOCK_HEADER + len + BLOCK_TRAILER; /* it is read again */
        self->wants_room = true;
        return SOURCE_MORE;
    }
    struct interface *interface = &self->interfaces[self->interface_count++];
    *interface = (struct interface){.dlt = load16(self->big_endian, body),
                                    .snaplen = load32(self->big_endian, body + 4),
                                    .exponent = 6};
    const uint8_t *resolution = find_option(self, body + 8, len - 8, IF_TSRESOL, 1);
    if (resolution) {
        interface->binary = *resolution & 0x80;
        interface->exponent = *resolution & 0x7f;
    }
    const uint8_t *fcs = find_option(self, body + 8, len - 8, IF_FCSLEN, 1);
    if (fcs) {
        interface->has_fcs = true;
        interface->fcs = fcs_bytes(*fcs);
    }
    const uint8_t *offset = find_option(self, body + 8, len - 8, IF_TSOFFSET, 8);
    if (offset)
        interface->offset = (int64_t)load64(self->big_endian, offset);
    return SOURCE_RECORD;
}

static enum source_result read_statistics(struct pcapng_source *self, const uint8_t *body,
                                          uint32_t len)
{
    if (len < 12 || load32(self->big_endian, body) >= self->interface_count)
        return SOURCE_RECORD; /* of no interface: nothing to add to, and no packet is lost */
    const uint8_t *dropped = find_option(self, body + 12, len - 12, ISB_IFDROP, 8);
    const uint8_t *by_system = find_option(self, body + 12, len - 12, ISB_OSDROP, 8);
    struct interface *interface = &self->interfaces[load32(self->big_endian, body)];
    uint64_t drops = (dropped ? load64(self->big_endian, dropped) : 0) +
                     (by_system ? load64(self->big_endian, by_system) : 0);
    self->base.drops += drops - interface->drops; /* modulo 2**64: it may count down */
    interface->drops = drops;
    return SOURCE_RECORD;
}

/* --- Packets --------------------------------------------------------------------------------- */

enum { NANO = 1000000000 };

/* A fraction of a second, of so many bits, in nanoseconds (rounded down). */
static uint64_t nanoseconds_of(uint64_t fraction, unsigned bits)
{
    if (bits < 32)
        return fraction * NANO >> bits;
    /* the product by halves, without the lowest 32 of its bits */
    uint64_t product = (fraction >> 32) * NANO + ((fraction & UINT32_MAX) * NANO >> 32);
    return bits < 32 + 64 ? product >> (bits - 32) : 0;
}

/* Ticks of an interface's clock since the epoch, as seconds and nanoseconds (rounded down). */
static void set_time(struct plt_meta *meta, const struct interface *interface, uint64_t ticks)
{
    uint64_t nanoseconds = 0;
    uint64_t seconds = 0;
    if (interface->binary) {
        unsigned bits = interface->exponent;
        seconds = bits < 64 ? ticks >> bits : 0;
        uint64_t fraction = bits < 64 ? ticks & ((1ULL << bits) - 1) : ticks;
        nanoseconds = nanoseconds_of(fraction, bits);
    } else {
        uint64_t per_second = 1;
        uint64_t below = 1;
        for (unsigned i = 0; i < interface->exponent && i < 19; i++)
            per_second *= 10;
        for (unsigned i = 19; i < interface->exponent && i < 39; i++)
            below = below < UINT64_MAX / 10 ? below * 10 : UINT64_MAX;
        ticks /= below; /* a clock finer than 10**-19 s */
        seconds = ticks / per_second;
        uint64_t fraction = ticks % per_second; /* both are powers of 10 */
        nanoseconds =
            per_second < NANO ? fraction * (NANO / per_second) : fraction / (per_second / NANO);
    }
    uint64_t sum = seconds + (uint64_t)interface->offset; /* modulo 2**64: both may be nonsense */
    meta->sec = (int64_t)sum;
    meta->nsec = (uint32_t)nanoseconds;
}

/* A packet of len captured bytes whose block says that they end at `limit` at the latest. */
static enum source_result set_packet(struct pcapng_source *self, struct plt_record *record,
                                     uint32_t interface_id, const uint8_t *data, uint32_t len,
                                     uint32_t limit, uint32_t wire_len)
{
    if (interface_id >= self->interface_count)
        return source_fail(&self->base, "its block names interface %u of %u", interface_id,
                           self->interface_count);
    if (len > limit)
        return source_fail(&self->base, "its block claims %u captured bytes and holds %u", len,
                           limit);
    const struct interface *interface = &self->interfaces[interface_id];
    record->data = data;
    record->len = len;
    record->meta =
        (struct plt_meta){.capture_len = len,
                          .dlt = interface->dlt,
                          .linktype = PLT_LINKTYPE_OF_DLT,
                          .fine_clock = interface->exponent > (interface->binary ? 20 : 6),
                          .direction = -1,
                          .fcs = interface->fcs,
                          .fcs_counted = interface->has_fcs,
                          .snaplen = interface->snaplen};
    meta_set_wire_len(&record->meta, data, len, wire_len);
    return SOURCE_RECORD;
}

/* What a packet's flags say of its FCS, in place of the interface (section 4.3.1 of the draft).
 * Their direction is not taken: python-libtrace 1.7 tells that of the link layer's header. */
static void read_flags(const struct pcapng_source *self, struct plt_record *record,
                       const uint8_t *options, uint32_t len, uint32_t wire_len)
{
    const uint8_t *option = find_option(self, options, len, EPB_FLAGS, 4);
    if (!option)
        return;
    struct plt_meta *meta = &record->meta;
    uint8_t fcs = load32(self->big_endian, option) >> FLAGS_FCS_SHIFT & FLAGS_FCS;
    if (fcs == 0)
        return;
    meta->fcs = fcs;
    meta->fcs_counted = true;
    meta_set_wire_len(meta, record->data, record->len, wire_len);
}

/* The first comment among a block's options.  A NUL ends it: some writers count one. */
static void find_comment(const struct pcapng_source *self, struct plt_record *record,
                         const uint8_t *options, uint32_t len)
{
    const uint8_t *comment = find_option(self, options, len, OPTION_COMMENT, 0);
    if (!comment)
        return;
    record->comment = (const char *)comment;
    record->comment_len = load16(self->big_endian, comment - 2);
    const uint8_t *nul = memchr(comment, 0, record->comment_len);
    if (nul)
        record->comment_len = (uint32_t)(nul - comment);
}

/* Enhanced and obsolete packet blocks differ in how they name the interface. */
static enum source_result read_packet(struct pcapng_source *self, uint32_t interface_id,
                                      const uint8_t *body, uint32_t body_len,
                                      struct plt_record *record)
{
    enum { FIELDS = 20 };
    if (body_len < FIELDS)
        return source_fail(&self->base, "a packet block of %u bytes is too short", body_len);
    uint32_t len = load32(self->big_endian, body + 12);
    uint32_t wire_len = load32(self->big_endian, body + 16);
    enum source_result result =
        set_packet(self, record, interface_id, body + FIELDS, len, body_len - FIELDS, wire_len);
    if (result != SOURCE_RECORD)
        return result;
    uint64_t ticks =
        (uint64_t)load32(self->big_endian, body + 4) << 32 | load32(self->big_endian, body + 8);
    set_time(&record->meta, &self->interfaces[interface_id], ticks);
    uint32_t options = FIELDS + ((len + 3) & ~3U); /* len is below MAX_BLOCK */
    if (options < body_len) {
        read_flags(self, record, body + options, body_len - options, wire_len);
        find_comment(self, record, body + options, body_len - options);
    }
    return SOURCE_RECORD;
}

/* A simple packet block has no time; its packet is the first interface's, cut to its snap length.
 */
static enum source_result read_simple(struct pcapng_source *self, const uint8_t *body,
                                      uint32_t body_len, struct plt_record *record)
{
    if (body_len < 4)
        return source_fail(&self->base, "a simple packet block of %u bytes is too short", body_len);
    uint32_t wire_len = load32(self->big_endian, body);
    uint32_t len = wire_len;
    if (self->interface_count > 0 && self->interfaces[0].snaplen > 0 &&
        len > self->interfaces[0].snaplen)
        len = self->interfaces[0].snaplen;
    if (len > body_len - 4)
        len = body_len - 4;
    enum source_result result = set_packet(self, record, 0, body + 4, len, body_len - 4, wire_len);
    record->meta.is_untimed = true;
    return result;
}

/* --- The file -------------------------------------------------------------------------------- */

static bool is_wanted(uint32_t type)
{
    switch (type) {
    case BLOCK_SECTION:
    case BLOCK_INTERFACE:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE:
    case BLOCK_STATISTICS:
    case BLOCK_ENHANCED:
        return true;
    default:
        return false;
    }
}

/* Pass the rest of a block that says nothing of packets, without having it all in memory. */
static enum source_result pass(struct pcapng_source *self)
{
    struct input *input = &self->base.input;
    while (self->skip > 0) {
        enum source_result result = SOURCE_MORE;
        if (!input_need(&self->base, 1, "a block", &result))
            return result == SOURCE_END
                       ? source_fail(&self->base, "the trace is cut within a block")
                       : result;
        uint64_t have = input->end - input->at;
        uint64_t step = have < self->skip ? have : self->skip;
        input->at += (size_t)step;
        self->skip -= step;
    }
    return SOURCE_RECORD;
}

/* The byte order of a section is known from its first 12 bytes only. */
static enum source_result set_byte_order(struct pcapng_source *self)
{
    enum source_result result = SOURCE_RECORD;
    const uint8_t *start = input_need(&self->base, 12, "a section header", &result);
    if (!start)
        return result;
    if (load_le32(start + 8) == PCAPNG_MAGIC)
        self->big_endian = false;
    else if (load_be32(start + 8) == PCAPNG_MAGIC)
        self->big_endian = true;
    else
        return source_fail(&self->base, "a section header without its byte-order magic");
    return SOURCE_RECORD;
}

/* The next block as a whole: its type, body and the body's length. */
static enum source_result next_block(struct pcapng_source *self, uint32_t *type,
                                     const uint8_t **body, uint32_t *body_len)
{
    struct source *base = &self->base;
    enum source_result result = pass(self);
    if (result != SOURCE_RECORD)
        return result;
    const uint8_t *start = input_need(base, BLOCK_HEADER, "a block header", &result);
    if (!start)
        return result == SOURCE_END && !self->opened ? source_fail(base, "the file is empty")
                                                     : result;
    if (load_le32(start) == BLOCK_SECTION) {
        result = set_byte_order(self);
        if (result != SOURCE_RECORD)
            return result;
    } else if (!self->opened) {
        return source_fail(base, "not a pcapng file: it does not begin with a section header");
    }
    start = base->input.buffer + base->input.at;
    *type = load32(self->big_endian, start);
    uint32_t len = load32(self->big_endian, start + 4);
    if (len < BLOCK_HEADER + BLOCK_TRAILER || len % 4 != 0)
        return source_fail(base, "a block of type %u claims a length of %u bytes", *type, len);
    if (!is_wanted(*type)) {
        self->skip = len;
        *body_len = 0;
        return SOURCE_RECORD;
    }
    if (len > MAX_BLOCK)
        return source_fail(base, "a block of type %u claims a length of %u bytes", *type, len);
    start = input_need(base, len, "a block", &result);
    if (!start)
        return result;
    uint32_t trailer = load32(self->big_endian, start + len - BLOCK_TRAILER);
    if (trailer != len)
        return source_fail(base, "a block's length is %u bytes before it and %u after it", len,
                           trailer);
    base->input.at += len;
    *body = start + BLOCK_HEADER;
    *body_len = len - BLOCK_HEADER - BLOCK_TRAILER;
    return SOURCE_RECORD;
}

static enum source_result pcapng_next(struct source *base, struct plt_record *record)
{
    struct pcapng_source *self = (struct pcapng_source *)base;
    for (;;) {
        uint32_t type = 0;
        uint32_t len = 0;
        const uint8_t *body = NULL;
        bool packet = true;
        enum source_result result = next_block(self, &type, &body, &len);
        if (result != SOURCE_RECORD)
            return result;
        switch (type) {
        case BLOCK_ENHANCED:
            result =
                read_packet(self, len >= 4 ? load32(self->big_endian, body) : 0, body, len, record);
            break;
        case BLOCK_PACKET:
            result =
                read_packet(self, len >= 4 ? load16(self->big_endian, body) : 0, body, len, record);
            break;
        case BLOCK_SIMPLE:
            result = read_simple(self, body, len, record);
            break;
        case BLOCK_SECTION:
            packet = false;
            result = read_section(self, body, len);
            break;
        case BLOCK_INTERFACE:
            packet = false;
            result = read_interface(self, body, len);
            break;
        case BLOCK_STATISTICS:
            packet = false;
            result = read_statistics(self, body, len);
            break;
        default:
            packet = false;
        }
        if (result != SOURCE_RECORD)
            return result;
        if (packet) {
            base->count++;
            return SOURCE_RECORD;
        }
    }
}

/* Make room for interfaces: here, where a MemoryError can be raised, and the block waits for the
 * next call. */
static int pcapng_fill(struct source *base)
{
    struct pcapng_source *self = (struct pcapng_source *)base;
    if (!self->wants_room)
        return input_fill(base);
    uint32_t room = self->interface_room ? self->interface_room * 2 : 4;
    struct interface *more = PyMem_Realloc(self->interfaces, room * sizeof(*more));
    if (!more) {
        PyErr_NoMemory();
        return -1;
    }
    self->interfaces = more;
    self->interface_room = room;
    self->wants_room = false;
    return 0;
}

static void pcapng_destroy(struct source *base)
{
    struct pcapng_source *self = (struct pcapng_source *)base;
    PyMem_Free(self->interfaces);
    input_clear(&base->input);
    PyMem_Free(self);
}

struct source *pcapng_source_new(void)
{
    struct source *self = file_source_new(sizeof(struct pcapng_source), pcapng_next);
    if (!self)
        return NULL;
    self->mixed = true;
    self->fill = pcapng_fill;
    self->destroy = pcapng_destroy;
    return self;
}

bool pcapng_recognise(const uint8_t *head, size_t len)
{
    return len >= 4 && load_le32(head) == BLOCK_SECTION; /* the same in both byte orders */
}
