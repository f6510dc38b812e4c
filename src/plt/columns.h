/* plt's columns: the fields of many packets.  What columns.c and columnreader.c share. */
#ifndef PLT_COLUMNS_H
#define PLT_COLUMNS_H

#include "common/reader.h"
#include "packet/tunnel.h"
#include "types.h"

/* What a column is of: a property of the packet, or a row of a header's table. */
struct column_source {
    const struct property *property; /* NULL for a field */
    const struct field *field;       /* NULL for a property */
    uint8_t layer;                   /* enum view_type: whose table the field is of */
    bool needs_layers;
    bool of_tunnel;
};

/* How far into packets columns look, and what Community IDs are made with. */
struct column_tunnels {
    uint16_t community_seed;
    bool wanted; /* tunnels are looked for */
    bool enters; /* all columns are of the innermost packet, else only those of tunnels */
    struct tunnel_ports ports;
};

/* The n-th of the columns that there are, its docstring borrowed; false past the last. */
bool column_nth(size_t n, struct column_info *info, struct column_source *source, const char **doc);
/* The column of a name; false where there is none. */
bool column_find(const char *name, struct column_info *info, struct column_source *source);

/* Append a record to `count` columns that have room for it; false when out of memory.  Needs no
 * GIL. */
bool columns_append_to(const struct column_source *sources, size_t count,
                       const struct column_tunnels *tunnels, struct column_data *const *columns,
                       const struct plt_record *record);
/* Append a record to a batch that has room for it; false when out of memory.  Needs no GIL. */
bool columns_append(const struct column_source *sources, const struct column_tunnels *tunnels,
                    struct batch *batch, const struct plt_record *record);

/* plt._plt._column_fields(). */
PyObject *column_list(PyObject *module, PyObject *args);

extern PyType_Spec column_reader_spec;

#endif
