/* Flow tables for Python: the types FlowTable, Flow and Flows.  All of it needs the GIL. */
#ifndef NATKIT_FLOWTABLETYPE_H
#define NATKIT_FLOWTABLETYPE_H

#include "flowtable.h"
#include "ipflow/packetkey.h"

struct flow_table_object {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    PyObject *home;             /* owned: a FlowHome or NULL */
    bool busy;                  /* a thread works on it without the GIL */
    bool one_thread;            /* add_trace() starts no second one */
    struct flow_table table;
};

/* In a long loop, of which this is the n-th time: 0, or -1 with what a signal's handler raised.  It
 * may run any Python code, so that a table must be busy meanwhile. */
static inline int flow_look_at_signals(size_t n)
{
    return (n + 1) % ((size_t)1 << 16) == 0 ? PyErr_CheckSignals() : 0;
}

/* Whether a table is free to use: 0, or -1 with RuntimeError. */
int flow_table_check(const struct flow_table_object *self);
/* The same, and all ended that is over; NULL with RuntimeError or MemoryError. */
struct flow_table *flow_table_settled(PyObject *self_);
/* The same, with all fragments counted that wait for their first ones: for who looks at the flows.
 */
struct flow_table *flow_table_complete(PyObject *self_);

/* flowtableread.c */
PyObject *flow_table_add(PyObject *self_, PyObject *obj);
PyObject *flow_table_add_trace(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char flow_table_add_doc[], flow_table_add_trace_doc[];

/* flowtableends.c */
PyObject *flow_table_expired(PyObject *self_, PyObject *args);
PyObject *flow_table_flush_all(PyObject *self_, PyObject *args);
PyObject *flow_table_merge_with(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char flow_table_merge_doc[];

/* flowtableflow.c */
PyObject *flow_object_new(struct natkit_state *state, const struct flow_copy *copy);
/* The record of a natkit.Flow. */
const struct flow_copy *flow_object_copy(PyObject *self_);

/* flowtableflows.c */
/* A natkit.Flows of all that have ended, taken out of the table. */
PyObject *flow_list_take(struct flow_table_object *self);

/* flowtablefields.c */
enum { FLOW_FIELDS = 35 };

struct flow_field {
    uint8_t what; /* enum, in flowtablefields.c */
    uint8_t whose;
    struct column_info info;
};

extern const struct flow_field flow_fields[];
extern PyGetSetDef flow_object_getset[];
/* The number that a flow has for a field, false where it is missing; its address, in a key that is
 * filled in here. */
bool flow_field_number(const struct flow_field *field, const struct flow_copy *copy,
                       uint64_t *value);
const uint8_t *flow_field_address(const struct flow_field *field, const struct flow_copy *copy,
                                  struct natkit_key *out);

/* flowtablecolumns.c */
/* What names columns as a tuple of names, None for all; it may run Python code, NULL with an
 * exception. */
PyObject *flow_names(PyObject *names);
/* Flows as a plt.Table of the columns that such a tuple names, and as an Arrow stream of all: the
 * n-th flow is what copy_of(context, n) gives.  NULL with an exception. */
typedef struct flow_copy (*flow_copy_of)(const void *context, size_t n);
PyObject *flow_columns_table(struct natkit_state *state, PyObject *names, size_t count,
                             flow_copy_of copy_of, const void *context);
PyObject *flow_columns_stream(struct natkit_state *state, size_t count, flow_copy_of copy_of,
                              const void *context);
PyObject *flow_columns_schema(void);
extern const char flow_columns_doc[], flow_stream_doc[], flow_schema_doc[];
/* The number of a field that has one, -1 with an exception; and what flows are ordered by. */
int flow_field_find(PyObject *name);
uint64_t flow_field_order(int field, const struct flow_copy *copy);

/* flowtablewhole.c */
PyObject *flow_table_columns(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *flow_table_stream(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *flow_table_top(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *flow_table_iter(PyObject *self_);
extern const char flow_table_top_doc[];

/* flowtablepickle.c */
PyObject *flow_table_to_bytes(struct flow_table *table);
/* Fill a new table; 0, or -1 with ValueError for bytes that are none. */
int flow_table_from_bytes(struct flow_table *table, const uint8_t *data, size_t size);
PyObject *flow_copies_to_bytes(const struct flow_copy *copies, size_t count);
/* An array to be freed; NULL with ValueError for bytes that are none, TypeError for anything else.
 */
struct flow_copy *flow_copies_from_bytes(PyObject *bytes, size_t *count);

#endif
