/* Flow tables for fuzzers: made with some settings, listed, saved and compared. */
#ifndef FUZZ_FLOWS_H
#define FUZZ_FLOWS_H

#include "fuzz.h"

#include "flowtable/merge.h"
#include "flowtable/save.h"

/* Never given up. */
extern const struct flow_patience patient;

/* A new table; each bit of the settings is one. */
enum {
    TABLE_BY_VLAN = 1,
    TABLE_TCP = 2,
    TABLE_DECAP = 4,
    TABLE_IDLE = 8,
    TABLE_ACTIVE = 16,
    TABLE_HOME = 32
};
void table_make(struct flow_table *table, uint8_t settings, uint64_t seed);

/* A table as bytes, to be freed. */
uint8_t *table_save(struct flow_table *table, size_t *size);
/* The flows that are live, or ended, are the same in two tables. */
void tables_compare(const struct flow_table *one, const struct flow_table *other, int which);
/* Read every flow. */
void table_touch(const struct flow_table *table);

#endif
