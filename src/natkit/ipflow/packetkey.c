/* The flow key of a packet or layer object of plt, which plt's capsule gives access to. */
#include "packetkey.h"

#include "packet/communityid.h"
#include "packet/protocols.h"
#include "packet/values.h"

#include <string.h>

PyObject *natkit_key_bytes(const struct natkit_key *key)
{
    return PyBytes_FromStringAndSize((const char *)key->bytes, (Py_ssize_t)natkit_key_size(key));
}

static void note_icmp(const struct plt_packet *packet, const struct natkit_key *key,
                      struct key_notes *notes)
{
    bool has_types = community_has_types(key->bytes[KEY_PROTO]);
    const uint8_t *bytes = has_types ? transport_bytes(packet, 0, 2) : NULL;
    notes->has_icmp = bytes != NULL;
    if (bytes)
        memcpy(notes->icmp, bytes, 2);
}

int natkit_key_of_object(const struct plt_api *api, PyObject *obj, struct natkit_key *key,
                         struct key_notes *notes)
{
    struct plt_packet packet = {.data = NULL};
    *notes = (struct key_notes){.ethertype = 0};
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
        note_icmp(&packet, key, notes);
        return 0;
    case KEY_NOT_IP:
        notes->ethertype = packet.layers->ethertype;
        if (packet.layers->layer3 != PLT_ABSENT ||
            (notes->ethertype != ETHERTYPE_IP && notes->ethertype != ETHERTYPE_IP6))
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
