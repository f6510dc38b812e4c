/* FlowTable.add() and FlowTable.add_trace(): packets into a table. */
#ifndef NATKIT_FLOWTABLE_READ_H
#define NATKIT_FLOWTABLE_READ_H

#include "natkit/natkit.h"

PyObject *table_add(PyObject *self_, PyObject *obj);
PyObject *table_add_trace(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char table_add_doc[], table_add_trace_doc[];

#endif
