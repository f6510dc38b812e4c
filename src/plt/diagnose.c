/* How objects describe themselves: size, kind, type, info(), dump(), repr and HTML. */
#include "diagnose.h"

#include "common/room.h"
#include "packet/bytes.h"
#include "packet/protocols.h"

#include "internet.h"
#include "view.h"

static const char *const type_names[VIEW_COUNT] = {[VIEW_PACKET] = "Packet",
                                                   [VIEW_DATA] = "Data",
                                                   [VIEW_LAYER2] = "Layer2",
                                                   [VIEW_LAYER3] = "Layer3",
                                                   [VIEW_TRANSPORT] = "Transport",
                                                   [VIEW_ARP] = "ARP",
                                                   [VIEW_INTERNET] = "Internet",
                                                   [VIEW_IP] = "IP",
                                                   [VIEW_IP6] = "IP6",
                                                   [VIEW_TCP] = "TCP",
                                                   [VIEW_UDP] = "UDP",
                                                   [VIEW_SCTP] = "SCTP",
                                                   [VIEW_CHUNK] = "Chunk",
                                                   [VIEW_ICMP] = "ICMP",
                                                   [VIEW_ECHO] = "Echo",
                                                   [VIEW_REDIRECT] = "Redirect",
                                                   [VIEW_ICMP6] = "ICMP6",
                                                   [VIEW_ECHO6] = "Echo6",
                                                   [VIEW_TOOBIG6] = "TooBig6",
                                                   [VIEW_PARAM6] = "Param6",
                                                   [VIEW_NEIGHBOUR6] = "Neighbour6"};

PyObject *diagnose_size(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromSsize_t(view_length(self_));
}

PyObject *diagnose_kind(PyObject *self_, void *Py_UNUSED(closure))
{
    static const char *const kinds[] = {"packet", "string", "copy"};
    const struct view *self = (struct view *)self_;
    return PyUnicode_FromString(kinds[self->frame ? self->frame->kind : FRAME_PACKET]);
}

PyObject *diagnose_type(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(type_names[((struct view *)self_)->type]);
}

/* "ETH, 0x86dd" or the like: what the packet is, from the link layer up. */
static PyObject *summary(struct frame *frame)
{
    const struct plt_layers *layers = frame_layers(frame);
    PyObject *result = NULL;
    if (layers->version == 0) {
        if (frame->root == ROOT_TRANSPORT)
            return PyUnicode_FromFormat("protocol %d", layers->proto);
        return PyUnicode_FromFormat("ethertype 0x%04x", layers->ethertype);
    }
    uint32_t at = layers->layer3;
    bool v6 = layers->version == 6;
    uint32_t source = at + (v6 ? 8 : 12);
    PyObject *from = prefix_at(frame, source, frame->len, layers->version, "src_prefix");
    PyObject *to =
        from ? prefix_at(frame, source + (v6 ? 16 : 4), frame->len, layers->version, "dst_prefix")
             : NULL;
    bool has_ports = layers->proto == PROTO_TCP || layers->proto == PROTO_UDP;
    if (to && has_ports && layers->transport != PLT_ABSENT &&
        layers->transport + 4 <= layers->ip_end) {
        const uint8_t *ports = frame->data + layers->transport;
        result = PyUnicode_FromFormat("%s %S port %d to %S port %d",
                                      layers->proto == PROTO_TCP ? "TCP" : "UDP", from,
                                      load_be16(ports), to, load_be16(ports + 2));
    } else if (to) {
        result = PyUnicode_FromFormat("IPv%d protocol %d, %S to %S", layers->version, layers->proto,
                                      from, to);
    } else if (PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        result = PyUnicode_FromFormat("IPv%d, cut in its header", layers->version);
    }
    Py_XDECREF(from);
    Py_XDECREF(to);
    return result;
}

PyObject *diagnose_info(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct view *self = (struct view *)self_;
    if (!self->frame)
        return PyUnicode_FromString("Packet: nothing was read into it");
    PyObject *text = summary(self->frame);
    if (!text)
        return NULL;
    PyObject *result =
        PyUnicode_FromFormat("%s, %zd bytes: %U", type_names[self->type], view_length(self_), text);
    Py_DECREF(text);
    return result;
}

PyObject *diagnose_repr(PyObject *self_)
{
    PyObject *info = diagnose_info(self_, NULL);
    if (!info)
        return NULL;
    PyObject *result = PyUnicode_FromFormat("<%s: %U>", Py_TYPE(self_)->tp_name, info);
    Py_DECREF(info);
    return result;
}

PyObject *diagnose_dump(PyObject *self_, PyObject *Py_UNUSED(args))
{
    static const char digits[] = "0123456789abcdef";
    const struct view *self = (struct view *)self_;
    Py_ssize_t size = view_length(self_);
    Py_ssize_t lines = (size + 15) / 16;
    enum { LINE = 8 + 2 + 16 * 3 + 1 + 16 + 1 };
    PyObject *text = PyUnicode_New(lines * LINE, 127);
    if (!text)
        return NULL;
    char *out = (char *)PyUnicode_1BYTE_DATA(text);
    for (Py_ssize_t line = 0; line < lines; line++) {
        for (int shift = 28; shift >= 0; shift -= 4)
            *out++ = digits[line * 16 >> shift & 15];
        *out++ = ' ';
        *out++ = ' ';
        char *ascii = out + 16 * 3 + 1;
        ascii[-1] = ' ';
        for (Py_ssize_t i = line * 16; i < line * 16 + 16; i++) {
            uint8_t byte = i < size ? self->frame->data[self->start + (size_t)i] : ' ';
            *out++ = i < size ? digits[byte >> 4] : ' ';
            *out++ = i < size ? digits[byte & 15] : ' ';
            *out++ = ' ';
            *ascii++ = byte >= ' ' && byte < 127 ? (char)byte : '.';
        }
        *ascii++ = '\n';
        out = ascii;
    }
    return text;
}

/* --- By Python ---------------------------------------------------------------------------------
 */

PyObject *diagnose_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("plt._packets", "packet_html", self_);
}

PyObject *diagnose_fields(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("plt._packets", "packet_fields", self_);
}

PyObject *diagnose_as_dict(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("plt._packets", "packet_as_dict", self_);
}
