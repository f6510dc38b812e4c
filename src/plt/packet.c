/* The type packet: the attributes and methods of every packet and layer object. */
#include "common/method.h"
#include "common/subclass.h"
#include "packet/linktypes.h"
#include "packet/protocols.h"

#include "attributes.h"
#include "diagnose.h"
#include "errors.h"
#include "filter.h"
#include "frombytes.h"
#include "inner.h"
#include "layers.h"
#include "state.h"
#include "view.h"

#include <datetime.h>
#include <string.h>
#include <time.h>

/* The frame that the object's packet came in, which holds quoted packets too. */
static struct frame *packet_frame(PyObject *self_)
{
    struct frame *frame = ((struct view *)self_)->frame;
    if (!frame)
        PyErr_SetString(PyExc_ValueError, "nothing was read into this packet");
    return frame_packet(frame);
}

static bool is_of_trace(const struct frame *frame)
{
    while (frame->parent)
        frame = frame->parent;
    return frame->root == ROOT_LINK;
}

/* What the trace says of the object's packet, NULL with ValueError for an object made from bytes.
 */
static const struct plt_meta *packet_meta(PyObject *self_, const char *name)
{
    const struct frame *frame = packet_frame(self_);
    if (frame && !is_of_trace(frame)) {
        PyErr_Format(PyExc_ValueError, "no %s: this object was made from bytes, not from a packet",
                     name);
        return NULL;
    }
    return frame ? &frame->meta : NULL;
}

/* --- Bytes ----------------------------------------------------------------------------------- */

/* What `data` shows of an object: of a packet the bytes from layer 2 on, after pseudo-headers such
 * as Linux cooked captures have.  A packet with a single 802.1Q tag shows four bytes less than was
 * captured of it: python-libtrace always counted the length from an untagged layer 3, and scripts
 * that compare or store `data` rely on it.  The buffer protocol shows all. */
static void data_bounds(const struct view *self, uint32_t *start, uint32_t *end)
{
    *start = self->start;
    *end = self->end;
    if (self->type != VIEW_PACKET && self->type != VIEW_LAYER2)
        return;
    const struct plt_layers *layers = frame_layers(self->frame);
    if (self->frame->root != ROOT_LINK || layers->layer2 == PLT_ABSENT)
        return;
    *start = layers->layer2;
    if (layers->tags == 1 && layers->linktype == LIBTRACE_TYPE_ETH && layers->layer3 == *start + 18)
        *end -= 4;
}

static PyObject *packet_data_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    uint32_t start = 0;
    uint32_t end = 0;
    if (!packet_frame(self_))
        return NULL;
    data_bounds(self, &start, &end);
    return view_bytes(self->frame, start, end);
}

static int packet_data_set(PyObject *self_, PyObject *value, void *Py_UNUSED(closure))
{
    struct view *self = (struct view *)self_;
    Py_buffer buffer;
    if (!packet_frame(self_))
        return -1;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "data can't be deleted");
        return -1;
    }
    if (PyObject_GetBuffer(value, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    uint32_t start = 0;
    uint32_t end = 0;
    data_bounds(self, &start, &end);
    if (buffer.len > (Py_ssize_t)(end - start)) {
        PyErr_SetString(PyExc_ValueError, "Replacement data can't be longer than original");
        PyBuffer_Release(&buffer);
        return -1;
    }
    bool writable = frame_writable(self->frame, "data");
    if (writable) {
        memmove(self->frame->data + start, buffer.buf, (size_t)buffer.len);
        for (struct frame *frame = self->frame; frame; frame = frame->parent)
            frame->decoded = false;
    }
    PyBuffer_Release(&buffer);
    return writable ? 0 : -1;
}

/* --- Time ------------------------------------------------------------------------------------ */

/* Whether local time was the same shortly before: the clock was put back, as when summer time ends,
 * by less than a day. */
static bool is_second_of_two(time_t sec, const struct tm *tm)
{
    enum { DAY = 86400 };
    struct tm other;
    time_t at = sec - DAY;
    if (!localtime_r(&at, &other) || other.tm_gmtoff <= tm->tm_gmtoff)
        return false;
    at = sec - (other.tm_gmtoff - tm->tm_gmtoff);
    return localtime_r(&at, &other) && at + other.tm_gmtoff == sec + tm->tm_gmtoff;
}

static PyObject *packet_time_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct plt_meta *meta = packet_meta(self_, "time");
    if (!meta)
        return NULL;
    const PyDateTime_CAPI *api = ((struct view *)self_)->frame->state->datetime;
    (void)PyDateTimeAPI; /* the header's own pointer would be a mutable global */
    time_t sec = (time_t)meta->sec;
    struct tm tm;
    if (sec != meta->sec || !localtime_r(&sec, &tm) || tm.tm_year + 1900 > 9999 ||
        tm.tm_year + 1900 < 1) {
        PyErr_Format(PyExc_ValueError, "time %lld s is outside datetime's range",
                     (long long)meta->sec);
        return NULL;
    }
    int fold = is_second_of_two(sec, &tm);
    int second = tm.tm_sec > 59 ? 59 : tm.tm_sec;
    return api->DateTime_FromDateAndTimeAndFold(
        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, second,
        (int)(meta->nsec / 1000), Py_None, fold, api->DateTimeType);
}

static PyObject *packet_time_ns_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct plt_meta *meta = packet_meta(self_, "time_ns");
    if (!meta)
        return NULL;
    if (meta->sec >= 0 && meta->sec < INT64_MAX / 1000000000)
        return PyLong_FromLongLong(meta->sec * 1000000000 + meta->nsec);
    PyObject *result = NULL;
    PyObject *sec = PyLong_FromLongLong(meta->sec);
    PyObject *factor = PyLong_FromLong(1000000000);
    PyObject *nsec = PyLong_FromLong((long)meta->nsec);
    PyObject *product = sec && factor && nsec ? PyNumber_Multiply(sec, factor) : NULL;
    if (product)
        result = PyNumber_Add(product, nsec);
    Py_XDECREF(sec);
    Py_XDECREF(factor);
    Py_XDECREF(nsec);
    Py_XDECREF(product);
    return result;
}

/* --- Comment --------------------------------------------------------------------------------- */

static PyObject *packet_comment_get(PyObject *self_, void *Py_UNUSED(closure))
{
    if (!packet_meta(self_, "comment"))
        return NULL;
    PyObject *comment = packet_frame(self_)->comment;
    if (!comment)
        Py_RETURN_NONE;
    Py_INCREF(comment);
    return comment;
}

static int packet_comment_set(PyObject *self_, PyObject *value, void *Py_UNUSED(closure))
{
    Py_ssize_t len = 0;
    if (!packet_meta(self_, "comment"))
        return -1;
    if (!value || (value != Py_None && !PyUnicode_Check(value))) {
        PyErr_Format(PyExc_TypeError, "comment must be a str or None%s%.100s",
                     value ? ", not " : ": it can't be deleted",
                     value ? Py_TYPE(value)->tp_name : "");
        return -1;
    }
    const char *text = value == Py_None ? "" : PyUnicode_AsUTF8AndSize(value, &len);
    if (!text)
        return -1;
    if (memchr(text, 0, (size_t)len)) { /* readers, Wireshark too, take it for the end */
        PyErr_SetString(PyExc_ValueError, "a comment can't have a NUL character");
        return -1;
    }
    if (len > UINT16_MAX) {
        PyErr_Format(PyExc_ValueError, "a comment of %zd bytes is longer than %d", len, UINT16_MAX);
        return -1;
    }
    PyObject *comment = value == Py_None ? NULL : PyUnicode_FromObject(value);
    if (value != Py_None && !comment)
        return -1;
    Py_XSETREF(packet_frame(self_)->comment, comment);
    return 0;
}

/* --- Properties ------------------------------------------------------------------------------ */

static PyObject *property_of(struct frame *frame, const struct property *row)
{
    struct plt_packet packet = {.data = frame->data, .len = frame->len, .meta = &frame->meta};
    uint64_t value = 0;
    char room[PROPERTY_TEXT_ROOM];
    if (row->needs_layers)
        packet.layers = frame_layers(frame);
    if (row->kind == KIND_TEXT)
        return Py_BuildValue("z", property_text(row->id, &packet, room));
    if (row->id == PROPERTY_WIRE_LEN) { /* a column's values are not as wide */
        value = frame->meta.wire_len;
        return property_object(frame, row, value);
    }
    switch (property_value(row->id, &packet, &value)) {
    case VALUE_PRESENT:
        return property_object(frame, row, value);
    case VALUE_NONE:
        Py_RETURN_NONE;
    case VALUE_MISSING:
        break;
    }
    return too_short(row->name);
}

/* The closures of these are rows of property.h. */
static PyObject *source_property_get(PyObject *self_, void *closure)
{
    const struct property *row = closure;
    return packet_meta(self_, row->name) ? property_of(packet_frame(self_), row) : NULL;
}

static PyObject *packet_property_get(PyObject *self_, void *closure)
{
    struct frame *frame = packet_frame(self_);
    return frame ? property_of(frame, closure) : NULL;
}

static PyObject *layer_property_get(PyObject *self_, void *closure)
{
    return packet_frame(self_) ? property_of(((struct view *)self_)->frame, closure) : NULL;
}

static PyObject *packet_payload_of_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct view *)self_)->payload_of);
}

/* --- Layers ---------------------------------------------------------------------------------- */

/* The closure is the name of the type; the type's number is what it points to. */
static const uint8_t type_layer2 = VIEW_LAYER2, type_layer3 = VIEW_LAYER3,
                     type_transport = VIEW_TRANSPORT, type_ip = VIEW_IP, type_ip6 = VIEW_IP6,
                     type_arp = VIEW_ARP, type_tcp = VIEW_TCP, type_udp = VIEW_UDP,
                     type_sctp = VIEW_SCTP, type_icmp = VIEW_ICMP, type_icmp6 = VIEW_ICMP6;

static PyObject *packet_layer_get(PyObject *self_, void *closure)
{
    if (!((struct view *)self_)->frame) /* nothing was read into it */
        Py_RETURN_NONE;
    return layer_get(((struct view *)self_)->frame, *(const uint8_t *)closure);
}

static PyObject *packet_payload_get(PyObject *self_, void *closure)
{
    uint8_t proto = *(const uint8_t *)closure == VIEW_TCP ? PROTO_TCP : PROTO_UDP;
    return view_packet_payload((struct view *)self_, proto);
}

#define LAYER(id, text)                                                                            \
    {                                                                                              \
        .name = #id, .get = packet_layer_get, .set = attribute_readonly, .doc = (text),            \
        .closure = (void *)(uintptr_t)&type_##id                                                   \
    }
#define PAYLOAD(id, of, text)                                                                      \
    {                                                                                              \
        .name = #id, .get = packet_payload_get, .set = attribute_readonly, .doc = (text),          \
        .closure = (void *)(uintptr_t)&type_##of                                                   \
    }

#define TIME_ATTRIBUTE(id, text, more, ...)                                                        \
    PROPERTY_ATTRIBUTE(id, packet_##id##_get, text more "."),
#define SOURCE_ATTRIBUTE(id, text, more, ...)                                                      \
    PROPERTY_ATTRIBUTE(id, source_property_get, text more "."),
#define PACKET_ATTRIBUTE(id, text, more, ...)                                                      \
    PROPERTY_ATTRIBUTE(id, packet_property_get, text more "."),
#define LAYER_ATTRIBUTE(id, text, more, ...)                                                       \
    PROPERTY_ATTRIBUTE(id, layer_property_get, text more "."),

static PyGetSetDef packet_getset[] = {
    {.name = "data",
     .get = packet_data_get,
     .set = packet_data_set,
     .doc = "The object's bytes as a new bytearray, from its first byte as far as captured; "
            "of a packet from layer 2 on.\n\n"
            "Of a packet with one 802.1Q tag, and of its layer2, the last four bytes are missing, "
            "as in python-libtrace 1.7; bytes(pkt) has them. "
            "Assigning bytes overwrites in place; ValueError when they are longer."},
    TIME_PROPERTIES(TIME_ATTRIBUTE) SOURCE_PROPERTIES(SOURCE_ATTRIBUTE)
        PACKET_PROPERTIES(PACKET_ATTRIBUTE) LAYER_PROPERTIES(LAYER_ATTRIBUTE)
            LAYER(layer2,
                  "The packet from its link-layer header on, a Layer2; None where there is none."),
    LAYER(layer3, "The packet from layer 3 on, a Layer3; None where there is none."),
    LAYER(transport,
          "The packet from its transport header on, a Transport; "
          "None for fragments but the first and where there is none.\n\n"
          "As in libtrace, None in Linux cooked captures, and of IPv6 in IPv4 the inner packet's."),
    LAYER(ip, "The IPv4 header (RFC 791), None where the packet has none."),
    LAYER(ip6, "The IPv6 header (RFC 8200), None where the packet has none."),
    LAYER(arp, "The ARP packet (RFC 826), None where the packet has none."),
    LAYER(tcp, "The TCP header (RFC 9293), None where the packet has none."),
    LAYER(udp, "The UDP header (RFC 768), None where the packet has none."),
    LAYER(sctp, "The SCTP header (RFC 9260), None where the packet has none."),
    LAYER(icmp, "The ICMP header (RFC 792), None where the packet has none."),
    LAYER(icmp6, "The ICMPv6 header (RFC 4443), None where the packet has none."),
    PAYLOAD(tcp_payload, tcp,
            "What TCP carries, a Transport; None where empty, where it is not TCP, and where TCP's "
            "header is not all captured or has a length that can't be."),
    PAYLOAD(udp_payload, udp,
            "What UDP carries, a Transport; None where empty, where it is not UDP, and where UDP's "
            "header is not all captured."),
    {.name = "comment",
     .get = packet_comment_get,
     .set = packet_comment_set,
     .doc = "The packet's comment in a pcapng file, a str; None without one, or where it is not "
            "UTF-8.\n\n"
            "It can be set, to None too: output traces write it where the format is pcapng. Of "
            "several comments it is the first. ValueError for more than 65,535 bytes of UTF-8, and "
            "for a NUL, at which a comment in a file ends."},
    READONLY(
        _pldns_transport, packet_payload_of_get,
        "6 or 17 for the payload of TCP or UDP, else 0: which tells pldns of a length prefix."),
    READONLY(inner, packet_inner_get, PACKET_INNER_DOC),
    READONLY(tunnels, packet_tunnels_get, PACKET_TUNNELS_DOC),
    READONLY(size, diagnose_size, "Number of captured bytes from the object's first byte on."),
    READONLY(kind, diagnose_kind,
             "Where the bytes are from: 'packet' (a trace), 'string' (a bytes-like object) or "
             "'copy'."),
    READONLY(type, diagnose_type, "The object's layer: 'Packet', 'Layer2', 'IP', 'TCP', ..."),
    {.name = NULL}};

/* --- The type -------------------------------------------------------------------------------- */

static PyObject *packet_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    bool given = PyTuple_GET_SIZE(args) > 0 || (kwargs && PyDict_GET_SIZE(kwargs) > 0);
    if (given && type->tp_init == subclass_init) {
        PyErr_SetString(PyExc_TypeError, "packet() takes no arguments");
        return NULL;
    }
    return type->tp_alloc(type, 0); /* its zeroes are VIEW_PACKET and no frame */
}

static PyObject *packet_copy(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct view *self = (struct view *)self_;
    if (!packet_frame(self_))
        return NULL;
    struct frame *frame = frame_copy(self->frame);
    if (!frame)
        return NULL;
    PyObject *copy = view_new_as(Py_TYPE(self_), frame, self->type, self->start, self->end);
    if (copy)
        ((struct view *)copy)->payload_of = self->payload_of;
    frame_release(frame);
    return copy;
}

static PyMethodDef packet_methods[] = {
    METHOD("from_bytes", packet_from_bytes, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
           packet_from_bytes_doc),
    {"apply_filter", packet_apply_filter, METH_O,
     "apply_filter($self, filter, /)\n--\n\n"
     "True where the packet matches a plt.filter or plt.where, else False.\n\n"
     "A str is libpcap's language, compiled anew each time. TypeError on anything but a packet;\n"
     "LibtraceError where the expression does not compile."},
    {"info", diagnose_info, METH_NOARGS,
     "info($self, /)\n--\n\n"
     "One line of text on the object: its layer, bytes and addresses."},
    {"dump", diagnose_dump, METH_NOARGS,
     "dump($self, /)\n--\n\n"
     "The object's bytes as lines of hexadecimal and ASCII text."},
    {"_repr_html_", diagnose_html, METH_NOARGS,
     "_repr_html_($self, /)\n--\n\n"
     "The object's layers and their fields, to be unfolded, for notebooks."},
    {"fields", diagnose_fields, METH_NOARGS,
     "fields($self, /)\n--\n\n"
     "The object's layers, from the outermost on: a list of dicts.\n\n"
     "Each has layer (a name), start and end (where its header is in the object's bytes; of\n"
     "'packet', which has no bytes, None) and fields: a list of dicts, in the order of the\n"
     "bytes. A field has name, value, start and end (None where it is no part of a header),\n"
     "doc and unit. Fields that were not captured are left out. Values are int, float, bool,\n"
     "bytes, and addresses as str."},
    {"as_dict", diagnose_as_dict, METH_NOARGS,
     "as_dict($self, /)\n--\n\n"
     "The values of fields() by name: a dict that has a dict for each layer.\n\n"
     "What is of the packet itself (time_ns, wire_len ...) is in the outer dict; payload is\n"
     "what TCP or UDP carries, as bytes."},
    {"__copy__", packet_copy, METH_NOARGS,
     "__copy__($self, /)\n--\n\n"
     "The same object over bytes of its own."},
    {.ml_name = NULL}};

static PyType_Slot packet_slots[] = {{Py_tp_doc,
                                      "packet()\n--\n\n"
                                      "A packet of a trace; an empty one for trace.read_packet()."},
                                     {Py_tp_new, packet_new},
                                     {Py_tp_init, subclass_init},
                                     {Py_tp_dealloc, view_dealloc},
                                     {Py_tp_getattro, view_getattro},
                                     {Py_tp_repr, diagnose_repr},
                                     {Py_tp_getset, packet_getset},
                                     {Py_tp_methods, packet_methods},
                                     {Py_bf_getbuffer, view_getbuffer},
                                     {Py_bf_releasebuffer, view_releasebuffer},
                                     {Py_nb_bool, view_bool},
                                     {Py_sq_length, view_length},
                                     {0, NULL}};

PyType_Spec packet_spec = {.name = "plt.packet",
                           .basicsize = sizeof(struct view),
                           .flags = VIEW_FLAGS,
                           .slots = packet_slots};
