/* Columns: the values of many records as arrays, as Python objects with the buffer protocol, and as
 * Arrow's C data interface.  Compiled into every module that has columns. */
#ifndef PLT_COMMON_COLUMN_H
#define PLT_COMMON_COLUMN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/kind.h"

enum { COLUMN_NAME_SIZE = 40, MAX_COLUMNS = 128 };

/* What a column is called and holds. */
struct column_info {
    char name[COLUMN_NAME_SIZE];
    uint8_t kind; /* enum column_kind */
    bool can_be_missing;
};

/* The values of a column.  Counted atomically: Arrow's consumers let go of it in any thread. */
struct column_data {
    atomic_size_t refs;
    uint8_t kind;
    size_t rows;
    size_t room;       /* rows that fit */
    size_t missing;    /* rows without a value */
    uint8_t *values;   /* owned; zeroes where there is no value */
    uint8_t *absent;   /* owned; a byte a row, 1 where there is no value; NULL where none can be */
    uint8_t *versions; /* owned; of addresses: 4 or 6, 0 where there is none */
    char *text;        /* owned; of KIND_TEXT */
    size_t text_len;
    size_t text_room;
};

/* --- Memory and values, in column.c: none of it needs the GIL ----------------------------------
 */

/* NULL when out of memory; room is at least 1. */
struct column_data *column_data_new(const struct column_info *info, size_t room);
/* The same without memory for values, which is to be put in. */
struct column_data *column_data_new_bare(uint8_t kind, size_t room);
void column_data_release(struct column_data *data);
/* Room for twice the rows; false when out of memory. */
bool column_data_grow(struct column_data *data);
/* The size of a value in bytes. */
size_t column_width(uint8_t kind);
/* Append a row of a kind of up to 8 bytes: the low bytes of value where it is present. */
void column_append(struct column_data *data, bool present, uint64_t value);
/* Append an address of 4 or 16 bytes, or a missing one where address is NULL. */
void column_append_address(struct column_data *data, const uint8_t *address, size_t size);
/* Append UTF-8, or a missing one where text is NULL; false when out of memory. */
bool column_append_text(struct column_data *data, const char *text, size_t len);

/* --- Batches as Python objects, in batch.c ------------------------------------------------------
 */

struct batch_types {
    PyTypeObject *column; /* owned */
    PyTypeObject *batch;  /* owned */
};

struct batch {
    PyObject ob_base;
    PyTypeObject *column_type; /* owned */
    size_t count;
    size_t rows;
    size_t room;                  /* rows that fit in every column */
    struct column_info *infos;    /* owned */
    struct column_data **columns; /* owned, and a reference to each */
};

/* What a Python object shows of a column. */
enum column_part { PART_VALUES, PART_MASK, PART_TEXT, PART_VERSIONS };

/* Make the types for a module; 0, or -1 with an exception. */
int batch_types_add(PyObject *module, struct batch_types *types);
int batch_types_traverse(struct batch_types *types, visitproc visit, void *arg);
void batch_types_clear(struct batch_types *types);
/* An empty batch with room for so many rows; NULL with an exception. */
struct batch *batch_new(const struct batch_types *types, const struct column_info *infos,
                        size_t count, size_t room);
/* The same without its columns, which are NULL; a reference to each is to be put in. */
struct batch *batch_new_bare(const struct batch_types *types, const struct column_info *infos,
                             size_t count, size_t room);
/* Room for twice the rows in every column; false when out of memory.  Needs no GIL. */
bool batch_grow(struct batch *batch);
/* A part of a column as an object with the buffer protocol, None where the column has no such
 * part; NULL with an exception. */
PyObject *batch_part(const struct batch *batch, size_t column, enum column_part part);
/* The letter of a kind in Python's struct module. */
const char *column_format(uint8_t kind);

/* --- Parts of batches, in select.c --------------------------------------------------------------
 */

/* Methods of a batch: some of its columns, which it shares; some of its rows, as a copy; the texts
 * of a column. */
PyObject *batch_select(PyObject *self_, PyObject *columns);
PyObject *batch_rows(PyObject *self_, PyObject *args);
PyObject *batch_strings(PyObject *self_, PyObject *args);
/* For those: the batch's types, its column type borrowed from it. */
struct batch_types batch_types_of(PyObject *batch);

/* --- Addresses as texts, in addresstext.c -------------------------------------------------------
 */

/* The addresses of a column, each distinct one as text. */
struct address_texts {
    int32_t *indices; /* owned: the text of each row, 0 where there is no address */
    int32_t *offsets; /* owned: of the texts, and the end of the last */
    char *text;       /* owned: UTF-8 */
    int32_t count;
};

/* False when out of memory, or where texts are more than 32 bits can count.  Needs no GIL. */
bool address_texts_make(const struct column_data *data, struct address_texts *texts);
void address_texts_free(struct address_texts *texts);

/* --- What a module tells of its columns ---------------------------------------------------------
 */

/* What goes into Arrow's metadata: texts, or NULL for what there is none of. */
struct column_notes {
    const char *doc;
    const char *unit;
    const char *source;
};

/* Every module with columns has this; all NULL for a name that is none of its columns. */
struct column_notes column_notes_of(const char *name);

/* --- Pickles, in pickle.c -----------------------------------------------------------------------
 */

/* What a batch's __reduce_ex__() gives for a protocol; NULL with an exception. */
PyObject *batch_reduce(PyObject *batch, PyObject *protocol);
/* The batch of the state in that, which is not trusted; NULL with an exception, ValueError where it
 * is none. */
PyObject *batch_from_state(const struct batch_types *types, PyObject *state);

/* --- Arrow, in arrow.c --------------------------------------------------------------------------
 */

/* The capsules of Arrow's PyCapsule protocol; NULL with an exception. */
PyObject *arrow_schema(const struct column_info *infos, size_t count);
PyObject *arrow_array(const struct batch *batch);
/* A stream of what an iterable of batches gives. */
PyObject *arrow_stream(PyObject *batches, PyTypeObject *batch_type, const struct column_info *infos,
                       size_t count);

#endif
