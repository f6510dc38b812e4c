/* The attributes of an IPprefix. */
#ifndef IPP_ATTRIBUTES_H
#define IPP_ATTRIBUTES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyGetSetDef ipp_prefix_getset[];

#endif
