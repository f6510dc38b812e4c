/* An ARP packet (RFC 826). */
#include "attributes.h"
#include "layers.h"
#include "view.h"

#define ARP_FIELDS(X)                                                                              \
    X(hardware_type, "Hardware type, 1 for Ethernet.", .base = BASE_ARP, .offset = 0, .width = 2,  \
      .mask = 0xffff)                                                                              \
    X(protocol_type, "Protocol type, an ethertype: 0x0800 for IPv4.", .base = BASE_ARP,            \
      .offset = 2, .width = 2, .mask = 0xffff)                                                     \
    X(hardware_len, "Length of a hardware address in bytes.", .unit = "bytes", .base = BASE_ARP,   \
      .offset = 4, .width = 1, .mask = 0xff)                                                       \
    X(protocol_len, "Length of a protocol address in bytes.", .unit = "bytes", .base = BASE_ARP,   \
      .offset = 5, .width = 1, .mask = 0xff)                                                       \
    X(op, "Operation: 1 request, 2 reply.", .base = BASE_ARP, .offset = 6, .width = 2,             \
      .mask = 0xffff)

ARP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(arp_table, VIEW_ARP, ARP_FIELDS)

static PyGetSetDef arp_getset[] = {ARP_FIELDS(FIELD_ATTRIBUTE)
                                       ARP_PROPERTIES(HEADER_ATTRIBUTE){.name = NULL}};

static PyObject *arp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_ARP);
}

static PyType_Slot arp_slots[] = {
    {Py_tp_doc, "arp(x, /)\n--\n\n"
                "The ARP packet in a packet or layer object, or at the start of bytes.\n\n"
                "None where x has none; ValueError where x is neither."},
    {Py_tp_new, arp_new},
    {Py_tp_getset, arp_getset},
    {0, NULL}};

PyType_Spec arp_spec = {
    .name = "plt.arp", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = arp_slots};
