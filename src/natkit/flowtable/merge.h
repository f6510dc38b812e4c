/* FlowTable.merge(). */
#ifndef NATKIT_FLOWTABLE_MERGE_H
#define NATKIT_FLOWTABLE_MERGE_H

#include "natkit/natkit.h"

PyObject *table_merge(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char table_merge_doc[];

#endif
