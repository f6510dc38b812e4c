/* The type Internet: the attributes that IPv4 and IPv6 headers, and all objects after them, have.
 */
#include "internet.h"

#include "packet/icmpquote.h"

#include "attributes.h"
#include "checksum.h"
#include "errors.h"
#include "layers.h"
#include "state.h"
#include "view.h"

#include <string.h>

/* Why an IP header above an object has no value of a property, as ValueError; NULL. */
static void *raise_missing(const struct view *self, const struct property *row)
{
    if (frame_layers(self->frame)->version != 0 || self->type == VIEW_IP || self->type == VIEW_IP6)
        return too_short(row->name);
    PyErr_Format(PyExc_ValueError, "no IP header for %s", row->name);
    return NULL;
}

/* Where the IP header above an object has the bytes of a property, NULL with ValueError where they
 * were not all captured. */
static uint8_t *ip_bytes(const struct view *self, const struct property *row)
{
    struct frame *frame = self->frame;
    uint32_t at = property_ip_at(row->id, frame_layers(frame), frame->len);
    return at != PLT_ABSENT ? frame->data + at : raise_missing(self, row);
}

PyObject *prefix_at(const struct frame *frame, uint32_t at, uint32_t end, int version,
                    const char *name)
{
    if (at > end || end - at < (version == 4 ? 4 : 16))
        return too_short(name);
    const struct ipp_api *api = frame->state->ipp_api;
    return api->prefix_new(api, version, frame->data + at, IPP_NO_LENGTH);
}

PyObject *icmp_quote(const struct view *self, int version)
{
    struct frame *frame = self->frame;
    uint32_t len = view_ip_end(self) - self->start;
    uint32_t end = self->start + icmp_quote_end(version, frame->data + self->start, len);
    struct frame *quote =
        frame_child(frame, self->start + ICMP_HEADER, end, ROOT_NETWORK, (uint8_t)version);
    if (!quote)
        return NULL;
    PyObject *result = layer_get(quote, version == 4 ? VIEW_IP : VIEW_IP6);
    frame_release(quote);
    return result;
}

/* The closures are rows of property.h from here on. */
static PyObject *internet_property_get(PyObject *self_, void *closure)
{
    const struct view *self = (struct view *)self_;
    const struct property *row = closure;
    struct frame *frame = self->frame;
    struct plt_packet packet = {
        .data = frame->data, .len = frame->len, .layers = frame_layers(frame)};
    uint64_t value = 0;
    switch (property_value(row->id, &packet, &value)) {
    case VALUE_PRESENT:
        return property_object(frame, row, value);
    case VALUE_NONE:
        Py_RETURN_NONE;
    case VALUE_MISSING:
        break;
    }
    return raise_missing(self, row);
}

static int internet_traffic_class_set(PyObject *self_, PyObject *value, void *closure)
{
    const struct view *self = (struct view *)self_;
    int64_t number = attribute_int(value, "traffic_class", 0, 255);
    if (number < 0 || !frame_writable(self->frame, "traffic_class"))
        return -1;
    uint8_t *bytes = ip_bytes(self, closure);
    if (!bytes)
        return -1;
    if (frame_layers(self->frame)->version == 4)
        *bytes = (uint8_t)number;
    else
        store_be16(bytes, (uint16_t)((load_be16(bytes) & 0xf00f) | number << 4));
    return 0;
}

static int internet_hop_limit_set(PyObject *self_, PyObject *value, void *closure)
{
    const struct view *self = (struct view *)self_;
    const struct property *row = closure;
    int64_t number = attribute_int(value, row->name, 1, 255);
    if (number < 0 || !frame_writable(self->frame, row->name))
        return -1;
    uint8_t *bytes = ip_bytes(self, row);
    if (!bytes)
        return -1;
    *bytes = (uint8_t)number;
    return 0;
}

static PyObject *internet_proto_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct frame *frame = ((struct view *)self_)->frame;
    const struct plt_layers *layers = frame_layers(frame);
    /* IPv4's protocol is its tenth byte, IPv6's next header its seventh */
    if (layers->version && frame->len - layers->layer3 < (layers->version == 4 ? 10 : 7))
        return too_short("proto");
    return PyLong_FromLong(layers->proto);
}

/* --- Addresses ------------------------------------------------------------------------------- */

static PyObject *internet_prefix_get(PyObject *self_, void *closure)
{
    const struct view *self = (struct view *)self_;
    const uint8_t *bytes = ip_bytes(self, closure);
    if (!bytes)
        return NULL;
    const struct ipp_api *api = self->frame->state->ipp_api;
    return api->prefix_new(api, frame_layers(self->frame)->version, bytes, IPP_NO_LENGTH);
}

static int internet_prefix_set(PyObject *self_, PyObject *value, void *closure)
{
    const struct view *self = (struct view *)self_;
    const struct property *row = closure;
    const struct ipp_api *api = self->frame->state->ipp_api;
    struct ipp_value prefix;
    if (!value) {
        PyErr_Format(PyExc_TypeError, "%s can't be deleted", row->name);
        return -1;
    }
    if (api->prefix_value(api, value, &prefix) < 0)
        return -1;
    if (!frame_writable(self->frame, row->name))
        return -1;
    uint8_t *bytes = ip_bytes(self, row);
    if (!bytes)
        return -1;
    uint8_t version = frame_layers(self->frame)->version;
    if (prefix.version != version) {
        PyErr_Format(PyExc_TypeError, "%s must be an IPprefix of version %d, not %d", row->name,
                     version, prefix.version);
        return -1;
    }
    memcpy(bytes, prefix.addr, version == 4 ? 4 : 16);
    return 0;
}

#define internet_version_set attribute_readonly
#define internet_dscp_set    attribute_readonly
#define internet_ecn_set     attribute_readonly
#define internet_ttl_set     internet_hop_limit_set
#define internet_hdr_len_set attribute_readonly
#define internet_pkt_len_set attribute_readonly
#define IP_ATTRIBUTE(id, text, more, ...)                                                          \
    {.name = #id,                                                                                  \
     .get = internet_property_get,                                                                 \
     .set = internet_##id##_set,                                                                   \
     .doc = text more ".",                                                                         \
     .closure = (void *)(uintptr_t)&property_##id},
#define ADDRESS_ATTRIBUTE(id, text, more, ...)                                                     \
    {.name = #id,                                                                                  \
     .get = internet_prefix_get,                                                                   \
     .set = internet_prefix_set,                                                                   \
     .doc = text more ".",                                                                         \
     .closure = (void *)(uintptr_t)&property_##id},

static PyGetSetDef internet_getset[] = {
    IP_PROPERTIES(IP_ATTRIBUTE) ADDRESS_PROPERTIES(ADDRESS_ATTRIBUTE)
        READONLY(proto, internet_proto_get,
                 "IP protocol number; for IPv6 that of the transport, after extension headers."),
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
     "test_l3_cksm($self, /)\n--\n\n"
     "Whether the IPv4 header checksum is right; changes nothing.\n\n"
     "None where not all of the header was captured, and for IPv6."},
    {"set_l3_cksm", internet_set_l3_cksm, METH_NOARGS,
     "set_l3_cksm($self, /)\n--\n\n"
     "Set the IPv4 header checksum in place; True.\n\n"
     "None where not all of the header was captured, and for IPv6."},
    {"test_trans_cksm", internet_test_trans_cksm, METH_NOARGS,
     "test_trans_cksm($self, /)\n--\n\n"
     "Whether the TCP, UDP, ICMP or ICMPv6 checksum is right; changes nothing.\n\n"
     "None where not enough was captured, for fragments, and where there is no such checksum (a "
     "UDP checksum of 0 in IPv4 is none, RFC 768)."},
    {"set_trans_cksm", internet_set_trans_cksm, METH_NOARGS,
     "set_trans_cksm($self, /)\n--\n\n"
     "Set the TCP, UDP, ICMP or ICMPv6 checksum in place; True.\n\n"
     "None where not enough was captured, for fragments, and for other protocols."},
    {"set_checksums", layer_set_checksums, METH_NOARGS,
     "set_checksums($self, /)\n--\n\n"
     "Set the checksums of IPv4 and of TCP, UDP, ICMP or ICMPv6 in place; True.\n\n"
     "ValueError where the packet was not captured completely."},
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
