/* Flow tables and flows as bytes, and back. */
#ifndef PLT_FLOWTABLE_SAVE_H
#define PLT_FLOWTABLE_SAVE_H

#include "copies.h"
#include "patience.h"
#include "table.h"

/* A table about to be saved: between begin and end nothing else may use it. */
struct flow_saving {
    const struct flow_table *table;
    flow_ref *refs; /* owned */
    size_t count;
    size_t size; /* bytes that it takes */
};

/* False when out of memory; else to be ended. */
bool flow_saving_begin(struct flow_saving *saving, struct flow_table *table);
/* Write `size` bytes; false where it was given up. */
bool flow_saving_write(const struct flow_saving *saving, uint8_t *out,
                       const struct flow_patience *patience);
void flow_saving_end(struct flow_saving *saving);

/* The bytes that flows take, and writing those. */
size_t flow_copies_size(const struct flow_copies *copies);
void flow_copies_write(const struct flow_copies *copies, uint8_t *out);

enum flow_load_result { LOAD_DONE, LOAD_REFUSED, LOAD_GIVEN_UP, LOAD_NO_MEMORY };

/* What is wrong with bytes that were refused. */
struct flow_load_error {
    char what[64];
};

/* Fill a table that flow_table_init() made.  The bytes are not trusted: what could not be a table
 * is refused.  Where it is not done the table is to be cleared. */
enum flow_load_result flow_table_load(struct flow_table *table, const uint8_t *data, size_t size,
                                      const struct flow_patience *patience,
                                      struct flow_load_error *error);
/* The flows in bytes, to be cleared; there are none where it is not done. */
enum flow_load_result flow_copies_load(const uint8_t *data, size_t size, struct flow_copies *copies,
                                       struct flow_load_error *error);

#endif
