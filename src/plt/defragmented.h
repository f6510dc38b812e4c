/* The type _Defragmented: the C part of plt.defragment(). */
#ifndef PLT_DEFRAGMENTED_H
#define PLT_DEFRAGMENTED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec defragmented_spec;

#endif
