/* Formats whose records all have one size: TSH, the legacy ERF formats, DUCK. */
#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/protocols.h"

#include "readers.h"

enum { TSH_SIZE = 44, LEGACY_SIZE = 64 };

typedef void read_record(const uint8_t *bytes, struct plt_record *record);

struct fixed_source {
    struct source base;
    uint32_t size;    /* of a record; 0 until the file header has told it */
    uint32_t framing; /* bytes of it before the link layer */
    read_record *read;
};

static struct plt_meta meta_of_erf_time(const uint8_t *bytes)
{
    struct plt_meta meta = {.linktype = PLT_LINKTYPE_OF_DLT, .direction = -1};
    meta_set_erf_time(&meta, load_le64(bytes));
    return meta;
}

/* What the wire had may be less than the record holds: the rest is padding. */
static void clip(struct plt_record *record)
{
    if (record->meta.wire_len < record->len)
        record->len = (uint32_t)record->meta.wire_len;
}

/* NLANR's time sequenced headers: seconds, interface and microseconds, 36 bytes from IP on. */
static void read_tsh(const uint8_t *bytes, struct plt_record *record)
{
    uint32_t usec = load_be32(bytes + 4) & 0xffffff;
    record->meta = (struct plt_meta){.sec = load_be32(bytes) + (int64_t)(usec / 1000000),
                                     .nsec = usec % 1000000 * 1000,
                                     .capture_len = record->len,
                                     .wire_len = load_be16(record->data + 2),
                                     .dlt = LINKTYPE_RAW,
                                     .linktype = LIBTRACE_TYPE_NONE,
                                     .direction = (int8_t)(bytes[4] & 3)};
    clip(record);
}

static void read_legacyatm(const uint8_t *bytes, struct plt_record *record)
{
    record->meta = meta_of_erf_time(bytes);
    record->meta.wire_len = 53; /* a cell */
    record->meta.dlt = LINKTYPE_LEGACY_ATM;
    record->meta.capture_len = LEGACY_SIZE;
}

static void read_legacyeth(const uint8_t *bytes, struct plt_record *record)
{
    record->meta = meta_of_erf_time(bytes);
    record->meta.wire_len = load_le16(bytes + 8) + 4U;
    record->meta.fcs = ETHERNET_FCS;
    record->meta.dlt = LINKTYPE_ETHERNET;
    record->meta.capture_len = LEGACY_SIZE;
    clip(record);
}

static void read_legacypos(const uint8_t *bytes, struct plt_record *record)
{
    record->meta = meta_of_erf_time(bytes);
    record->meta.wire_len = load_be32(bytes + 12);
    record->meta.dlt = LINKTYPE_LEGACY_POS;
    record->meta.capture_len = LEGACY_SIZE;
    clip(record);
}

/* A DAG card's clock statistics: no packets, but records that a trace of them has. */
static void read_duck(const uint8_t *Py_UNUSED(bytes), struct plt_record *record)
{
    record->meta = (struct plt_meta){.capture_len = record->len,
                                     .is_untimed = true,
                                     .dlt = LINKTYPE_DUCK,
                                     .linktype = LIBTRACE_TYPE_DUCK,
                                     .direction = -1};
}

/* The size of DUCK records by their version, which a file of them begins with; 0 for none. */
static uint32_t duck_size(uint32_t version)
{
    switch (version) {
    case 13: /* DAG 2.4 */
        return 112;
    case 14: /* 2.5 */
        return 84;
    case 19: /* 5.0 */
        return 100;
    default:
        return 0;
    }
}

static enum source_result open_duck(struct fixed_source *self)
{
    enum source_result result = SOURCE_END;
    const uint8_t *header = input_need(&self->base, 4, "its file header", &result);
    if (!header)
        return result == SOURCE_END ? source_fail(&self->base, "the file is empty") : result;
    self->size = duck_size(load_le32(header));
    if (self->size == 0)
        return source_fail(&self->base, "not a DUCK file: it begins with version %u",
                           load_le32(header));
    self->base.input.at += 4;
    return SOURCE_RECORD;
}

/* --- Readers --------------------------------------------------------------------------------- */

static enum source_result fixed_next(struct source *base, struct plt_record *record)
{
    struct fixed_source *self = (struct fixed_source *)base;
    enum source_result result = SOURCE_RECORD;
    if (self->size == 0 && (result = open_duck(self)) != SOURCE_RECORD)
        return result;
    const uint8_t *bytes = input_need(base, self->size, "a record", &result);
    if (!bytes)
        return result;
    record->data = bytes + self->framing;
    record->len = self->size - self->framing;
    self->read(bytes, record);
    base->input.at += self->size;
    base->count++;
    return SOURCE_RECORD;
}

static struct source *fixed_source_new(uint32_t size, uint32_t framing, read_record *read)
{
    struct source *base = file_source_new(sizeof(struct fixed_source), fixed_next);
    struct fixed_source *self = (struct fixed_source *)base;
    if (!self)
        return NULL;
    self->size = size;
    self->framing = framing;
    self->read = read;
    return base;
}

struct source *tsh_source_new(void)
{
    return fixed_source_new(TSH_SIZE, 8, read_tsh);
}

struct source *legacyatm_source_new(void)
{
    return fixed_source_new(LEGACY_SIZE, 12, read_legacyatm);
}

struct source *legacyeth_source_new(void)
{
    return fixed_source_new(LEGACY_SIZE, 10, read_legacyeth);
}

struct source *legacypos_source_new(void)
{
    return fixed_source_new(LEGACY_SIZE, 16, read_legacypos);
}

struct source *duck_source_new(void)
{
    return fixed_source_new(0, 0, read_duck);
}

/* --- How they are known: by the values of their first records -------------------------------- */

/* Whether a file begins with whole records of a size, of which the first eight pass a test. */
static bool records_pass(const uint8_t *head, size_t len, size_t size,
                         bool (*test)(const uint8_t *record))
{
    enum { LOOK_AT = 8 };

    size_t count = len / size < LOOK_AT ? len / size : LOOK_AT;
    for (size_t i = 0; i < count; i++)
        if (!test(head + i * size))
            return false;
    return count > 0;
}

/* An IPv4 header after a time. */
static bool is_tsh(const uint8_t *record)
{
    return is_plausible_time(load_be32(record)) && (load_be32(record + 4) & 0xffffff) < 1000000 &&
           record[8] >> 4 == 4 && (record[8] & 15) >= 5;
}

bool tsh_recognise(const uint8_t *head, size_t len)
{
    return records_pass(head, len, TSH_SIZE, is_tsh);
}

static bool has_legacy_time(const uint8_t *record)
{
    return is_plausible_time(load_le32(record + 4));
}

/* An LLC/SNAP header after the cell's. */
static bool is_legacyatm(const uint8_t *record)
{
    return has_legacy_time(record) && load_be32(record + 16) >> 8 == 0xaaaa03;
}

bool legacyatm_recognise(const uint8_t *head, size_t len)
{
    return records_pass(head, len, LEGACY_SIZE, is_legacyatm);
}

/* An Ethernet header of a type that is common. */
static bool is_legacyeth(const uint8_t *record)
{
    enum { LEAST = 20, JUMBO = 9216 };

    uint16_t wire_len = load_le16(record + 8);
    switch (load_be16(record + 22)) {
    case ETHERTYPE_IP:
    case ETHERTYPE_ARP:
    case ETHERTYPE_IP6:
    case ETHERTYPE_VLAN:
        return has_legacy_time(record) && wire_len > LEAST && wire_len < JUMBO;
    default:
        return false;
    }
}

bool legacyeth_recognise(const uint8_t *head, size_t len)
{
    return records_pass(head, len, LEGACY_SIZE, is_legacyeth);
}

/* The slot's length, and PPP or Cisco HDLC. */
static bool is_legacypos(const uint8_t *record)
{
    uint8_t address = record[16];
    return has_legacy_time(record) && load_be32(record + 8) == LEGACY_SIZE &&
           (address == 0xff || address == 0x0f || address == 0x8f);
}

bool legacypos_recognise(const uint8_t *head, size_t len)
{
    return records_pass(head, len, LEGACY_SIZE, is_legacypos);
}

bool duck_recognise(const uint8_t *head, size_t len)
{
    return len >= 4 && duck_size(load_le32(head)) != 0;
}
