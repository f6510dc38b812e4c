/* What the objects of IPv4, IPv6 and the layers after them share. */
#ifndef PLT_INTERNET_H
#define PLT_INTERNET_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

struct frame;
struct view;

/* An IPprefix of an address in a frame, ValueError("Data too short for NAME") where it ends past
 * `end`, which is no more than the frame's. */
PyObject *prefix_at(const struct frame *frame, uint32_t at, uint32_t end, int version,
                    const char *name);

/* The packet that an ICMP error of an IP version quotes (new reference), None where nothing of it
 * was captured; the view is of the message, whose header was captured. */
PyObject *icmp_quote(const struct view *self, int version);

#endif
