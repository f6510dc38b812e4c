/* Flow keys: what of a packet tells its flow. */
#include "natkit/natkit.h"

#include "packet/protocols.h"
#include "packet/values.h"

#include <string.h>

enum natkit_key_result natkit_key_of(const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, struct natkit_key *key)
{
    memset(key, 0, sizeof(*key));
    if (layers->version == 0)
        return KEY_NOT_IP;
    key->bytes[KEY_VERSION] = layers->version;
    size_t size = natkit_addr_size(key);
    size_t src = layers->layer3 + (layers->version == 4 ? 12U : 8U);
    if (len < src + size)
        return KEY_NO_SRC;
    if (len < src + 2 * size)
        return KEY_NO_DST;
    memcpy(key->bytes + KEY_ADDRS, data + src, 2 * size);
    /* for IPv4 fragments but the first the protocol is 0, as it is in python-libtrace's keys */
    if (!layers->fragment || layers->version == 6)
        key->bytes[KEY_PROTO] = layers->proto;
    /* such a fragment has no transport, and so no ports, in either version */
    struct plt_packet packet = {.data = data, .len = len, .layers = layers};
    const uint8_t *ports = transport_bytes(&packet, 0, 4);
    if (ports && proto_has_ports(layers->proto))
        memcpy(key->bytes + KEY_SRC_PORT, ports, 4);
    return KEY_OK;
}

struct natkit_key natkit_key_reversed(const struct natkit_key *key)
{
    struct natkit_key reversed = {.bytes = {0}};
    size_t size = natkit_addr_size(key);

    memcpy(reversed.bytes, key->bytes, KEY_SRC_PORT);
    memcpy(reversed.bytes + KEY_SRC_PORT, key->bytes + KEY_DST_PORT, 2);
    memcpy(reversed.bytes + KEY_DST_PORT, key->bytes + KEY_SRC_PORT, 2);
    memcpy(reversed.bytes + KEY_ADDRS, natkit_key_dst(key), size);
    memcpy(reversed.bytes + KEY_ADDRS + size, natkit_key_src(key), size);
    return reversed;
}

PyObject *natkit_key_bytes(const struct natkit_key *key)
{
    return PyBytes_FromStringAndSize((const char *)key->bytes, (Py_ssize_t)natkit_key_size(key));
}

int natkit_key_of_object(const struct natkit_state *state, PyObject *obj, struct natkit_key *key,
                         uint16_t *ethertype)
{
    struct plt_packet packet = {.data = NULL};
    int found = state->plt_api->packet_of(state->plt_api, obj, &packet);

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
        PyErr_SetString(PyExc_ValueError, "Data too short for src_prefix"); /* nothing captured */
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
