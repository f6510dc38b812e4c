/* The type Flow: one flow as it was when it was asked for. */
#ifndef NATKIT_FLOWTABLE_FLOW_H
#define NATKIT_FLOWTABLE_FLOW_H

#include "flowtable/flow.h"
#include "natkit/natkit.h"

extern PyType_Spec flow_object_spec;

/* A new Flow; NULL with an exception. */
PyObject *flow_object_new(struct natkit_state *state, const struct flow_copy *copy);
/* The flow of a natkit.Flow: borrowed. */
const struct flow_copy *flow_object_copy(PyObject *self_);

#endif
