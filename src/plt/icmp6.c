/* ICMPv6 (RFC 4443) and the parts of its messages; neighbour discovery is RFC 4861. */
#include "packet/icmpquote.h"

#include "attributes.h"
#include "errors.h"
#include "internet.h"
#include "layers.h"
#include "view.h"

#define ICMP6_FIELDS(X)                                                                            \
    X(type, "Message type.", .base = BASE_TRANSPORT, .offset = 0, .width = 1, .mask = 0xff)        \
    X(code, "Message code.", .base = BASE_TRANSPORT, .offset = 1, .width = 1, .mask = 0xff)        \
    X(checksum, "Checksum; settable, 0 to 65535.", .base = BASE_TRANSPORT, .offset = 2,            \
      .width = 2, .mask = 0xffff, .writable = true)

#define ECHO6_FIELDS(X)                                                                            \
    X(ident, "Identifier.", .base = BASE_TRANSPORT, .offset = 4, .width = 2, .mask = 0xffff)       \
    X(sequence, "Sequence number.", .base = BASE_TRANSPORT, .offset = 6, .width = 2, .mask = 0xffff)

#define TOOBIG6_FIELDS(X)                                                                          \
    X(mtu, "MTU of the next-hop link in bytes.", .unit = "bytes", .base = BASE_TRANSPORT,          \
      .offset = 4, .width = 4, .mask = 0xffffffff)

#define PARAM6_FIELDS(X)                                                                           \
    X(pointer, "Offset of the error within the quoted packet.", .base = BASE_TRANSPORT,            \
      .offset = 4, .width = 4, .mask = 0xffffffff)

ICMP6_FIELDS(DEFINE_FIELD)
FIELD_TABLE(icmp6_table, VIEW_ICMP6, ICMP6_FIELDS)
ECHO6_FIELDS(DEFINE_FIELD)
FIELD_TABLE(echo6_table, VIEW_ECHO6, ECHO6_FIELDS)
TOOBIG6_FIELDS(DEFINE_FIELD)
FIELD_TABLE(toobig6_table, VIEW_TOOBIG6, TOOBIG6_FIELDS)
PARAM6_FIELDS(DEFINE_FIELD)
FIELD_TABLE(param6_table, VIEW_PARAM6, PARAM6_FIELDS)

enum { TOO_BIG = 2, PARAMETER_PROBLEM = 4, ECHO_REQUEST = 128, ECHO_REPLY = 129 };
enum { NEIGHBOUR_SOLICITATION = 135, REDIRECT = 137 };

/* Of a message of at least a byte. */
static uint8_t message_type(const struct view *self)
{
    return self->frame->data[self->start];
}

static PyObject *icmp6_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    if (view_ip_end(self) - self->start < ICMP_HEADER)
        return too_short("payload");
    if (message_type(self) < 1 || message_type(self) > PARAMETER_PROBLEM)
        return view_bytes(self->frame, self->start + ICMP_HEADER, view_ip_end(self));
    return icmp_quote(self, 6);
}

/* A part of the message as an object, None where the message's type has no such part. */
static PyObject *part(PyObject *self_, enum view_type type, uint8_t low, uint8_t high,
                      const char *name)
{
    const struct view *self = (struct view *)self_;
    if (self->end == self->start)
        return too_short(name);
    if (message_type(self) < low || message_type(self) > high)
        Py_RETURN_NONE;
    return view_new(self->frame, type, self->start, self->end);
}

static PyObject *icmp6_echo_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return part(self_, VIEW_ECHO6, ECHO_REQUEST, ECHO_REPLY, "echo");
}

static PyObject *icmp6_toobig_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return part(self_, VIEW_TOOBIG6, TOO_BIG, TOO_BIG, "toobig");
}

static PyObject *icmp6_param_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return part(self_, VIEW_PARAM6, PARAMETER_PROBLEM, PARAMETER_PROBLEM, "param");
}

static PyObject *icmp6_neighbour_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return part(self_, VIEW_NEIGHBOUR6, NEIGHBOUR_SOLICITATION, REDIRECT, "neighbour");
}

static PyGetSetDef icmp6_getset[] = {
    ICMP6_FIELDS(FIELD_ATTRIBUTE)
        READONLY(payload, icmp6_payload_get,
                 "For types 1 to 4 the quoted packet, an ip6 (None where nothing of it was "
                 "captured), which ends where the header says (RFC 4884); else the bytes from "
                 "byte 8 on, a new bytearray.\n\n"
                 "ValueError where the first 8 bytes are cut."),
    READONLY(echo, icmp6_echo_get,
             "Identifier and sequence number of an echo message; None for other types."),
    READONLY(toobig, icmp6_toobig_get, "The MTU of a packet-too-big; None for other types."),
    READONLY(param, icmp6_param_get, "The pointer of a parameter problem; None for other types."),
    READONLY(neighbour, icmp6_neighbour_get,
             "The addresses of a neighbour solicitation, advertisement or redirect; "
             "None for other types."),
    {.name = NULL}};

static PyObject *icmp6_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_ICMP6);
}

static PyType_Slot icmp6_slots[] = {
    {Py_tp_doc,
     "icmp6(x, /)\n--\n\n"
     "The ICMPv6 header in or above a packet or layer object, or at the start of bytes.\n\n"
     "None where x has none; ValueError where x is neither."},
    {Py_tp_new, icmp6_new},
    {Py_tp_getset, icmp6_getset},
    {0, NULL}};

PyType_Spec icmp6_spec = {.name = "plt.icmp6",
                          .basicsize = sizeof(struct view),
                          .flags = VIEW_FLAGS,
                          .slots = icmp6_slots};

/* --- The parts ------------------------------------------------------------------------------- */

static PyGetSetDef echo6_getset[] = {ECHO6_FIELDS(FIELD_ATTRIBUTE){.name = NULL}};
static PyGetSetDef toobig6_getset[] = {TOOBIG6_FIELDS(FIELD_ATTRIBUTE){.name = NULL}};
static PyGetSetDef param6_getset[] = {PARAM6_FIELDS(FIELD_ATTRIBUTE){.name = NULL}};

static PyObject *neighbour6_target_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    return prefix_at(self->frame, self->start + 8, view_ip_end(self), 6, "target_prefix");
}

static PyObject *neighbour6_dest_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    if (message_type(self) != REDIRECT)
        Py_RETURN_NONE;
    return prefix_at(self->frame, self->start + 24, view_ip_end(self), 6, "dest_prefix");
}

static PyGetSetDef neighbour6_getset[] = {
    READONLY(target_prefix, neighbour6_target_get,
             "Target address, an IPprefix (RFC 4861 sections 4.3 to 4.5)."),
    READONLY(dest_prefix, neighbour6_dest_get,
             "Destination address of a redirect, an IPprefix (RFC 4861 section 4.5); "
             "None for other types."),
    {.name = NULL}};

static PyType_Slot echo6_slots[] = {
    {Py_tp_doc, "The identifier and sequence number of an ICMPv6 echo message."},
    {Py_tp_getset, echo6_getset},
    {0, NULL}};
static PyType_Slot toobig6_slots[] = {{Py_tp_doc, "The MTU of an ICMPv6 packet-too-big message."},
                                      {Py_tp_getset, toobig6_getset},
                                      {0, NULL}};
static PyType_Slot param6_slots[] = {{Py_tp_doc, "The pointer of an ICMPv6 parameter problem."},
                                     {Py_tp_getset, param6_getset},
                                     {0, NULL}};
static PyType_Slot neighbour6_slots[] = {
    {Py_tp_doc, "The addresses of a neighbour discovery message."},
    {Py_tp_getset, neighbour6_getset},
    {0, NULL}};

#define PART_SPEC(type_name, type_slots)                                                           \
    {                                                                                              \
        .name = "plt." type_name, .basicsize = sizeof(struct view),                                \
        .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION, .slots = (type_slots)             \
    }

PyType_Spec echo6_spec = PART_SPEC("echo6", echo6_slots);
PyType_Spec toobig6_spec = PART_SPEC("toobig6", toobig6_slots);
PyType_Spec param6_spec = PART_SPEC("param6", param6_slots);
PyType_Spec neighbour6_spec = PART_SPEC("neighbour6", neighbour6_slots);
