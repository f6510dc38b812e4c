/* The packets within a packet, as attributes. */
#ifndef PLT_INNER_H
#define PLT_INNER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *packet_inner_get(PyObject *self_, void *closure);
PyObject *packet_tunnels_get(PyObject *self_, void *closure);

#define PACKET_INNER_DOC                                                                           \
    "The packet that this one carries as a tunnel, None where it carries none.\n\n"                \
    "It has the outer packet's time and lengths of its own, without an FCS; its bytes are those "  \
    "of the outer one. What only looks like a packet is none: its version and its lengths have "   \
    "to be right. At most 16 are within each other; tunnels over UDP are known by the assigned "   \
    "ports."
#define PACKET_TUNNELS_DOC                                                                         \
    "The tunnels that this packet is, outermost first: a tuple of Tunnel.\n\n"                     \
    "Each carries the next; the last one carries the innermost packet."

#endif
