/* The type FlowHome. */
#ifndef NATKIT_IPFLOW_FLOWHOME_H
#define NATKIT_IPFLOW_FLOWHOME_H

#include "home.h"
#include "natkit/natkit.h"

extern PyType_Spec flowhome_spec;

/* The networks of an object that is known to be a FlowHome; borrowed, and never changed. */
const struct natkit_home *flowhome_networks(PyObject *self_);

#endif
