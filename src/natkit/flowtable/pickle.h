/* Flow tables and flows as the bytes objects that their pickles hold. */
#ifndef NATKIT_FLOWTABLE_PICKLE_H
#define NATKIT_FLOWTABLE_PICKLE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "flowtable/copies.h"
#include "flowtable/table.h"

/* A table, which must be busy meanwhile; NULL with an exception. */
PyObject *pickle_table(struct flow_table *table);
/* Fill a new table: 0, or -1 with an exception, ValueError for bytes that are no table. */
int unpickle_table(struct flow_table *table, PyObject *bytes);
PyObject *pickle_flows(const struct flow_copies *copies);
/* Flows to be cleared: 0, or -1 with an exception, ValueError for bytes that are no flows. */
int unpickle_flows(PyObject *bytes, struct flow_copies *copies);

#endif
