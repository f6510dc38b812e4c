/* The attributes, the text and the pickle of an IPflow. */
#ifndef NATKIT_IPFLOW_ATTRIBUTES_H
#define NATKIT_IPFLOW_ATTRIBUTES_H

#include "object.h"

/* The key of an object that is known to be an IPflow, NULL with ValueError where it has none. */
const struct natkit_key *ipflow_key(PyObject *self_);

extern PyGetSetDef ipflow_getset[];
PyObject *ipflow_str(PyObject *self_);
PyObject *ipflow_repr(PyObject *self_);
PyObject *ipflow_reduce(PyObject *self_, PyObject *args);

#endif
