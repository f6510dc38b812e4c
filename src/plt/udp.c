/* The UDP header (RFC 768). */
#include "packet/protocols.h"

#include "attributes.h"
#include "layers.h"
#include "view.h"

#define UDP_FIELDS(X)                                                                              \
    X(src_port, "Source port.", .base = BASE_TRANSPORT, .offset = 0, .width = 2, .mask = 0xffff)   \
    X(dst_port, "Destination port.", .base = BASE_TRANSPORT, .offset = 2, .width = 2,              \
      .mask = 0xffff)                                                                              \
    X(len, "Length in bytes of header and payload.", .unit = "bytes", .base = BASE_TRANSPORT,      \
      .offset = 4, .width = 2, .mask = 0xffff)                                                     \
    X(checksum, "Checksum, 0 for none in IPv4; settable, 0 to 65535.", .base = BASE_TRANSPORT,     \
      .offset = 6, .width = 2, .mask = 0xffff, .writable = true)

UDP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(udp_table, VIEW_UDP, UDP_FIELDS)

static PyObject *udp_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return view_transport_payload((struct view *)self_, PROTO_UDP);
}

static PyGetSetDef udp_getset[] = {
    UDP_FIELDS(FIELD_ATTRIBUTE)
        READONLY(payload, udp_payload_get,
                 "What the datagram carries, as far as captured, a Data object; "
                 "None where that is nothing.\n\n"
                 "It ends where the lengths of the IP and UDP headers end: "
                 "Ethernet padding is no part of it. ValueError where the header is cut."),
    {.name = NULL}};

static PyObject *udp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_UDP);
}

static PyType_Slot udp_slots[] = {
    {Py_tp_doc, "udp(x, /)\n--\n\n"
                "The UDP header in or above a packet or layer object, or at the start of "
                "bytes.\n\n"
                "None where x has none; ValueError where x is neither."},
    {Py_tp_new, udp_new},
    {Py_tp_getset, udp_getset},
    {0, NULL}};

PyType_Spec udp_spec = {
    .name = "plt.udp", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = udp_slots};
