/* Internet: what IPv4 and IPv6 headers, and all above them, answer for alike. */
#include "plt.h"

#include <string.h>

/* The bytes of the IP header above an object from `offset` on, NULL with ValueError where not all
 * `need` of them were captured; *version tells which header it is. */
static uint8_t *ip_bytes(const struct view *self, uint32_t offset4, uint32_t offset6, uint32_t need,
                         uint8_t *version, const char *name)
{
    struct frame *frame = self->frame;
    const struct plt_layers *layers = frame_layers(frame);
    if (layers->version == 0) {
        if (self->type == VIEW_IP || self->type == VIEW_IP6) {
            too_short(name);
            return NULL;
        }
        PyErr_Format(PyExc_ValueError, "no IP header for %s", name);
        return NULL;
    }
    *version = layers->version;
    uint32_t offset = *version == 4 ? offset4 : offset6;
    if (frame->len - layers->layer3 < offset + need) {
        too_short(name);
        return NULL;
    }
    return frame->data + layers->layer3 + offset;
}

PyObject *prefix_at(const struct frame *frame, uint32_t at, int version, const char *name)
{
    if (at > frame->len || frame->len - at < (version == 4 ? 4 : 16))
        return too_short(name);
    const struct ipp_api *api = frame->state->ipp_api;
    return api->prefix_new(api, version, frame->data + at, IPP_NO_LENGTH);
}

static PyObject *internet_version_get(PyObject *self_, void *Py_UNUSED(closure))
{
    uint8_t version = 0;
    const uint8_t *bytes = ip_bytes((struct view *)self_, 0, 0, 1, &version, "version");
    return bytes ? PyLong_FromLong(bytes[0] >> 4) : NULL;
}

static PyObject *internet_proto_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    uint8_t version = 0;
    if (frame_layers(self->frame)->version == 0)
        return PyLong_FromLong(frame_layers(self->frame)->proto);
    if (!ip_bytes(self, 9, 6, 1, &version, "proto"))
        return NULL;
    return PyLong_FromLong(frame_layers(self->frame)->proto);
}

static PyObject *internet_traffic_class_get(PyObject *self_, void *Py_UNUSED(closure))
{
    uint8_t version = 0;
    const uint8_t *bytes = ip_bytes((struct view *)self_, 0, 0, 2, &version, "traffic_class");
    if (!bytes)
        return NULL;
    return PyLong_FromLong(version == 4 ? bytes[1] : load_be16(bytes) >> 4 & 0xff);
}

static int internet_traffic_class_set(PyObject *self_, PyObject *value, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    uint8_t version = 0;
    long number = attribute_int(value, "traffic_class", 0, 255);
    if (number < 0 || !frame_writable(self->frame, "traffic_class"))
        return -1;
    uint8_t *bytes = ip_bytes(self, 0, 0, 2, &version, "traffic_class");
    if (!bytes)
        return -1;
    if (version == 4)
        bytes[1] = (uint8_t)number;
    else
        store_be16(bytes, (uint16_t)((load_be16(bytes) & 0xf00f) | number << 4));
    return 0;
}

/* The closure is the attribute's name: hop_limit or ttl. */
static PyObject *internet_hop_limit_get(PyObject *self_, void *closure)
{
    uint8_t version = 0;
    const uint8_t *bytes = ip_bytes((struct view *)self_, 8, 7, 1, &version, closure);
    return bytes ? PyLong_FromLong(bytes[0]) : NULL;
}

static int internet_hop_limit_set(PyObject *self_, PyObject *value, void *closure)
{
    const struct view *self = (struct view *)self_;
    uint8_t version = 0;
    long number = attribute_int(value, closure, 1, 255);
    if (number < 0 || !frame_writable(self->frame, closure))
        return -1;
    uint8_t *bytes = ip_bytes(self, 8, 7, 1, &version, closure);
    if (!bytes)
        return -1;
    bytes[0] = (uint8_t)number;
    return 0;
}

static PyObject *internet_hdr_len_get(PyObject *self_, void *Py_UNUSED(closure))
{
    uint8_t version = 0;
    const uint8_t *bytes = ip_bytes((struct view *)self_, 0, 0, 1, &version, "hdr_len");
    if (!bytes)
        return NULL;
    if (version == 6)
        Py_RETURN_NONE;
    return PyLong_FromLong(bytes[0] & 0x0f);
}

static PyObject *internet_pkt_len_get(PyObject *self_, void *Py_UNUSED(closure))
{
    uint8_t version = 0;
    const uint8_t *bytes = ip_bytes((struct view *)self_, 2, 0, 2, &version, "pkt_len");
    if (!bytes)
        return NULL;
    if (version == 6)
        Py_RETURN_NONE;
    return PyLong_FromLong(load_be16(bytes));
}

/* --- Addresses ------------------------------------------------------------------------------- */

/* One end of the packet: the closure of src_prefix and dst_prefix. */
struct address_end {
    const char *name;
    uint8_t offset4;
    uint8_t offset6;
};

static const struct address_end source = {"src_prefix", 12, 8};
static const struct address_end destination = {"dst_prefix", 16, 24};

static uint8_t *address_bytes(const struct view *self, const struct address_end *end,
                              uint8_t *version)
{
    uint32_t need = frame_layers(self->frame)->version == 4 ? 4 : 16;
    return ip_bytes(self, end->offset4, end->offset6, need, version, end->name);
}

static PyObject *internet_prefix_get(PyObject *self_, void *closure)
{
    const struct view *self = (struct view *)self_;
    uint8_t version = 0;
    const uint8_t *bytes = address_bytes(self, closure, &version);
    if (!bytes)
        return NULL;
    const struct ipp_api *api = self->frame->state->ipp_api;
    return api->prefix_new(api, version, bytes, IPP_NO_LENGTH);
}

static int internet_prefix_set(PyObject *self_, PyObject *value, void *closure)
{
    const struct view *self = (struct view *)self_;
    const struct address_end *end = closure;
    const struct ipp_api *api = self->frame->state->ipp_api;
    struct ipp_value prefix;
    uint8_t version = 0;
    if (!value) {
        PyErr_Format(PyExc_TypeError, "%s can't be deleted", end->name);
        return -1;
    }
    if (api->prefix_value(api, value, &prefix) < 0)
        return -1;
    if (!frame_writable(self->frame, end->name))
        return -1;
    uint8_t *bytes = address_bytes(self, end, &version);
    if (!bytes)
        return -1;
    if (prefix.version != version) {
        PyErr_Format(PyExc_TypeError, "%s must be an IPprefix of version %d, not %d", end->name,
                     version, prefix.version);
        return -1;
    }
    memcpy(bytes, prefix.addr, version == 4 ? 4 : 16);
    return 0;
}

#define PREFIX(id, end, text)                                                                      \
    {                                                                                              \
        .name = #id, .get = internet_prefix_get, .set = internet_prefix_set, .doc = (text),        \
        .closure = (void *)(uintptr_t) & (end)                                                     \
    }

static PyGetSetDef internet_getset[] = {
    READONLY(version, internet_version_get, "IP version: 4 or 6."),
    READONLY(proto, internet_proto_get,
             "IP protocol number; for IPv6 that of the transport, behind extension headers."),
    {.name = "traffic_class",
     .get = internet_traffic_class_get,
     .set = internet_traffic_class_set,
     .doc = "DSCP and ECN, 8 bits (RFC 2474, RFC 3168); settable, 0 to 255."},
    {.name = "hop_limit",
     .get = internet_hop_limit_get,
     .set = internet_hop_limit_set,
     .doc = "Hop limit, IPv4's time to live; settable, 1 to 255.",
     .closure = (void *)(uintptr_t) "hop_limit"},
    {.name = "ttl",
     .get = internet_hop_limit_get,
     .set = internet_hop_limit_set,
     .doc = "Time to live, IPv6's hop limit; settable, 1 to 255.",
     .closure = (void *)(uintptr_t) "ttl"},
    READONLY(hdr_len, internet_hdr_len_get,
             "IPv4 header length in units of 4 bytes; None for IPv6."),
    READONLY(pkt_len, internet_pkt_len_get, "IPv4 total length in bytes; None for IPv6."),
    PREFIX(src_prefix, source,
           "Source address, an IPprefix without length; settable to one of the same version."),
    PREFIX(dst_prefix, destination,
           "Destination address, an IPprefix without length; settable to one of the same version."),
    {.name = NULL}};

/* --- Checksums ------------------------------------------------------------------------------- */

static PyObject *checksum_result(enum checksum_state state)
{
    if (state == CHECKSUM_NONE)
        Py_RETURN_NONE;
    return PyBool_FromLong(state == CHECKSUM_GOOD);
}

static PyObject *internet_test_l3_cksm(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return checksum_result(checksum_test_network(((struct view *)self_)->frame));
}

static PyObject *internet_test_trans_cksm(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return checksum_result(checksum_test_transport(((struct view *)self_)->frame));
}

static PyObject *internet_set_l3_cksm(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct frame *frame = ((struct view *)self_)->frame;
    if (!frame_writable(frame, "checksum"))
        return NULL;
    if (!checksum_set_network(frame))
        Py_RETURN_NONE;
    Py_RETURN_TRUE;
}

static PyObject *internet_set_trans_cksm(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct frame *frame = ((struct view *)self_)->frame;
    if (!frame_writable(frame, "checksum"))
        return NULL;
    if (!checksum_set_transport(frame))
        Py_RETURN_NONE;
    Py_RETURN_TRUE;
}

static PyMethodDef internet_methods[] = {
    {"test_l3_cksm", internet_test_l3_cksm, METH_NOARGS,
     "test_l3_cksm($self, /)\n--\n\nWhether the IPv4 header checksum is right; changes "
     "nothing.\n\nNone where not all of the header was captured, and for IPv6."},
    {"set_l3_cksm", internet_set_l3_cksm, METH_NOARGS,
     "set_l3_cksm($self, /)\n--\n\nSet the IPv4 header checksum in place; True.\n\nNone where not "
     "all of the header was captured, and for IPv6."},
    {"test_trans_cksm", internet_test_trans_cksm, METH_NOARGS,
     "test_trans_cksm($self, /)\n--\n\nWhether the TCP, UDP, ICMP or ICMPv6 checksum is right; "
     "changes nothing.\n\nNone where not enough was captured, for fragments, and where there is no "
     "such checksum (a UDP checksum of 0 in IPv4 is none, RFC 768)."},
    {"set_trans_cksm", internet_set_trans_cksm, METH_NOARGS,
     "set_trans_cksm($self, /)\n--\n\nSet the TCP, UDP, ICMP or ICMPv6 checksum in place; "
     "True.\n\nNone where not enough was captured, for fragments, and for other protocols."},
    {"set_checksums", layer_set_checksums, METH_NOARGS,
     "set_checksums($self, /)\n--\n\nSet the checksums of IPv4 and of TCP, UDP, ICMP or ICMPv6 in "
     "place; True.\n\nValueError where the packet was not captured completely."},
    {.ml_name = NULL}};

static PyType_Slot internet_slots[] = {
    {Py_tp_doc, "An IP header or one above it: answers for the fields of the IP header."},
    {Py_tp_getset, internet_getset},
    {Py_tp_methods, internet_methods},
    {0, NULL}};

PyType_Spec internet_spec = {.name = "plt.Internet",
                             .basicsize = sizeof(struct view),
                             .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             .slots = internet_slots};
