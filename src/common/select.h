/* Parts of batches. */
#ifndef PLT_COMMON_SELECT_H
#define PLT_COMMON_SELECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Methods of a batch: some of its columns, which it shares; some of its rows, as a copy; the texts
 * of a column. */
PyObject *batch_select(PyObject *self_, PyObject *columns);
PyObject *batch_rows(PyObject *self_, PyObject *args);
PyObject *batch_strings(PyObject *self_, PyObject *args);

#endif
