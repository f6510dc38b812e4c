/* Reading in bulk: one record after another, without a Python object for each. */
#ifndef PLT_BULK_H
#define PLT_BULK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "common/capi.h"

struct plt_state;

struct plt_bulk *bulk_open(struct plt_state *state, PyObject *source, PyObject *filter);
enum plt_bulk_result bulk_next(struct plt_bulk *self, struct plt_record *record);
int bulk_fill(struct plt_bulk *self);
void bulk_raise(struct plt_bulk *self);
void bulk_close(struct plt_bulk *self);

#endif
