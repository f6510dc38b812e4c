/* From one layer object to another. */
#ifndef PLT_LAYERS_H
#define PLT_LAYERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "types.h"

struct frame;

/* plt.NAME(x): the header of that type in x (new reference), None, or NULL with ValueError. */
PyObject *layer_construct(PyTypeObject *python_type, PyObject *args, PyObject *kwargs,
                          enum view_type type);
/* The method set_checksums() of layers 3 and above. */
PyObject *layer_set_checksums(PyObject *self_, PyObject *args);
/* The header of a type in a frame as a new view, None where there is none. */
PyObject *layer_get(struct frame *frame, enum view_type type);

#endif
