/* Merging: the flows of a later table added to those of an earlier one. */
#ifndef PLT_FLOWTABLE_MERGE_H
#define PLT_FLOWTABLE_MERGE_H

#include "patience.h"
#include "table.h"

enum flow_merge_result { MERGE_EXACT, MERGE_INEXACT, MERGE_GIVEN_UP, MERGE_NO_MEMORY };

/* Add a later table's flows, as if its packets had been read on in the earlier one.  The result is
 * not exact where that would have given another; with `only_exact` nothing is done then, nor is it
 * where it was given up or memory is short. */
enum flow_merge_result flow_table_merge(struct flow_table *table, const struct flow_table *other,
                                        bool only_exact, const struct flow_patience *patience);

#endif
