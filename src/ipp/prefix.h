/* The type IPprefix. */
#ifndef IPP_PREFIX_H
#define IPP_PREFIX_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec ipp_prefix_spec;

#endif
