/* The type IPflow. */
#ifndef NATKIT_IPFLOW_IPFLOW_H
#define NATKIT_IPFLOW_IPFLOW_H

#include "natkit/natkit.h"
#include "object.h"

extern PyType_Spec ipflow_spec;

/* A new IPflow, NULL with an exception. */
PyObject *ipflow_new(struct natkit_state *state, const struct natkit_key *key, int src_in_home,
                     int dst_in_home);
/* The same of a packet that is not IP. */
PyObject *ipflow_not_ip(struct natkit_state *state, uint16_t ethertype);
/* IPflow(obj) without the tuple that tp_new is called with. */
PyObject *ipflow_vectorcall(PyObject *type_, PyObject *const *args, size_t nargsf,
                            PyObject *kwnames);

#endif
