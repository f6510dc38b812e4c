/* The flow key of a packet or layer object of plt, which plt's capsule gives access to. */
#include "packetkey.h"

#include "packet/protocols.h"

PyObject *natkit_key_bytes(const struct natkit_key *key)
{
    return PyBytes_FromStringAndSize((const char *)key->bytes, (Py_ssize_t)natkit_key_size(key));
}

int natkit_key_of_object(const struct plt_api *api, PyObject *obj, struct natkit_key *key,
                         uint16_t *ethertype)
{
    struct plt_packet packet = {.data = NULL};
    int found = api->packet_of(api, obj, &packet);
    if (found < 0)
        return -1;
    if (found == 0) {
        PyErr_Format(PyExc_ValueError, "a flow is of a packet or layer object of plt, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    switch (natkit_key_of(packet.data, packet.len, packet.layers, key)) {
    case KEY_OK:
        return 0;
    case KEY_NOT_IP:
        *ethertype = packet.layers->ethertype;
        if (packet.layers->layer3 != packet.len ||
            (*ethertype != ETHERTYPE_IP && *ethertype != ETHERTYPE_IP6))
            return 0;
        PyErr_SetString(
            PyExc_ValueError,
            "Data too short for src_prefix"); /* nothing of the IP header was captured */
        break;
    case KEY_NO_SRC:
        PyErr_SetString(PyExc_ValueError, "Data too short for src_prefix");
        break;
    case KEY_NO_DST:
        PyErr_SetString(PyExc_ValueError, "Data too short for dst_prefix");
        break;
    }
    return -1;
}
