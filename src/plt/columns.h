/* Columns: the fields of many packets as arrays.  What columns.c, columnreader.c and arrow.c share.
 */
#ifndef PLT_COLUMNS_H
#define PLT_COLUMNS_H

#include "plt.h"

#include <stdatomic.h>

enum column_kind {
    KIND_TIME, /* int64, nanoseconds since the epoch */
    KIND_BOOL, /* a byte, 0 or 1 */
    KIND_INT8,
    KIND_INT16,
    KIND_INT64,
    KIND_UINT8,
    KIND_UINT16,
    KIND_UINT32,
    KIND_UINT64,
    KIND_FLOAT64,
    KIND_ADDRESS /* 16 bytes, an IPv4 address in the first 4 */
};

/* More columns than there are definitions. */
enum { MAX_COLUMNS = 128 };

/* What a column is of: a property of the packet, or a row of a header's table. */
struct column_def {
    char name[40];
    const char *doc;           /* borrowed */
    const struct field *field; /* NULL for a property */
    uint8_t layer;             /* enum view_type: whose table the field is of */
    uint8_t property;          /* enum, in columns.c */
    uint8_t kind;              /* enum column_kind */
    bool needs_layers;
    bool can_be_missing;
};

/* The definition that a name means; false where there is none. */
bool column_find(const char *name, struct column_def *out);
/* The n-th definition, of all that there are; false past the last. */
bool column_nth(size_t n, struct column_def *out);
/* The size of a value in bytes. */
size_t column_width(uint8_t kind);

/* The values of a column.  Counted atomically: Arrow's consumers let go of it in any thread. */
struct column_data {
    atomic_size_t refs;
    uint8_t kind;
    size_t rows;
    size_t room;     /* rows that fit */
    size_t missing;  /* rows without a value */
    uint8_t *values; /* owned; zeroes where there is no value */
    uint8_t *absent; /* owned; a byte a row, 1 where there is no value; NULL where none can be */
};

struct column_data *column_data_new(const struct column_def *def, size_t room);
void column_data_release(struct column_data *data);
/* Room for twice the rows; false when out of memory. */
bool column_data_grow(struct column_data *data);

/* Append a record to columns that have room for it.  Needs no GIL. */
void columns_append(const struct column_def *defs, struct column_data *const *columns, size_t count,
                    const struct plt_record *record);

/* A batch as Python objects see it, in columnreader.c. */
struct batch {
    PyObject ob_base;
    size_t count;
    size_t rows;
    struct column_def *defs;      /* owned */
    struct column_data **columns; /* owned, and a reference to each */
};

/* Capsules of the Arrow C data interface, in arrow.c. */
PyObject *arrow_schema(const struct column_def *defs, size_t count);
PyObject *arrow_array(const struct batch *batch);
PyObject *arrow_stream(PyObject *reader, const struct column_def *defs, size_t count);

/* The next batch of a reader: a new reference, None at the end, NULL with an exception. */
PyObject *column_reader_next(PyObject *reader);
/* plt._plt._column_fields(). */
PyObject *column_list(PyObject *module, PyObject *args);

extern PyType_Spec column_spec, batch_spec, column_reader_spec;

#endif
