/* What the headers of IPv4 and IPv6, and all objects above them, have alike. */
#ifndef PLT_INTERNET_H
#define PLT_INTERNET_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

struct frame;

/* An IPprefix of an address in a frame, ValueError("Data too short for NAME") past its end. */
PyObject *prefix_at(const struct frame *frame, uint32_t at, int version, const char *name);

#endif
