/* Flows as columns: a plt.Table of NumPy arrays, and an Arrow stream. */
#ifndef NATKIT_FLOWTABLE_COLUMNS_H
#define NATKIT_FLOWTABLE_COLUMNS_H

#include "natkit/natkit.h"

#include "flowtable/flow.h"

/* What names columns as a tuple of names, None for all; it may run Python code, NULL with an
 * exception. */
PyObject *flow_column_names(PyObject *names);

/* The n-th flow of those that are to be columns. */
typedef struct flow_copy (*flow_copy_of)(const void *context, size_t n);

/* Flows as a plt.Table of the columns that such a tuple names, and as an Arrow stream of all; NULL
 * with an exception.  extras: what the table counts, EXTRA_*. */
PyObject *flow_columns_table(struct natkit_state *state, PyObject *names, unsigned extras,
                             size_t count, flow_copy_of copy_of, const void *context);
PyObject *flow_columns_stream(struct natkit_state *state, unsigned extras, size_t count,
                              flow_copy_of copy_of, const void *context);
PyObject *flow_columns_schema(unsigned extras);

/* The docstrings of columns(), __arrow_c_stream__() and __arrow_c_schema__(). */
extern const char flow_columns_doc[], flow_stream_doc[], flow_schema_doc[];

#endif
