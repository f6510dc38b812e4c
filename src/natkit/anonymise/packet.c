/* CryptoPan.packet(): its arguments, access to the packet of a plt object, and the result. */
#include "packet.h"

#include "layers.h"
#include "packet/linktypes.h"

/* The packet's bytes in the writable buffer of its object; NULL with TypeError where the buffer is
 * elsewhere, as that of a subclass may be. */
static uint8_t *writable_data(const Py_buffer *buffer, const struct plt_packet *packet)
{
    uintptr_t data = (uintptr_t)packet->data;
    uintptr_t memory = (uintptr_t)buffer->buf;
    if (memory < data || memory - data > packet->len ||
        (size_t)buffer->len > packet->len - (memory - data)) {
        PyErr_SetString(PyExc_TypeError, "packet(): the object's buffer is not its packet");
        return NULL;
    }
    /* a layer's buffer begins within the packet */
    return (uint8_t *)buffer->buf - (memory - data);
}

/* An object's packet, and its buffer for writing: 0, or -1 with an exception. */
static int open_packet(const struct plt_api *api, PyObject *obj, struct plt_packet *packet,
                       Py_buffer *buffer)
{
    int found = api->packet_of(api, obj, packet);
    if (found < 0)
        return -1;
    if (found == 0) {
        PyErr_Format(PyExc_TypeError, "packet() takes a packet or layer object of plt, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(obj, buffer, PyBUF_WRITABLE) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError))
            PyErr_SetString(PyExc_TypeError, "packet(): the packet was made from read-only bytes");
        return -1;
    }
    /* again: a subclass's __buffer__ may have read another packet into the object */
    if (api->packet_of(api, obj, packet) == 1)
        return 0;
    PyBuffer_Release(buffer);
    return -1;
}

/* An argument that is "keep" or "zero", or "drop" where that is possible: 0, or -1 with an
 * exception. */
static int read_choice(const char *name, PyObject *value, bool *zero, bool *drop)
{
    if (PyUnicode_Check(value)) {
        *zero = PyUnicode_CompareWithASCIIString(value, "zero") == 0;
        if (drop)
            *drop = PyUnicode_CompareWithASCIIString(value, "drop") == 0;
        if (*zero || (drop && *drop) || PyUnicode_CompareWithASCIIString(value, "keep") == 0)
            return 0;
    }
    PyErr_Format(PyUnicode_Check(value) ? PyExc_ValueError : PyExc_TypeError,
                 drop ? "packet(): %s must be 'keep', 'zero' or 'drop', not %R"
                      : "packet(): %s must be 'keep' or 'zero', not %R",
                 name, value);
    return -1;
}

/* The keyword arguments: 0, or -1 with an exception. */
static int read_flags(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                      struct anonymising *out)
{
    static const char *const names[] = {"src", "dst", "signalling", "unknown", "payload"};
    enum { UNKNOWN = 3, PAYLOAD, NAMES };
    bool *const flags[] = {&out->src, &out->dst, &out->signalling};
    Py_ssize_t given = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs != 1) {
        PyErr_Format(PyExc_TypeError,
                     "packet() takes a packet and keyword arguments, not %zd arguments", nargs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        PyObject *value = args[nargs + i];
        size_t known = 0;
        while (known < NAMES && PyUnicode_CompareWithASCIIString(name, names[known]) != 0)
            known++;
        if (known == NAMES) {
            PyErr_Format(PyExc_TypeError, "packet() has no argument named %R", name);
            return -1;
        }
        if (known == UNKNOWN || known == PAYLOAD) {
            if (read_choice(names[known], value,
                            known == UNKNOWN ? &out->zero_unknown : &out->zero_payload,
                            known == UNKNOWN ? NULL : &out->drop_payload) < 0)
                return -1;
            continue;
        }
        int truth = PyObject_IsTrue(value);
        if (truth < 0)
            return -1;
        *flags[known] = truth;
    }
    return 0;
}

/* The text of a layer that was not looked through: "ESP", "OSPF type 4". */
static PyObject *unknown_text(const struct unknown_layer *layer)
{
    if (layer->number < 0)
        return PyUnicode_FromString(layer->what);
    return PyUnicode_FromFormat(layer->number > 0xff ? "%s 0x%04x" : "%s %u", layer->what,
                                (unsigned)layer->number);
}

/* A new Anonymised, NULL with an exception. */
static PyObject *new_result(struct natkit_state *state, const struct anonymising *work)
{
    PyObject *number = PyLong_FromUnsignedLong(work->replaced);
    PyObject *unknown = number ? PyTuple_New((Py_ssize_t)work->unknowns) : NULL;
    PyObject *result = NULL;
    for (unsigned i = 0; unknown && i < work->unknowns; i++) {
        PyObject *text = unknown_text(&work->unknown[i]);
        if (!text)
            goto error;
        PyTuple_SET_ITEM(unknown, (Py_ssize_t)i, text);
    }
    if (unknown)
        result = PyObject_CallFunctionObjArgs(state->result_type, number, unknown, NULL);
error:
    Py_XDECREF(unknown);
    Py_XDECREF(number);
    return result;
}

/* What packet() returns: one shared object for each small number of addresses, where nothing is
 * unknown. */
static PyObject *result_of(struct natkit_state *state, const struct anonymising *work)
{
    if (work->unknowns > 0 || work->replaced >= NATKIT_SHARED_RESULTS)
        return new_result(state, work);
    PyObject **shared = &state->results[work->replaced];
    if (!*shared)
        *shared = new_result(state, work);
    return Py_XNewRef(*shared);
}

PyObject *natkit_pan_packet(PyObject *self_, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames)
{
    const struct natkit_pan *self = (struct natkit_pan *)self_;
    const struct plt_api *api = self->state->plt_api;
    struct stretch frame = {.data = NULL};
    struct anonymising work = {.pan = self->pan, .src = true, .dst = true, .signalling = true};
    struct plt_packet packet;
    Py_buffer buffer;
    PyObject *result = NULL;
    if (read_flags(args, nargs, kwnames, &work) < 0 ||
        open_packet(api, args[0], &packet, &buffer) < 0)
        return NULL;
    if (work.drop_payload && api->packet_cut(api, args[0], PLT_ABSENT) < 0)
        goto error;
    frame = (struct stretch){.data = writable_data(&buffer, &packet), .len = packet.len};
    if (frame.data) {
        uint32_t linktype = packet.meta ? packet.meta->dlt : LINKTYPE_UNDECODED;
        natkit_anonymise(&work, &frame, packet.layers, linktype);
        if (natkit_pan_check(self->pan) == 0)
            result = result_of(self->state, &work);
    }
error:
    PyBuffer_Release(&buffer);
    if (result && work.payload &&
        api->packet_cut(api, args[0], (uint32_t)(work.payload - frame.data)) < 0)
        Py_CLEAR(result);
    return result;
}

const char natkit_pan_packet_doc[] =
    "packet($self, packet, /, *, src=True, dst=True, signalling=True, unknown='keep', "
    "payload='keep')\n--\n\n"
    "Anonymise a packet in place, and count the addresses that were replaced.\n\n"
    "packet is any packet or layer object of plt with writable bytes. The whole packet\n"
    "that the object is in is rewritten; for an object of a quoted or tunnelled packet,\n"
    "that packet alone.\n\n"
    "src and dst are whether to replace the source and the destination in IPv4 and IPv6\n"
    "headers: the packet's own; those that ICMP and ICMPv6 errors quote, where source\n"
    "and destination change places; and those in tunnels, up to eight within each\n"
    "other: IP in IP, GRE with any payload, ERSPAN, VXLAN (-GPE), Geneve, GTP-U,\n"
    "Teredo, L2TP, LISP, GUE, CAPWAP, LWAPP, TZSP, EtherIP, Ethernet in IP, AH, minimal\n"
    "encapsulation, MPLS, NSH, PIM's registers; and all packets of an 802.11 aggregate\n"
    "(A-MSDU). Tunnels over UDP are recognised by their port.\n\n"
    "signalling is whether to replace addresses in ARP, ICMP and ICMPv6, IGMP, OSPF\n"
    "hellos, PIM, VRRP and HSRP; in IPv4 options, IPv6 routing headers and Mobile IPv6;\n"
    "and in MPTCP and SCTP. Application data, such as DNS answers, and link-layer\n"
    "addresses are never changed.\n\n"
    "The result is an Anonymised: an int whose `unknown` names the layers that may hold\n"
    "addresses and were not looked through: encrypted and other tunnels, later\n"
    "fragments, protocols of routing and of address assignment, options of any header\n"
    "that are not known to hold none. `understood` is True where there was none.\n"
    "unknown='zero' sets the bytes of such layers to 0; types and lengths of options\n"
    "stay.\n\n"
    "payload='zero' sets to 0 what TCP, UDP, UDP-Lite, DCCP, SCTP and ICMP echoes\n"
    "carry, and what follows the IP packet. payload='drop' cuts a packet of a trace\n"
    "before the first such byte, as a snap length does: wire_len, the lengths in the\n"
    "headers and the checksums stay those of the whole packet.\n\n"
    "Checksums of IPv4, TCP, UDP, UDP-Lite, DCCP, SCTP, ICMP, ICMPv6, IGMP, GRE, OSPF,\n"
    "PIM, VRRP and Mobile IPv6 are adjusted by the change (RFC 1624), quoted and\n"
    "tunnelled ones too. A right one stays right, a wrong one stays wrong by as much,\n"
    "in packets that a snap length cut as well; a checksum of 0 that means none stays\n"
    "0. Keyed digests (AH, MPTCP, OSPF) become wrong. Of an address that was cut, the\n"
    "captured bytes are replaced.\n\n"
    "traceanon of libtrace 3 sets the outer checksums to 0 instead, and does not\n"
    "replace addresses in IPv6, tunnels or signalling. TypeError for read-only bytes,\n"
    "and for an object that is no packet or, with payload='drop', no packet of a trace;\n"
    "ValueError for an empty plt.packet() and for other values of unknown and payload.";
