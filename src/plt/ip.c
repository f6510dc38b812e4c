/* The IPv4 header (RFC 791). */
#include "attributes.h"
#include "checksum.h"
#include "errors.h"
#include "layers.h"
#include "view.h"

#define IP_FIELDS(X)                                                                               \
    X(ident, "Identification, 16 bits.", .base = BASE_IP, .offset = 4, .width = 2, .mask = 0xffff) \
    X(has_rf, "Whether the reserved flag is set.", .base = BASE_IP, .offset = 6, .width = 1,       \
      .mask = 0x80, .is_flag = true)                                                               \
    X(has_df, "Whether Don't Fragment is set.", .base = BASE_IP, .offset = 6, .width = 1,          \
      .mask = 0x40, .is_flag = true)                                                               \
    X(has_mf, "Whether More Fragments is set.", .base = BASE_IP, .offset = 6, .width = 1,          \
      .mask = 0x20, .is_flag = true)                                                               \
    X(frag_offset, "Fragment offset in units of 8 bytes.", .unit = "8 bytes", .base = BASE_IP,     \
      .offset = 6, .width = 2, .mask = 0x1fff)                                                     \
    X(checksum, "Header checksum; settable, 0 to 65535.", .base = BASE_IP, .offset = 10,           \
      .width = 2, .mask = 0xffff, .writable = true)                                                \
    X(hdr_checksum, "Header checksum; settable, 0 to 65535.", .base = BASE_IP, .offset = 10,       \
      .width = 2, .mask = 0xffff, .writable = true)

IP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(ip_table, VIEW_IP, IP_FIELDS)

static PyObject *ip_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct frame *frame = ((struct view *)self_)->frame;
    const struct plt_layers *layers = frame_layers(frame);
    if (layers->fragment) {
        PyErr_SetString(PyExc_ValueError, "no payload: not the first fragment of its packet");
        return NULL;
    }
    if (layers->payload == PLT_ABSENT)
        return too_short("payload");
    return view_bytes(frame, layers->payload, layers->ip_end);
}

static PyGetSetDef ip_getset[] = {
    IP_FIELDS(FIELD_ATTRIBUTE)
        READONLY(payload, ip_payload_get,
                 "What the packet carries, to its end by its own length, as far as captured, "
                 "a new bytearray.\n\n"
                 "ValueError where the header is cut and in fragments but the first."),
    {.name = NULL}};

static PyObject *ip_checksum_ok(PyObject *self_, PyObject *Py_UNUSED(args))
{
    enum checksum_state state = checksum_test_network(((struct view *)self_)->frame);
    if (state == CHECKSUM_NONE)
        Py_RETURN_NONE;
    return PyBool_FromLong(state == CHECKSUM_GOOD);
}

static PyObject *ip_set_checksum(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct frame *frame = ((struct view *)self_)->frame;
    if (!frame_writable(frame, "checksum"))
        return NULL;
    if (!checksum_set_network(frame))
        return too_short("checksum");
    Py_RETURN_TRUE;
}

static PyMethodDef ip_methods[] = {
    {"checksum_ok", ip_checksum_ok, METH_NOARGS,
     "checksum_ok($self, /)\n--\n\n"
     "Whether the header checksum is right; None where the header is cut."},
    {"set_checksum", ip_set_checksum, METH_NOARGS,
     "set_checksum($self, /)\n--\n\n"
     "Set the header checksum in place; True.\n\n"
     "ValueError where the header is cut."},
    {.ml_name = NULL}};

static PyObject *ip_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_IP);
}

static PyType_Slot ip_slots[] = {
    {Py_tp_doc, "ip(x, /)\n--\n\n"
                "The IPv4 header in or above a packet or layer object, or at the start of "
                "bytes.\n\n"
                "None where x has none; ValueError where x is neither."},
    {Py_tp_new, ip_new},
    {Py_tp_getset, ip_getset},
    {Py_tp_methods, ip_methods},
    {0, NULL}};

PyType_Spec ip_spec = {
    .name = "plt.ip", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = ip_slots};
