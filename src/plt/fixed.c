/* Formats whose records all have one size: TSH, the legacy ERF formats, DUCK. */
#include "packet/bytes.h"
#include "packet/linktypes.h"

#include "formats.h"

#include <string.h>

struct fixed_format {
    const char *name;
    uint32_t size;    /* of a record */
    uint32_t framing; /* of what lies before the link layer in it */
    void (*read)(const uint8_t *bytes, struct plt_record *record);
};

struct fixed_source {
    struct source base;
    const struct fixed_format *format;
    uint32_t size; /* of a record; 0 until the file header told it */
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
    record->meta.capture_len = 64;
}

static void read_legacyeth(const uint8_t *bytes, struct plt_record *record)
{
    record->meta = meta_of_erf_time(bytes);
    record->meta.wire_len = load_le16(bytes + 8) + 4U;
    record->meta.fcs = 4;
    record->meta.dlt = LINKTYPE_ETHERNET;
    record->meta.capture_len = 64;
    clip(record);
}

static void read_legacypos(const uint8_t *bytes, struct plt_record *record)
{
    record->meta = meta_of_erf_time(bytes);
    record->meta.wire_len = load_be32(bytes + 12);
    record->meta.dlt = LINKTYPE_LEGACY_POS;
    record->meta.capture_len = 64;
    clip(record);
}

/* A DAG card's clock statistics: no packets, but records that a trace of them has. */
static void read_duck(const uint8_t *Py_UNUSED(bytes), struct plt_record *record)
{
    record->meta = (struct plt_meta){.capture_len = record->len,
                                     .dlt = LINKTYPE_DUCK,
                                     .linktype = LIBTRACE_TYPE_DUCK,
                                     .direction = -1};
}

static const struct fixed_format formats[] = {
    {"tsh", 44, 8, read_tsh},
    {"legacyatm", 64, 12, read_legacyatm},
    {"legacyeth", 64, 10, read_legacyeth},
    {"legacypos", 64, 16, read_legacypos},
    {"duck", 0, 0, read_duck},
};

/* A DUCK file begins with the version of its records, which tells their size. */
static enum source_result open_duck(struct fixed_source *self)
{
    enum source_result result = SOURCE_END;
    const uint8_t *header = input_need(&self->base, 4, "its file header", &result);
    if (!header)
        return result == SOURCE_END ? source_fail(&self->base, "the file is empty") : result;
    switch (load_le32(header)) {
    case 13: /* DAG 2.4 */
        self->size = 112;
        break;
    case 14: /* 2.5 */
        self->size = 84;
        break;
    case 19: /* 5.0 */
        self->size = 100;
        break;
    default:
        return source_fail(&self->base, "not a DUCK file: it begins with version %u",
                           load_le32(header));
    }
    self->base.input.at += 4;
    return SOURCE_RECORD;
}

static enum source_result fixed_next(struct source *base, struct plt_record *record)
{
    struct fixed_source *self = (struct fixed_source *)base;
    enum source_result result = SOURCE_RECORD;
    if (self->size == 0 && (result = open_duck(self)) != SOURCE_RECORD)
        return result;
    const uint8_t *bytes = input_need(base, self->size, "a record", &result);
    if (!bytes)
        return result;
    record->data = bytes + self->format->framing;
    record->len = self->size - self->format->framing;
    self->format->read(bytes, record);
    base->input.at += self->size;
    base->count++;
    return SOURCE_RECORD;
}

static void fixed_destroy(struct source *base)
{
    input_clear(&base->input);
    PyMem_Free(base);
}

struct source *fixed_source_new(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) != 0)
            continue;
        struct fixed_source *self = PyMem_Calloc(1, sizeof(*self));
        if (!self) {
            PyErr_NoMemory();
            return NULL;
        }
        self->base.next = fixed_next;
        self->base.fill = input_fill;
        self->base.destroy = fixed_destroy;
        self->format = &formats[i];
        self->size = formats[i].size;
        return &self->base;
    }
    PyErr_Format(PyExc_ValueError, "no reader for the format %s", name);
    return NULL;
}
