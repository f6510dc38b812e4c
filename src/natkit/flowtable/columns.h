/* Flows as columns: a plt.Table of NumPy arrays, and an Arrow stream. */
#ifndef NATKIT_FLOWTABLE_COLUMNS_H
#define NATKIT_FLOWTABLE_COLUMNS_H

#include "natkit/natkit.h"

#include "flowtable/flow.h"

/* What a caller asks of columns: a tuple of names or None for all, owned; the kind of addresses. */
struct flow_asked {
    PyObject *names;
    uint8_t address_kind;
};

/* The arguments of columns(), whose reading may run Python code; false with an exception. */
bool flow_columns_asked(PyObject *args, PyObject *kwargs, struct flow_asked *asked);

/* The n-th flow of those that are to be columns. */
typedef struct flow_copy (*flow_copy_of)(const void *context, size_t n);

/* Flows as a plt.Table of the columns that are asked for, and as an Arrow stream of all; NULL with
 * an exception.  extras: what the table counts, EXTRA_*. */
PyObject *flow_columns_table(struct natkit_state *state, const struct flow_asked *asked,
                             unsigned extras, size_t count, flow_copy_of copy_of,
                             const void *context);
PyObject *flow_columns_stream(struct natkit_state *state, unsigned extras, size_t count,
                              flow_copy_of copy_of, const void *context);
PyObject *flow_columns_schema(unsigned extras);

/* __array__() of what has columns(). */
PyObject *flow_array(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char flow_array_doc[];

/* The docstrings of columns(), __arrow_c_stream__() and __arrow_c_schema__(). */
extern const char flow_columns_doc[], flow_stream_doc[], flow_schema_doc[];

#endif
