/* ERF files: Endace's extensible record format. */
#include "plt.h"

#include "erfrecord.h"

static enum source_result erf_next(struct source *base, struct plt_record *record)
{
    enum source_result result = SOURCE_RECORD;
    const uint8_t *header = NULL;
    uint32_t rlen = 0;
    for (;;) {
        header = input_need(base, ERF_HEADER, "a record header", &result);
        if (!header)
            return result;
        rlen = load_be16(header + 10);
        if (rlen < ERF_HEADER)
            return source_fail(base, "its header claims a record length of %u bytes", rlen);
        header = input_need(base, rlen, "a record", &result);
        if (!header)
            return result;
        if ((header[8] & 0x7f) != ERF_PAD)
            break;
        base->input.at += rlen;
    }
    struct erf_layout layout = erf_layout_of(header[8] & 0x7f);
    uint32_t skip = ERF_HEADER + erf_extensions_size(header, rlen) + layout.skip;
    uint32_t wire_len = load_be16(header + 14);
    uint32_t len = skip < rlen ? rlen - skip : 0;
    if (len > wire_len) /* records are padded */
        len = wire_len;
    record->data = header + (skip < rlen ? skip : rlen);
    record->len = len;
    record->meta = (struct plt_meta){.capture_len = len,
                                     .wire_len = wire_len,
                                     .dlt = layout.linktype,
                                     .linktype = layout.libtrace,
                                     .fcs = layout.linktype == LINKTYPE_ETHERNET ? 4 : 0,
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
