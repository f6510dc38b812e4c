/* ICMP (RFC 792) and the parts of its messages. */
#include "packet/icmpquote.h"

#include "attributes.h"
#include "errors.h"
#include "internet.h"
#include "layers.h"
#include "view.h"

#define ICMP_FIELDS(X)                                                                             \
    X(type, "Message type.", .base = BASE_TRANSPORT, .offset = 0, .width = 1, .mask = 0xff)        \
    X(code, "Message code.", .base = BASE_TRANSPORT, .offset = 1, .width = 1, .mask = 0xff)        \
    X(checksum, "Checksum; settable, 0 to 65535.", .base = BASE_TRANSPORT, .offset = 2,            \
      .width = 2, .mask = 0xffff, .writable = true)

#define ECHO_FIELDS(X)                                                                             \
    X(ident, "Identifier.", .base = BASE_TRANSPORT, .offset = 4, .width = 2, .mask = 0xffff)       \
    X(sequence, "Sequence number.", .base = BASE_TRANSPORT, .offset = 6, .width = 2, .mask = 0xffff)

ICMP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(icmp_table, VIEW_ICMP, ICMP_FIELDS)
ECHO_FIELDS(DEFINE_FIELD)
FIELD_TABLE(echo_table, VIEW_ECHO, ECHO_FIELDS)

/* The message's type, -1 with ValueError where not even that was captured. */
static int message_type(const struct view *self, const char *name)
{
    if (self->end > self->start)
        return self->frame->data[self->start];
    too_short(name);
    return -1;
}

/* RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem. */
static bool quotes_a_packet(int type)
{
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static PyObject *icmp_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    if (view_ip_end(self) - self->start < ICMP_HEADER)
        return too_short("payload");
    if (!quotes_a_packet(self->frame->data[self->start]))
        return view_bytes(self->frame, self->start + ICMP_HEADER, view_ip_end(self));
    return icmp_quote(self, 4);
}

/* Echo, timestamp, information and address mask (RFC 950): all have identifier and sequence. */
static PyObject *icmp_echo_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    int type = message_type(self, "echo");
    if (type < 0)
        return NULL;
    if (type != 0 && type != 8 && (type < 13 || type > 18))
        Py_RETURN_NONE;
    return view_new(self->frame, VIEW_ECHO, self->start, self->end);
}

static PyObject *icmp_redirect_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    int type = message_type(self, "redirect");
    if (type < 0)
        return NULL;
    if (type != 5)
        Py_RETURN_NONE;
    return view_new(self->frame, VIEW_REDIRECT, self->start, self->end);
}

static PyGetSetDef icmp_getset[] = {
    ICMP_FIELDS(FIELD_ATTRIBUTE)
        READONLY(payload, icmp_payload_get,
                 "For types 3, 4, 5, 11 and 12 the quoted packet, an ip (None where nothing of "
                 "it was captured), which ends where the header says (RFC 4884); else the bytes "
                 "from byte 8 on, a new bytearray.\n\n"
                 "ValueError where the first 8 bytes are cut."),
    READONLY(echo, icmp_echo_get,
             "Identifier and sequence number of echo, timestamp, information and address mask "
             "messages; None for other types."),
    READONLY(redirect, icmp_redirect_get, "The gateway of a redirect; None for other types."),
    {.name = NULL}};

static PyObject *icmp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_ICMP);
}

static PyType_Slot icmp_slots[] = {
    {Py_tp_doc,
     "icmp(x, /)\n--\n\n"
     "The ICMP header in or above a packet or layer object, or at the start of bytes.\n\n"
     "None where x has none; ValueError where x is neither."},
    {Py_tp_new, icmp_new},
    {Py_tp_getset, icmp_getset},
    {0, NULL}};

PyType_Spec icmp_spec = {
    .name = "plt.icmp", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = icmp_slots};

/* --- The parts ------------------------------------------------------------------------------- */

static PyGetSetDef echo_getset[] = {ECHO_FIELDS(FIELD_ATTRIBUTE){.name = NULL}};

static PyType_Slot echo_slots[] = {
    {Py_tp_doc, "The identifier and sequence number of an ICMP message."},
    {Py_tp_getset, echo_getset},
    {0, NULL}};

PyType_Spec echo_spec = {.name = "plt.echo",
                         .basicsize = sizeof(struct view),
                         .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                         .slots = echo_slots};

static PyObject *redirect_gateway_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    return prefix_at(self->frame, self->start + 4, view_ip_end(self), 4, "gateway");
}

static PyGetSetDef redirect_getset[] = {
    READONLY(gateway, redirect_gateway_get, "Address of the better gateway, an IPprefix."),
    {.name = NULL}};

static PyType_Slot redirect_slots[] = {
    {Py_tp_doc, "The gateway of an ICMP redirect."}, {Py_tp_getset, redirect_getset}, {0, NULL}};

PyType_Spec redirect_spec = {.name = "plt.redirect",
                             .basicsize = sizeof(struct view),
                             .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             .slots = redirect_slots};
