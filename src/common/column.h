/* Columns: the values of one field of many records, as arrays.  No Python here. */
#ifndef PLT_COMMON_COLUMN_H
#define PLT_COMMON_COLUMN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/kind.h"

enum { COLUMN_NAME_SIZE = 40, MAX_COLUMNS = 192 };

/* What a column is called and holds. */
struct column_info {
    char name[COLUMN_NAME_SIZE];
    uint8_t kind; /* enum column_kind */
    bool can_be_missing;
};

struct column_spares;

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
    char *text;        /* owned; of KIND_TEXT, or the items of lists */
    size_t text_len;   /* in bytes */
    size_t text_room;
    struct column_spares *spares; /* a reference: where the memory goes in the end; or NULL */
};

/* Memory and values: none of it needs the GIL.
 *
 * NULL when out of memory; room is at least 1. */
struct column_data *column_data_new(const struct column_info *info, size_t room);
/* The same without memory for values, which is to be put in. */
struct column_data *column_data_new_bare(uint8_t kind, size_t room);
void column_data_release(struct column_data *data);

/* The memory of columns that nobody holds any more, for those of later batches: fresh memory costs
 * a page fault for every 4 KiB.  Columns are let go of in any thread, so that access is by turns;
 * who does not get his turn at once does without.
 *
 * For up to so many columns, each with so much room; NULL when out of memory. */
struct column_spares *column_spares_new(size_t count, size_t room);
/* One more owner, who closes it too. */
struct column_spares *column_spares_share(struct column_spares *self);
/* Of the last owner: keep no more, and free what is there.  Columns that are still held are freed
 * when they are not. */
void column_spares_close(struct column_spares *self);
/* A column whose memory is one of the spares, or new and to become one; NULL when out of memory. */
struct column_data *column_spares_take(struct column_spares *self, const struct column_info *info,
                                       size_t room);

/* Room for twice the rows; false when out of memory. */
bool column_data_grow(struct column_data *data);
/* The size of a value in bytes. */
size_t column_width(uint8_t kind);
/* How many rows of some columns stay in a processor's second cache while they are filled: to write
 * more takes longer. */
size_t columns_rows_in_cache(const struct column_info *infos, size_t count);
/* Append a row of a kind of up to 8 bytes: the low bytes of value where it is present. */
void column_append(struct column_data *data, bool present, uint64_t value);
/* Append an address of 4 or 16 bytes, or a missing one where address is NULL. */
void column_append_address(struct column_data *data, const uint8_t *address, size_t size);
/* Append values of a kind of up to 8 bytes: the low bytes of each, which is 0 where absent is 1. */
void column_append_values(struct column_data *data, const uint64_t *values, const uint8_t *absent,
                          size_t count);
/* Where the next addresses are to be put, 16 bytes each; then append so many of them, of versions 4
 * and 6, and 0 where absent is 1. */
uint8_t *column_addresses(struct column_data *data);
void column_append_addresses(struct column_data *data, const uint8_t *versions,
                             const uint8_t *absent, size_t count);
/* Append UTF-8, or a missing one where text is NULL; false when out of memory. */
bool column_append_text(struct column_data *data, const char *text, size_t len);
/* Append a list of items of the width of their kind; false when out of memory. */
bool column_append_list(struct column_data *data, const void *items, size_t count);

#endif
