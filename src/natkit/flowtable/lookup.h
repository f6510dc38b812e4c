/* The flow of a key: FlowTable's [] and `in`. */
#ifndef NATKIT_FLOWTABLE_LOOKUP_H
#define NATKIT_FLOWTABLE_LOOKUP_H

#include "natkit/natkit.h"

int table_contains(PyObject *self_, PyObject *obj);
PyObject *table_subscript(PyObject *self_, PyObject *obj);

#endif
