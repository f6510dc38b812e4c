/* Batches as what pickle takes. */
#ifndef PLT_COMMON_PICKLE_H
#define PLT_COMMON_PICKLE_H

#include "batch.h"

/* What a batch's __reduce_ex__() gives for a protocol; NULL with an exception. */
PyObject *batch_reduce(PyObject *batch, PyObject *protocol);
/* The batch of the state in that, which is not trusted; NULL with an exception, ValueError where it
 * is none. */
PyObject *batch_from_state(const struct batch_types *types, PyObject *state);

#endif
