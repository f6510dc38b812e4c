/* The object that a FlowTable is, and who may use it: all of it needs the GIL. */
#ifndef NATKIT_FLOWTABLE_OBJECT_H
#define NATKIT_FLOWTABLE_OBJECT_H

#include "natkit/natkit.h"

#include "fields.h"

#include "flowtable/patience.h"
#include "flowtable/table.h"

struct flow_table_object {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    PyObject *home;             /* owned: a FlowHome or NULL */
    bool busy;                  /* a thread works on it without the GIL */
    bool one_thread;            /* add_trace() starts no second one */
    struct flow_table table;
    struct flow_places places; /* of a table whose flows are numbered */
};

static inline struct flow_table_object *table_object(PyObject *self_)
{
    return (struct flow_table_object *)self_;
}

/* Whether a table is free to use: 0, or -1 with RuntimeError. */
int table_object_check(const struct flow_table_object *self);
/* The same, and all ended that is over; NULL with RuntimeError or MemoryError. */
struct flow_table *table_object_settled(PyObject *self_);
/* The same, with all fragments counted that wait for their first ones: for who looks at the flows.
 */
struct flow_table *table_object_complete(PyObject *self_);

/* Have a table number its flows; 0, or -1 with RuntimeError where it is in use or has flows that
 * are not numbered. */
int table_object_number(struct flow_table_object *self);

/* What a table counts besides what any does, EXTRA_*. */
static inline unsigned table_extras(const struct flow_table_object *self)
{
    const struct flow_besides besides = flow_set_besides(&self->table.set);
    return flow_extras(&besides);
}

/* Patience until a signal's handler raises.  It may run any Python code, so that a table must be
 * busy meanwhile. */
extern const struct flow_patience until_signal;

#endif
