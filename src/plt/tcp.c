/* The TCP header (RFC 9293 section 3.1) and its options. */
#include "packet/protocols.h"
#include "packet/tcpoptions.h"

#include "attributes.h"
#include "layers.h"
#include "view.h"

#define TCP_FLAG(X, id, byte_mask, text)                                                           \
    X(id, text, .base = BASE_TRANSPORT, .offset = 13, .width = 1, .mask = (byte_mask),             \
      .is_flag = true)

#define TCP_FIELDS(X)                                                                              \
    X(src_port, "Source port.", .base = BASE_TRANSPORT, .offset = 0, .width = 2, .mask = 0xffff)   \
    X(dst_port, "Destination port.", .base = BASE_TRANSPORT, .offset = 2, .width = 2,              \
      .mask = 0xffff)                                                                              \
    X(seq_nbr, "Sequence number, 32 bits.", .base = BASE_TRANSPORT, .offset = 4, .width = 4,       \
      .mask = 0xffffffff)                                                                          \
    X(ack_nbr, "Acknowledgement number, 32 bits.", .base = BASE_TRANSPORT, .offset = 8,            \
      .width = 4, .mask = 0xffffffff)                                                              \
    X(doff, "Data offset: the header's length in units of 4 bytes.", .unit = "4 bytes",            \
      .base = BASE_TRANSPORT, .offset = 12, .width = 1, .shift = 4, .mask = 0xf)                   \
    X(flags, "The 12 bits of reserved bits and flags.", .base = BASE_TRANSPORT, .offset = 12,      \
      .width = 2, .mask = 0xfff)                                                                   \
    TCP_FLAG(X, urg_flag, 0x20, "Whether URG is set.")                                             \
    TCP_FLAG(X, ack_flag, 0x10, "Whether ACK is set.")                                             \
    TCP_FLAG(X, psh_flag, 0x08, "Whether PSH is set.")                                             \
    TCP_FLAG(X, rst_flag, 0x04, "Whether RST is set.")                                             \
    TCP_FLAG(X, syn_flag, 0x02, "Whether SYN is set.")                                             \
    TCP_FLAG(X, fin_flag, 0x01, "Whether FIN is set.")                                             \
    X(window, "Window size as sent, not scaled.", .unit = "bytes", .base = BASE_TRANSPORT,         \
      .offset = 14, .width = 2, .mask = 0xffff)                                                    \
    X(checksum, "Checksum; settable, 0 to 65535.", .base = BASE_TRANSPORT, .offset = 16,           \
      .width = 2, .mask = 0xffff, .writable = true)                                                \
    X(urg_ptr, "Urgent pointer.", .unit = "bytes", .base = BASE_TRANSPORT, .offset = 18,           \
      .width = 2, .mask = 0xffff)

TCP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(tcp_table, VIEW_TCP, TCP_FIELDS)

/* The options area: 1 and its bounds, 0 where doff is 5 or less, -1 where it was not captured, or
 * the IP packet ends before. */
static int options_area(const struct view *self, uint32_t *start, uint32_t *end)
{
    uint32_t captured = view_ip_end(self) - self->start;
    *start = *end = self->start + TCP_HEADER;
    if (captured < TCP_HEADER)
        return -1;
    uint32_t length = (self->frame->data[self->start + 12] >> 4) * 4U;
    if (length <= TCP_HEADER)
        return 0;
    if (captured < length)
        return -1;
    *end = self->start + length;
    return 1;
}

static PyObject *tcp_options_data_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    uint32_t start = 0;
    uint32_t end = 0;
    if (options_area(self, &start, &end) < 0)
        Py_RETURN_FALSE;
    return view_bytes(self->frame, start, end);
}

static PyObject *tcp_option_numbers_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    const uint8_t *data = self->frame->data;
    char kinds[20]; /* 40 bytes of options, each 2 bytes or more */
    Py_ssize_t count = 0;
    uint32_t at = 0;
    uint32_t end = 0;
    struct tcp_option_place option;
    if (options_area(self, &at, &end) <= 0)
        Py_RETURN_FALSE;
    while (tcp_option_next(data, &at, end, &option))
        kinds[count++] = (char)option.kind;
    return PyByteArray_FromStringAndSize(kinds, count);
}

static PyObject *tcp_option(PyObject *self_, PyObject *arg)
{
    const struct view *self = (struct view *)self_;
    uint32_t at = 0;
    uint32_t end = 0;
    struct tcp_option_place option;
    int overflow = 0;
    long wanted = PyLong_AsLongAndOverflow(arg, &overflow);
    if (wanted == -1 && PyErr_Occurred())
        return NULL;
    if (wanted < 2 || wanted > 255) {
        PyErr_SetString(PyExc_SystemError, "TCP option numbers are 2 to 255");
        return NULL;
    }
    if (options_area(self, &at, &end) <= 0)
        Py_RETURN_FALSE;
    while (tcp_option_next(self->frame->data, &at, end, &option)) {
        if (option.kind != wanted)
            continue;
        if (option.size == 0)
            Py_RETURN_TRUE;
        return view_bytes(self->frame, option.value, option.value + option.size);
    }
    Py_RETURN_FALSE;
}

static PyObject *tcp_payload_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return view_transport_payload((struct view *)self_, PROTO_TCP);
}

static PyGetSetDef tcp_getset[] = {
    TCP_FIELDS(FIELD_ATTRIBUTE) TCP_PROPERTIES(HEADER_ATTRIBUTE)
        READONLY(options_data, tcp_options_data_get,
                 "The options as a new bytearray, empty without options; "
                 "False where they were not all captured."),
    READONLY(option_numbers, tcp_option_numbers_get,
             "The kinds of the options, a new bytearray without 0 (end) and 1 (no-operation); "
             "False without options and where they were not all captured."),
    READONLY(payload, tcp_payload_get,
             "What the segment carries, as far as captured, a Data object; "
             "None where that is nothing.\n\n"
             "It ends where the IP packet ends: Ethernet padding is no part of it. "
             "ValueError where the header is cut or its data offset is malformed."),
    {.name = NULL}};

static PyMethodDef tcp_methods[] = {
    {"option", tcp_option, METH_O,
     "option($self, number, /)\n--\n\n"
     "The value of an option as a new bytearray, True where it is there without one, "
     "False where it is absent.\n\n"
     "SystemError outside 2 to 255."},
    {.ml_name = NULL}};

static PyObject *tcp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_TCP);
}

static PyType_Slot tcp_slots[] = {
    {Py_tp_doc, "tcp(x, /)\n--\n\n"
                "The TCP header in or above a packet or layer object, or at the start of "
                "bytes.\n\n"
                "None where x has none; ValueError where x is neither."},
    {Py_tp_new, tcp_new},
    {Py_tp_getset, tcp_getset},
    {Py_tp_methods, tcp_methods},
    {0, NULL}};

PyType_Spec tcp_spec = {
    .name = "plt.tcp", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = tcp_slots};
