/* The memory of a new array, for memoryviews. */
#ifndef IPP_ARRAY_H
#define IPP_ARRAY_H

#include "ipp.h"

extern PyType_Spec ipp_array_spec;

/* The memory of a new array of rows of width bytes, all zero and writable, and in *view a
 * memoryview of the array, which owns that memory.  Its shape is (rows, width), or (rows,) where
 * width is 1.  NULL with an exception. */
uint8_t *ipp_array_new(const struct ipp_state *state, Py_ssize_t rows, Py_ssize_t width,
                       const char *format, PyObject **view);

#endif
