/* Views: what every packet and layer object is made of. */
#ifndef PLT_VIEW_H
#define PLT_VIEW_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "frame.h"
#include "types.h"

struct plt_state;

/* The one struct of every packet and layer object. */
struct view {
    PyObject ob_base;
    struct frame *frame; /* owned; NULL only in a packet() that nothing was read into */
    uint32_t start;      /* of the object's first byte in the frame */
    uint32_t end;        /* of what was captured of it */
    uint8_t type;        /* enum view_type */
    uint8_t payload_of;  /* TCP or UDP where it is the payload of such, else 0 */
};

#define VIEW_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE)

/* A new view; the frame is held.  NULL with an exception. */
PyObject *view_new(struct frame *frame, enum view_type type, uint32_t start, uint32_t end);
/* The same as an instance of a Python subclass of the type. */
PyObject *view_new_as(PyTypeObject *python_type, struct frame *frame, enum view_type type,
                      uint32_t start, uint32_t end);
/* The payload of a TCP or UDP header, None where it is empty. */
PyObject *view_payload(struct frame *frame, enum view_type type, uint8_t proto, uint32_t start,
                       uint32_t end);
/* The payload of the TCP or UDP header that a view shows, None where it is empty; ValueError where
 * the header is cut or its length is malformed. */
PyObject *view_transport_payload(const struct view *self, uint8_t proto);
/* The same of whatever packet a view is of, as a Transport; None also where there is no such
 * header, or it is cut or malformed: a loop asks each packet. */
PyObject *view_packet_payload(const struct view *self, uint8_t proto);
/* Where what a view shows ends: padding after the IP packet is no part of what it carries. */
uint32_t view_ip_end(const struct view *self);
/* A new bytearray of part of a frame. */
PyObject *view_bytes(const struct frame *frame, uint32_t start, uint32_t end);
/* The view in an object of one of our types, or NULL (no exception). */
struct view *view_of(const struct plt_state *state, PyObject *obj);

void view_dealloc(PyObject *self_);
PyObject *view_getattro(PyObject *self_, PyObject *name);
int view_getbuffer(PyObject *self_, Py_buffer *buffer, int flags);
void view_releasebuffer(PyObject *self_, Py_buffer *buffer);
int view_bool(PyObject *self_);
Py_ssize_t view_length(PyObject *self_);

#endif
