/* plt's columns: the fields of many packets.  What columns.c and columnreader.c share. */
#ifndef PLT_COLUMNS_H
#define PLT_COLUMNS_H

#include "common/reader.h"
#include "packet/block.h"
#include "packet/tunnel.h"
#include "types.h"

/* What a column is of: a property of the packet, or a row of a header's table. */
struct column_source {
    const struct property *property; /* NULL for a field */
    const struct field *field;       /* NULL for a property */
    uint8_t layer;                   /* enum view_type: whose table the field is of */
    uint8_t proto;                   /* that has a field of a transport header */
    enum block_need need;            /* of the block that it is filled from */
    bool of_tunnel;
};

/* How far into packets columns look, and what Community IDs are made with. */
struct column_tunnels {
    uint16_t community_seed;
    bool wanted; /* tunnels are looked for */
    bool enters; /* all columns are of the innermost packet, else only those of tunnels */
    struct tunnel_ports ports;
};

/* The packets of a block of records that columns are filled from. */
struct column_block {
    struct packet_block block;
    struct innermost *innermost; /* owned: one each; NULL without tunnels */
};

/* The n-th of the columns that there are, its docstring borrowed; false past the last. */
bool column_nth(size_t n, struct column_info *info, struct column_source *source, const char **doc);
/* The column of a name; false where there is none. */
bool column_find(const char *name, struct column_info *info, struct column_source *source);

/* What both columns and tunnels need; of the latter the packets. */
static inline enum block_need column_more_need(enum block_need need,
                                               const struct column_source *source)
{
    return source->of_tunnel ? BLOCK_PACKETS : source->need > need ? source->need : need;
}

/* Append the records of a block to `count` columns that have room for them; false when out of
 * memory. Needs no GIL. */
bool columns_append_to(const struct column_source *sources, size_t count,
                       const struct column_tunnels *tunnels, enum block_need need,
                       struct column_data *const *columns, struct record_block *records,
                       struct column_block *packets);
/* The same to all columns of a batch, whose rows they become. */
bool columns_append(const struct column_source *sources, const struct column_tunnels *tunnels,
                    enum block_need need, struct batch *batch, struct record_block *records,
                    struct column_block *packets);

/* plt._plt._column_fields(). */
PyObject *column_list(PyObject *module, PyObject *args);
/* plt._plt._column_is_of_record(). */
PyObject *column_is_of_record(PyObject *module, PyObject *arg);

extern PyType_Spec column_reader_spec;

#endif
