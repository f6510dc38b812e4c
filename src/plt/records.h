/* The records of a trace, one after another, without a Python object for each: what capi.h offers
 * other modules. */
#ifndef PLT_RECORDS_H
#define PLT_RECORDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "common/capi.h"

struct plt_state;

struct plt_records *records_open(struct plt_state *state, PyObject *source, PyObject *filter);
enum plt_records_result records_next(struct plt_records *self, struct plt_record *record);
int records_fill(struct plt_records *self);
void records_raise(struct plt_records *self);
void records_close(struct plt_records *self);

#endif
