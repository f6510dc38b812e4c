/* ERF files: Endace's extensible record format. */
#include "plt.h"

enum { HEADER = 16, EXTENSION = 8 };

enum erf_type {
    ERF_LEGACY = 0,
    ERF_HDLC_POS = 1,
    ERF_ETH = 2,
    ERF_ATM = 3,
    ERF_AAL5 = 4,
    ERF_MC_HDLC = 5,
    ERF_MC_ATM = 7,
    ERF_MC_AAL5 = 9,
    ERF_COLOR_HDLC_POS = 10,
    ERF_COLOR_ETH = 11,
    ERF_DSM_COLOR_HDLC_POS = 15,
    ERF_DSM_COLOR_ETH = 16,
    ERF_COLOR_MC_HDLC_POS = 17,
    ERF_COLOR_HASH_POS = 19,
    ERF_COLOR_HASH_ETH = 20,
    ERF_IPV4 = 22,
    ERF_IPV6 = 23,
    ERF_META = 27,
    ERF_PAD = 48
};

/* How the payload of a record type begins: bytes before the link layer, and what that is. */
struct layout {
    uint32_t skip;
    uint32_t dlt;
    int16_t linktype;
};

static struct layout layout_of(uint8_t type)
{
    switch (type) {
    case ERF_ETH:
    case ERF_COLOR_ETH:
    case ERF_DSM_COLOR_ETH:
    case ERF_COLOR_HASH_ETH:
        return (struct layout){2, 1, LINKTYPE_ETH};
    case ERF_LEGACY:
    case ERF_HDLC_POS:
    case ERF_COLOR_HDLC_POS:
    case ERF_DSM_COLOR_HDLC_POS:
    case ERF_COLOR_HASH_POS:
        return (struct layout){0, DLT_HDLC_POS, LINKTYPE_HDLC_POS};
    case ERF_MC_HDLC: /* a multi-channel header first */
    case ERF_COLOR_MC_HDLC_POS:
        return (struct layout){4, DLT_HDLC_POS, LINKTYPE_HDLC_POS};
    case ERF_ATM:
        return (struct layout){0, DLT_ATM_CELL, LINKTYPE_ATM};
    case ERF_MC_ATM:
        return (struct layout){4, DLT_ATM_CELL, LINKTYPE_ATM};
    case ERF_AAL5:
        return (struct layout){0, DLT_ATM_CELL, LINKTYPE_AAL5};
    case ERF_MC_AAL5:
        return (struct layout){4, DLT_ATM_CELL, LINKTYPE_AAL5};
    case ERF_IPV4:
    case ERF_IPV6:
        return (struct layout){0, 101, LINKTYPE_NONE};
    case ERF_META:
        return (struct layout){0, DLT_NONE, LINKTYPE_METADATA};
    default:
        return (struct layout){0, DLT_NONE, LINKTYPE_UNKNOWN};
    }
}

/* The size of the extension headers: each says in its first bit whether another follows. */
static uint32_t extensions_size(const uint8_t *record, uint32_t rlen)
{
    uint32_t at = HEADER;
    bool more = record[8] & 0x80;
    while (more && rlen - at >= EXTENSION) {
        more = record[at] & 0x80;
        at += EXTENSION;
    }
    return at - HEADER;
}

static enum source_result erf_next(struct source *base, struct plt_record *record)
{
    enum source_result result = SOURCE_RECORD;
    const uint8_t *header = NULL;
    uint32_t rlen = 0;
    for (;;) {
        header = input_need(base, HEADER, "a record header", &result);
        if (!header)
            return result;
        rlen = load_be16(header + 10);
        if (rlen < HEADER)
            return source_fail(base, "its header claims a record length of %u bytes", rlen);
        header = input_need(base, rlen, "a record", &result);
        if (!header)
            return result;
        if ((header[8] & 0x7f) != ERF_PAD)
            break;
        base->input.at += rlen;
    }
    struct layout layout = layout_of(header[8] & 0x7f);
    uint32_t skip = HEADER + extensions_size(header, rlen) + layout.skip;
    uint32_t wire_len = load_be16(header + 14);
    uint32_t len = skip < rlen ? rlen - skip : 0;
    if (len > wire_len) /* records are padded */
        len = wire_len;
    record->data = header + (skip < rlen ? skip : rlen);
    record->len = len;
    record->meta = (struct plt_meta){.capture_len = len,
                                     .wire_len = wire_len,
                                     .dlt = layout.dlt,
                                     .linktype = layout.linktype,
                                     .fcs = layout.dlt == 1 ? 4 : 0,
                                     .direction = (int8_t)(header[9] & 3)};
    meta_set_erf_time(&record->meta, load_le64(header));
    /* coloured records have their colour in the place of the loss counter */
    if (header[8] == ERF_ETH || header[8] == ERF_HDLC_POS)
        base->drops += load_be16(header + 12);
    base->input.at += rlen;
    base->count++;
    return SOURCE_RECORD;
}

static void erf_destroy(struct source *base)
{
    input_clear(&base->input);
    PyMem_Free(base);
}

struct source *erf_source_new(void)
{
    struct source *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->next = erf_next;
    self->fill = input_fill;
    self->destroy = erf_destroy;
    return self;
}
