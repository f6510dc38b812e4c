/* From one layer object to another, and the types that have no header of their own. */
#include "layers.h"

#include "packet/protocols.h"
#include "packet/linktypes.h"
#include "packet/meta.h"

#include "attributes.h"
#include "checksum.h"
#include "state.h"
#include "view.h"

/* The fewest bytes that make a header be there: those of its first field. */
static uint32_t first_field(enum view_type type)
{
    if (type == VIEW_TRANSPORT)
        return 0;
    bool is_short = type == VIEW_ARP || type == VIEW_TCP || type == VIEW_UDP || type == VIEW_SCTP;
    return is_short ? 2 : 1;
}

/* Where the transport object of a frame starts.  In two cases that is not where decoding found a
 * transport header, but where libtrace's trace_get_transport() says, and so what scripts know:
 * Linux cooked captures have none, and of IPv6 in IPv4 it is that of the inner packet. */
static uint32_t transport_start(struct frame *frame)
{
    const struct plt_layers *layers = frame_layers(frame);
    uint32_t start = layers->transport;
    if (frame->root == ROOT_LINK && frame->meta.dlt == LINKTYPE_LINUX_SLL)
        return PLT_ABSENT;
    if (layers->version == 4 && layers->proto == PROTO_IPV6 && start != PLT_ABSENT) {
        struct plt_layers inner;
        plt_decode(frame->data + start, frame->len - start, &frame->meta, ROOT_NETWORK, 6, &inner);
        if (inner.transport != PLT_ABSENT)
            start += inner.transport;
    }
    return start;
}

/* Where a frame has the header of a type, PLT_ABSENT where it has none. */
static uint32_t layer_start(struct frame *frame, enum view_type type)
{
    const struct plt_layers *layers = frame_layers(frame);
    switch (type) {
    case VIEW_LAYER2:
        return layers->layer2;
    case VIEW_LAYER3:
        return layers->layer3;
    case VIEW_TRANSPORT:
        return transport_start(frame);
    case VIEW_IP:
        return layers->version == 4 ? layers->layer3 : PLT_ABSENT;
    case VIEW_IP6:
        return layers->version == 6 ? layers->layer3 : PLT_ABSENT;
    case VIEW_ARP:
        return layers->ethertype == ETHERTYPE_ARP ? layers->layer3 : PLT_ABSENT;
    case VIEW_TCP:
        return layers->proto == PROTO_TCP ? layers->transport : PLT_ABSENT;
    case VIEW_UDP:
        return layers->proto == PROTO_UDP ? layers->transport : PLT_ABSENT;
    case VIEW_SCTP:
        return layers->proto == PROTO_SCTP ? layers->transport : PLT_ABSENT;
    case VIEW_ICMP:
        return layers->proto == PROTO_ICMP ? layers->transport : PLT_ABSENT;
    case VIEW_ICMP6:
        return layers->proto == PROTO_ICMP6 ? layers->transport : PLT_ABSENT;
    default:
        return PLT_ABSENT;
    }
}

static bool is_transport(enum view_type type)
{
    return type == VIEW_TCP || type == VIEW_UDP || type == VIEW_SCTP || type == VIEW_ICMP ||
           type == VIEW_ICMP6;
}

/* The same, PLT_ABSENT also where its first field is cut. */
static inline uint32_t layer_find(struct frame *frame, enum view_type type)
{
    uint32_t start = layer_start(frame, type);
    uint32_t need = first_field(type);
    uint32_t end = frame->len;
    if (is_transport(type)) /* what follows the IP packet is padding */
        end = frame_layers(frame)->ip_end;
    return start <= end && end - start >= need ? start : PLT_ABSENT;
}

PyObject *layer_get(struct frame *frame, enum view_type type)
{
    uint32_t start = layer_find(frame, type);
    if (start == PLT_ABSENT)
        Py_RETURN_NONE;
    return view_new(frame, type, start, frame->len);
}

/* --- New objects ----------------------------------------------------------------------------- */

static uint8_t protocol_of(enum view_type type)
{
    switch (type) {
    case VIEW_IP:
        return 4;
    case VIEW_IP6:
        return 6;
    case VIEW_TCP:
        return PROTO_TCP;
    case VIEW_UDP:
        return PROTO_UDP;
    case VIEW_SCTP:
        return PROTO_SCTP;
    case VIEW_ICMP:
        return PROTO_ICMP;
    default:
        return PROTO_ICMP6;
    }
}

static bool is_network(enum view_type type)
{
    return type == VIEW_IP || type == VIEW_IP6;
}

/* An IP packet within the transport that a view shows, as a frame of its own; NULL where there is
 * none (no exception) or when out of memory. */
static struct frame *tunnelled(const struct view *view, enum view_type type)
{
    struct frame *frame = view->frame;
    uint8_t carrier = type == VIEW_IP ? PROTO_IPIP : PROTO_IPV6;
    if (view->type != VIEW_TRANSPORT || view->payload_of || !is_network(type))
        return NULL;
    const struct plt_layers *layers = frame_layers(frame);
    if (layers->proto != carrier || layers->transport == PLT_ABSENT)
        return NULL;
    return frame_child(frame, layers->transport, frame->len, ROOT_NETWORK, protocol_of(type));
}

static PyObject *construct_from_view(PyTypeObject *python_type, const struct view *view,
                                     enum view_type type)
{
    if (!view->frame)
        Py_RETURN_NONE;
    struct frame *inner = tunnelled(view, type);
    if (!inner && PyErr_Occurred())
        return NULL;
    /* held: the collector may run for an object of a subclass, and read into the packet */
    struct frame *frame = inner ? inner : frame_hold(view->frame);
    uint32_t start = layer_find(frame, type);
    PyObject *result = Py_None;
    if (start == PLT_ABSENT)
        Py_INCREF(result);
    else
        result = view_new_as(python_type, frame, type, start, frame->len);
    frame_release(frame);
    return result;
}

PyObject *layer_construct(PyTypeObject *python_type, PyObject *args, PyObject *kwargs,
                          enum view_type type)
{
    PyObject *x = NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", python_type->tp_name);
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, python_type->tp_name, 1, 1, &x))
        return NULL;
    struct plt_state *state = plt_state_of(python_type);
    if (!state)
        return NULL;
    const struct view *view = view_of(state, x);
    if (view)
        return construct_from_view(python_type, view, type);
    if (!PyObject_CheckBuffer(x)) {
        PyErr_SetString(PyExc_ValueError, NOT_DATA);
        return NULL;
    }
    enum plt_root root = type == VIEW_ARP   ? ROOT_ARP
                         : is_network(type) ? ROOT_NETWORK
                                            : ROOT_TRANSPORT;
    struct frame *frame = frame_of_buffer(state, x, root, protocol_of(type));
    if (!frame)
        return NULL;
    PyObject *result = view_new_as(python_type, frame, type, 0, frame->len);
    frame_release(frame);
    return result;
}

/* --- Data, Layer2, Layer3, Transport --------------------------------------------------------- */

/* Whether a packet was captured completely, and all that the IP header in a frame announces is in
 * it: a quoted packet may be cut in one that is complete.  An FCS may be missing. */
static bool is_complete(struct frame *frame)
{
    const struct frame *packet = frame_packet(frame);
    const struct plt_layers *layers = frame_layers(frame);
    if (packet->root == ROOT_LINK &&
        packet->len < meta_length_field(&packet->meta, packet->data, packet->len))
        return false;
    if (layers->version == 0 || layers->payload == PLT_ABSENT)
        return false;
    return !layers->told_len || layers->ip_len <= frame->len - layers->layer3;
}

PyObject *layer_set_checksums(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct view *self = (struct view *)self_;
    struct frame *frame = self->frame;
    if (!is_complete(frame)) {
        PyErr_SetString(PyExc_ValueError, "Packet too short to set checksums");
        return NULL;
    }
    if (!frame_writable(frame, "checksums"))
        return NULL;
    checksum_set_network(frame);
    checksum_set_transport(frame);
    Py_RETURN_TRUE;
}

static PyMethodDef checksums_methods[] = {
    {"set_checksums", layer_set_checksums, METH_NOARGS,
     "set_checksums($self, /)\n--\n\n"
     "Set the checksums of IPv4 and of TCP, UDP, ICMP or ICMPv6 in place; True.\n\n"
     "ValueError where the packet was not captured completely."},
    {.ml_name = NULL}};

static PyType_Slot data_slots[] = {{Py_tp_doc, "A part of a packet: a layer, or what one carries."},
                                   {0, NULL}};
static PyGetSetDef layer2_getset[] = {LAYER2_PROPERTIES(HEADER_ATTRIBUTE){.name = NULL}};

static PyType_Slot layer2_slots[] = {{Py_tp_doc, "A packet from its link-layer header on."},
                                     {Py_tp_getset, layer2_getset},
                                     {0, NULL}};
static PyType_Slot layer3_slots[] = {
    {Py_tp_doc, "A packet from its layer 3 on."}, {Py_tp_methods, checksums_methods}, {0, NULL}};
static PyType_Slot transport_slots[] = {
    {Py_tp_doc, "A packet from its transport header on, or what TCP or UDP carries."}, {0, NULL}};

#define LAYER_SPEC(type_name, type_slots)                                                          \
    {                                                                                              \
        .name = "plt." type_name, .basicsize = sizeof(struct view),                                \
        .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION, .slots = (type_slots)             \
    }

PyType_Spec data_spec = LAYER_SPEC("Data", data_slots);
PyType_Spec layer2_spec = LAYER_SPEC("Layer2", layer2_slots);
PyType_Spec layer3_spec = LAYER_SPEC("Layer3", layer3_slots);
PyType_Spec transport_spec = LAYER_SPEC("Transport", transport_slots);
