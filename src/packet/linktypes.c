/* The table of link types, and how a row is found. */
#include "linktypes.h"

#define LINK_ROW(row_name, row_number, row_dlt, type, decoder, fcs_, direction_, row_text)         \
    {.name = #row_name,                                                                            \
     .text = (row_text),                                                                           \
     .number = (row_number),                                                                       \
     .dlt = (row_dlt),                                                                             \
     .libtrace = LIBTRACE_TYPE_##type,                                                             \
     .fcs = FCS_##fcs_,                                                                            \
     .direction = DIRECTION_##direction_},
static const struct link_row rows[] = {LINK_TYPES(LINK_ROW)};
#undef LINK_ROW

#define LINK_PLACE(name, ...) PLACE_##name,
enum { LINK_TYPES(LINK_PLACE) };
#undef LINK_PLACE

const struct link_row *link_rows(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct link_row *link_row_of(uint32_t number)
{
    switch (number) {
#define LINK_CASE(name, ...)                                                                       \
    case LINKTYPE_##name:                                                                          \
        return &rows[PLACE_##name];
        LINK_TYPES(LINK_CASE)
#undef LINK_CASE
    default:
        return NULL;
    }
}

int16_t plt_linktype_of_dlt(uint32_t dlt)
{
    const struct link_row *row = link_row_of(dlt);
    return row ? row->libtrace : LIBTRACE_TYPE_UNKNOWN;
}
