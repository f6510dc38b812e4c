/* plt's C interface (common/capi.h), which its capsule holds. */
#ifndef PLT_API_H
#define PLT_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct plt_state;

/* Add the capsule to the module; 0, or -1 with an exception. */
int api_add(PyObject *module, struct plt_state *state);

#endif
