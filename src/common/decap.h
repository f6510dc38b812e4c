/* The argument decap of what looks into tunnels. */
#ifndef PLT_COMMON_DECAP_H
#define PLT_COMMON_DECAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "packet/tunnel.h"

/* Read it: a bool, or a mapping of kinds to a port or several, which are added to the assigned
 * ones.  0, or -1 with TypeError or ValueError. */
int decap_read(PyObject *decap, bool *enters, struct tunnel_ports *ports);
/* What makes the same again: a bool or a dict (new reference). */
PyObject *decap_object(bool enters, const struct tunnel_ports *ports);

#endif
