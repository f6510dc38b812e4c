/* Batches: columns of equal length as a Python object. */
#ifndef PLT_COMMON_BATCH_H
#define PLT_COMMON_BATCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "column.h"

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
enum column_part { PART_VALUES, PART_MASK, PART_TEXT, PART_VERSIONS }; /* items are text */

/* An empty batch with room for so many rows; NULL with an exception. */
struct batch *batch_new(const struct batch_types *types, const struct column_info *infos,
                        size_t count, size_t room);
/* The same with memory of columns that were let go of. */
struct batch *batch_new_from(const struct batch_types *types, struct column_spares *spares,
                             const struct column_info *infos, size_t count, size_t room);
/* The same without its columns, which are NULL; a reference to each is to be put in. */
struct batch *batch_new_bare(const struct batch_types *types, const struct column_info *infos,
                             size_t count, size_t room);
/* The rows that a batch of up to so many takes memory for at first. */
enum { BATCH_FIRST_ROOM = 1 << 16 };
static inline size_t batch_first_room(size_t rows)
{
    return rows < BATCH_FIRST_ROOM ? rows : BATCH_FIRST_ROOM;
}
/* A capsule of memory for so many batches of the columns of one, with so many rows each, that
 * several readers use again; NULL with an exception. */
PyObject *batch_memory(const struct batch *batch, size_t batches, size_t rows);
/* What is in such a capsule, borrowed; NULL with an exception. */
struct column_spares *batch_memory_of(PyObject *capsule);
/* Room for twice the rows in every column; false when out of memory.  Needs no GIL. */
bool batch_grow(struct batch *batch);
/* How many rows can be added at once, up to `most` and to so many rows in all: the batch grows
 * where it is full.  0 when out of memory.  Needs no GIL. */
size_t batch_room_for(struct batch *batch, size_t rows, size_t most);
/* A part of a column as an object with the buffer protocol, None where the column has no such
 * part; NULL with an exception. */
PyObject *batch_part(const struct batch *batch, size_t column, enum column_part part);
/* The letter of a kind in Python's struct module. */
const char *column_format(uint8_t kind);
/* The types of a batch, its column type borrowed from it. */
struct batch_types batch_types_of(PyObject *batch);

/* The type of columns, and whether a type is such. */
extern PyType_Spec column_object_spec;
bool is_column_type(const PyTypeObject *type);

#endif
