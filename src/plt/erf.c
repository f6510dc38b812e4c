/* The reader of ERF files, Endace's extensible record format. */
#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/erfrecord.h"
#include "packet/protocols.h"

#include "frame.h"
#include "readers.h"
#include "writer.h"

#include <string.h>

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
                                     .fcs = layout.linktype == LINKTYPE_ETHERNET ? ETHERNET_FCS : 0,
                                     .direction = (int8_t)(header[9] & 3)};
    meta_set_erf_time(&record->meta, load_le64(header));
    /* coloured records have their colour in the place of the loss counter */
    if (header[8] == ERF_ETH || header[8] == ERF_HDLC_POS)
        base->drops += load_be16(header + 12);
    base->input.at += rlen;
    base->count++;
    return SOURCE_RECORD;
}

struct source *erf_source_new(void)
{
    struct source *self = file_source_new(sizeof(*self), erf_next);
    if (self)
        self->mixed = true;
    return self;
}

/* --- What is ERF ----------------------------------------------------------------------------- */

/* The types of Endace's "ERF types", of which 29 to 47 are none. */
static bool is_type(uint8_t type)
{
    return type <= 28 || type == ERF_PAD;
}

/* By the types, lengths and times of several records, which are of one capture. */
bool erf_recognise(const uint8_t *head, size_t len)
{
    enum { LOOK_AT = 8, YEAR = 366 * 86400 };
    /* a record of fixed length may have so many bytes after its packet */
    static const uint32_t slot = 64;

    size_t at = 0;
    int64_t last = 0;
    if (len >= 5 && memcmp(head, "%PDF-", 5) == 0) /* whose version makes a time of 1995 to 1997 */
        return false;
    for (int i = 0; i < LOOK_AT && at <= len && len - at >= ERF_HEADER; i++) {
        const uint8_t *record = head + at;
        uint8_t type = record[8] & 0x7f;
        uint32_t rlen = load_be16(record + 10);
        uint32_t header = record[8] & 0x80 ? ERF_HEADER + ERF_EXTENSION : ERF_HEADER;
        if (!is_type(type) || rlen < header)
            return false;
        if (type != ERF_META && type != ERF_PAD && rlen - header > load_be16(record + 14) + slot)
            return false;
        if (type != ERF_PAD) {
            int64_t seconds = load_le32(record + 4);
            if (!is_plausible_time((uint32_t)seconds) ||
                (last && (seconds - last > YEAR || last - seconds > YEAR)))
                return false;
            last = seconds;
        }
        at += rlen;
    }
    return last > 0;
}
