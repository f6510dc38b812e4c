/* The types of batches and of their columns, which each module has for itself. */
#ifndef PLT_COMMON_BATCHTYPE_H
#define PLT_COMMON_BATCHTYPE_H

#include "batch.h"

/* Make the types for a module; 0, or -1 with an exception. */
int batch_types_add(PyObject *module, struct batch_types *types);
int batch_types_traverse(struct batch_types *types, visitproc visit, void *arg);
void batch_types_clear(struct batch_types *types);

#endif
