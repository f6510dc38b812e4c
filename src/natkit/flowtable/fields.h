/* What a flow answers for: one row a field, for the attributes of Flow and for the columns. */
#ifndef NATKIT_FLOWTABLE_FIELDS_H
#define NATKIT_FLOWTABLE_FIELDS_H

#include "common/batch.h"
#include "field.h"

#include "flowtable/copies.h"
#include "flowtable/flow.h"
#include "natkit/ipflow/key.h"
#include "packet/communityid.h"

/* Those of any table, and after them those of FlowTable(tcp=True), (decap=True), (statistics=True)
 * and (first=20), and columns that are to be named. */
enum {
    FLOW_FIELDS = 35,
    TCP_FIELDS = 44,
    TUNNEL_FIELDS = 2,
    STATISTICS_FIELDS = 48,
    FIRST_FIELDS = 3,
    NAMED_FIELDS = 1
};
enum {
    ALL_FLOW_FIELDS =
        FLOW_FIELDS + TCP_FIELDS + TUNNEL_FIELDS + STATISTICS_FIELDS + FIRST_FIELDS + NAMED_FIELDS
};

/* What a table may count besides; EXTRA_NAMED is of no table, but columns that are named. */
enum { EXTRA_TCP = 1, EXTRA_TUNNELS = 2, EXTRA_STATISTICS = 4, EXTRA_FIRST = 8, EXTRA_NAMED = 16 };

static inline unsigned flow_extras(const struct flow_besides *besides)
{
    return (besides->tracks_tcp ? EXTRA_TCP : 0U) | (besides->tunnels ? EXTRA_TUNNELS : 0U) |
           (besides->statistics ? EXTRA_STATISTICS : 0U) | (besides->early > 0 ? EXTRA_FIRST : 0U);
}

extern const struct flow_field flow_fields[];

/* The number that a flow has for a field, of a float its bits; false where it is missing. */
bool flow_field_number(const struct flow_field *field, const struct flow_copy *copy,
                       uint64_t *value);
/* The text that a flow has for a field of text, which may be in `room`; NULL where it is missing.
 */
const char *flow_field_text(const struct flow_field *field, const struct flow_copy *copy,
                            char room[COMMUNITY_ID_ROOM]);
/* The address that a flow has for a field, in a key that is filled in here. */
const uint8_t *flow_field_address(const struct flow_field *field, const struct flow_copy *copy,
                                  struct natkit_key *out);
/* The number of a field by the name of its column or of its attribute, in which times end in _ns:
 * -1 with an exception, where there is none ValueError with near names.  So it is with one that a
 * table does not count; extras are EXTRA_*. */
int flow_field_find(PyObject *name, unsigned extras);
/* How many columns a table has. */
size_t flow_field_count(unsigned extras);
/* The n-th of them. */
const struct flow_field *flow_field_nth(size_t n, unsigned extras);
/* The same of a field that has a number, and what flows are ordered by. */
int flow_field_find_order(PyObject *name, unsigned extras);
uint64_t flow_field_order(int field, const struct flow_copy *copy);

#endif
