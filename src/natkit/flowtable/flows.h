/* The type Flows: flows that ended, in a sequence. */
#ifndef NATKIT_FLOWTABLE_FLOWS_H
#define NATKIT_FLOWTABLE_FLOWS_H

#include "object.h"

extern PyType_Spec flows_spec;

/* A Flows of all that have ended, taken out of the table; NULL with an exception. */
PyObject *flows_take(struct flow_table_object *self);

#endif
