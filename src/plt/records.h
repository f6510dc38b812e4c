/* The records of a trace, one after another, without a Python object for each: what capi.h offers
 * other modules. */
#ifndef PLT_RECORDS_H
#define PLT_RECORDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "common/capi.h"
#include "packet/block.h"

struct plt_state;

struct plt_records *records_open(struct plt_state *state, PyObject *source, PyObject *filter);
enum plt_records_result records_next(struct plt_records *self, struct plt_record *record);
/* Some of the next records, as many as `most` where that can be: they are all valid until
 * records_block() or records_fill() is called again.  Layers that a filter has found are those of
 * the block.  PLT_RECORD, or what came after the last of them. */
enum plt_records_result records_block(struct plt_records *self, struct record_block *out,
                                      size_t most);
bool records_are_read_ahead(const struct plt_records *self);
int records_fill(struct plt_records *self, double until);
void records_raise(struct plt_records *self);
void records_close(struct plt_records *self);
int records_traverse(const struct plt_records *self, visitproc visit, void *arg);

#endif
