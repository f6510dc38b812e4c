/* The type FlowTable. */
#ifndef NATKIT_FLOWTABLE_TYPE_H
#define NATKIT_FLOWTABLE_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec flow_table_spec;

#endif
