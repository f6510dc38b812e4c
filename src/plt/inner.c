/* The packets within a packet: a frame each, over the bytes of the one around it. */
#include "inner.h"

#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/tunnel.h"

#include "state.h"
#include "view.h"

/* How many tunnels a frame's packet came in. */
static unsigned depth_of(const struct frame *frame)
{
    unsigned depth = 0;
    for (; frame->parent; frame = frame->parent)
        depth += frame->root == ROOT_LINK;
    return depth;
}

/* The packet of a frame; `meta` is what is known of it where it begins with no link layer. */
static struct plt_packet packet_of_frame(struct frame *frame, struct plt_meta *meta)
{
    struct plt_packet packet = {.data = frame->data,
                                .len = frame->len,
                                .layers = frame_layers(frame),
                                .meta = &frame->meta,
                                .depth = depth_of(frame)};
    if (frame->root != ROOT_LINK) {
        const struct frame *around = frame_packet(frame);
        *meta = frame->meta;
        meta->direction = (int8_t)plt_direction(around->data, around->len, &around->meta);
        meta->dlt = LINKTYPE_RAW;
        packet.meta = meta;
    }
    return packet;
}

PyObject *packet_inner_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct frame *frame = ((struct view *)self_)->frame;
    struct plt_meta meta;
    struct inner_packet inner;
    if (!frame)
        Py_RETURN_NONE;
    struct plt_packet packet = packet_of_frame(frame, &meta);
    if (packet.depth >= TUNNEL_MOST_DEPTH || !tunnel_enter(&packet, NULL, &inner))
        Py_RETURN_NONE;
    struct frame *within = frame_of_inner(frame, &inner.record);
    if (!within)
        return NULL;
    PyObject *result = view_new(within, VIEW_PACKET, 0, within->len);
    frame_release(within);
    return result;
}

/* An outer address, None where there is none (new reference). */
static PyObject *address_object(const struct plt_state *state, const struct tunnel *tunnel,
                                const uint8_t *address)
{
    if (tunnel->version == 0)
        Py_RETURN_NONE;
    return state->ipp_api->prefix_new(state->ipp_api, tunnel->version, address, IPP_NO_LENGTH);
}

static PyObject *tunnel_object(const struct plt_state *state, const struct tunnel *tunnel)
{
    PyObject *result = NULL;
    PyObject *id = tunnel->has_id ? PyLong_FromUnsignedLong(tunnel->id) : Py_NewRef(Py_None);
    PyObject *src = address_object(state, tunnel, tunnel->src);
    PyObject *dst = address_object(state, tunnel, tunnel->dst);
    if (id && src && dst)
        result =
            PyObject_CallFunction(state->tunnel_type, "sOOO",
                                  tunnel_kind_name((enum tunnel_kind)tunnel->kind), id, src, dst);
    Py_XDECREF(dst);
    Py_XDECREF(src);
    Py_XDECREF(id);
    return result;
}

/* Append an object for each tunnel that a frame's packet is around; 0, or -1 with an exception. */
static int append_tunnels(struct frame *frame, PyObject *tunnels)
{
    struct plt_meta meta;
    struct inner_packet inner[2];
    struct plt_packet packet = packet_of_frame(frame, &meta);
    for (unsigned n = 0;
         packet.depth < TUNNEL_MOST_DEPTH && tunnel_enter(&packet, NULL, &inner[n % 2]); n++) {
        const struct inner_packet *next = &inner[n % 2];
        PyObject *tunnel = tunnel_object(frame->state, &next->tunnel);
        int status = tunnel ? PyList_Append(tunnels, tunnel) : -1;
        Py_XDECREF(tunnel);
        if (status < 0)
            return -1;
        packet = (struct plt_packet){.data = next->record.data,
                                     .len = next->record.len,
                                     .layers = &next->layers,
                                     .meta = &next->record.meta,
                                     .depth = packet.depth + 1};
    }
    return 0;
}

PyObject *packet_tunnels_get(PyObject *self_, void *Py_UNUSED(closure))
{
    PyObject *tunnels = PyList_New(0);
    struct frame *frame = ((struct view *)self_)->frame;
    if (tunnels && frame) {
        frame_hold(frame); /* what runs meanwhile may read into the packet */
        if (append_tunnels(frame, tunnels) < 0)
            Py_CLEAR(tunnels);
        frame_release(frame);
    }
    PyObject *result = tunnels ? PyList_AsTuple(tunnels) : NULL;
    Py_XDECREF(tunnels);
    return result;
}
