/* The methods of an IPprefix. */
#ifndef IPP_METHODS_H
#define IPP_METHODS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef ipp_prefix_methods[];

#endif
