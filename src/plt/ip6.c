/* The IPv6 header (RFC 8200 section 3). */
#include "attributes.h"
#include "errors.h"
#include "layers.h"
#include "view.h"

#define IP6_FIELDS(X)                                                                              \
    X(flow_label, "Flow label, 20 bits (RFC 6437).", .base = BASE_IP6, .offset = 0, .width = 4,    \
      .mask = 0xfffff)                                                                             \
    X(payload_len, "Payload length in bytes, extension headers included.", .unit = "bytes",        \
      .base = BASE_IP6, .offset = 4, .width = 2, .mask = 0xffff)                                   \
    X(next_hdr, "Next header: the protocol number of what follows this header.", .base = BASE_IP6, \
      .offset = 6, .width = 1, .mask = 0xff)

IP6_FIELDS(DEFINE_FIELD)
FIELD_TABLE(ip6_table, VIEW_IP6, IP6_FIELDS)

static PyObject *ip6_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct frame *frame = ((struct view *)self_)->frame;
    const struct plt_layers *layers = frame_layers(frame);
    if (layers->payload == PLT_ABSENT)
        return too_short("payload");
    return view_bytes(frame, layers->payload, layers->ip_end);
}

static PyGetSetDef ip6_getset[] = {
    IP6_FIELDS(FIELD_ATTRIBUTE) READONLY(
        payload, ip6_payload_get,
        "What follows the header and its extension headers, to the packet's end by its own "
        "length, as far as captured, a new bytearray.\n\n"
        "ValueError where one of them is cut."),
    {.name = NULL}};

static PyObject *ip6_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_IP6);
}

static PyType_Slot ip6_slots[] = {
    {Py_tp_doc, "ip6(x, /)\n--\n\n"
                "The IPv6 header in or above a packet or layer object, or at the start of "
                "bytes.\n\n"
                "None where x has none; ValueError where x is neither."},
    {Py_tp_new, ip6_new},
    {Py_tp_getset, ip6_getset},
    {0, NULL}};

PyType_Spec ip6_spec = {
    .name = "plt.ip6", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = ip6_slots};
