/* All flows of a FlowTable: one after another, the largest, as columns. */
#ifndef NATKIT_FLOWTABLE_VIEWS_H
#define NATKIT_FLOWTABLE_VIEWS_H

#include "natkit/natkit.h"

/* The type of what iterates over a table. */
extern PyType_Spec flow_iterator_spec;

PyObject *table_columns(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *table_all_columns(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *table_stream(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *table_top(PyObject *self_, PyObject *args, PyObject *kwargs);
PyObject *table_iter(PyObject *self_);
extern const char table_top_doc[];

#endif
