/* plt.where: conditions in the words of the columns; a kind of plt.filter. */
#ifndef PLT_WHERE_TYPE_H
#define PLT_WHERE_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec where_spec;

#endif
