/* The attributes of an IPflow, its text and its pickle. */
#include "attributes.h"

#include "natkit/natkit.h"

#include "packet/bytes.h"
#include "packetkey.h"

#define NOT_IP "not an IP packet: ethertype 0x%04x"

const struct natkit_key *ipflow_key(PyObject *self_)
{
    const struct ipflow *self = (const struct ipflow *)self_;
    if (ipflow_has_key(self_))
        return &self->key;
    PyErr_Format(PyExc_ValueError, NOT_IP, self->notes.ethertype);
    return NULL;
}

/* The IPflow itself, where it has a key. */
static const struct ipflow *ipflow_of(PyObject *self_)
{
    return ipflow_key(self_) ? (const struct ipflow *)self_ : NULL;
}

/* --- Attributes ------------------------------------------------------------------------------ */

static PyObject *ipflow_fwd_key_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? natkit_key_bytes(key) : NULL;
}

static PyObject *ipflow_rev_key_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    if (!key)
        return NULL;
    struct natkit_key reversed = natkit_key_reversed(key);
    return natkit_key_bytes(&reversed);
}

static PyObject *ipflow_home_key_get(PyObject *self_, void *closure)
{
    const struct ipflow *self = ipflow_of(self_);
    if (!self)
        return NULL;
    if (self->dst_in_home == NO_HOME)
        Py_RETURN_NONE;
    return self->dst_in_home == AT_HOME ? ipflow_fwd_key_get(self_, closure)
                                        : ipflow_rev_key_get(self_, closure);
}

static PyObject *ipflow_version_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? PyLong_FromLong(key->bytes[KEY_VERSION]) : NULL;
}

static PyObject *ipflow_proto_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? PyLong_FromLong(key->bytes[KEY_PROTO]) : NULL;
}

static PyObject *ipflow_src_port_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? PyLong_FromLong(load_be16(key->bytes + KEY_SRC_PORT)) : NULL;
}

static PyObject *ipflow_dst_port_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? PyLong_FromLong(load_be16(key->bytes + KEY_DST_PORT)) : NULL;
}

/* An IPprefix without length, of an address in the key. */
static PyObject *prefix_of(PyObject *self_, const struct natkit_key *key, const uint8_t *addr)
{
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    return state->ipp_api->prefix_new(state->ipp_api, key->bytes[KEY_VERSION], addr, IPP_NO_LENGTH);
}

static PyObject *ipflow_src_prefix_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? prefix_of(self_, key, natkit_key_src(key)) : NULL;
}

static PyObject *ipflow_dst_prefix_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct natkit_key *key = ipflow_key(self_);
    return key ? prefix_of(self_, key, natkit_key_dst(key)) : NULL;
}

static PyObject *in_home_object(int in_home)
{
    if (in_home == NO_HOME)
        Py_RETURN_NONE;
    return PyBool_FromLong(in_home == AT_HOME);
}

static PyObject *ipflow_src_in_home_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipflow *self = ipflow_of(self_);
    return self ? in_home_object(self->src_in_home) : NULL;
}

static PyObject *ipflow_dst_in_home_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipflow *self = ipflow_of(self_);
    return self ? in_home_object(self->dst_in_home) : NULL;
}

static PyObject *ipflow_is_inward_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct ipflow *self = ipflow_of(self_);
    if (!self)
        return NULL;
    if (self->src_in_home == NO_HOME)
        Py_RETURN_NONE;
    return PyBool_FromLong(self->src_in_home != self->dst_in_home);
}

bool natkit_key_community_id(const struct natkit_key *key, const uint8_t *icmp, uint16_t seed,
                             char out[COMMUNITY_ID_ROOM])
{
    uint8_t proto = key->bytes[KEY_PROTO];
    struct community_tuple tuple = {.src = natkit_key_src(key),
                                    .dst = natkit_key_dst(key),
                                    .size = (uint32_t)natkit_addr_size(key),
                                    .proto = proto,
                                    .src_port = load_be16(key->bytes + KEY_SRC_PORT),
                                    .dst_port = load_be16(key->bytes + KEY_DST_PORT)};
    bool has_ports = tuple.src_port != 0 || tuple.dst_port != 0;
    bool has_types = community_has_types(proto);
    if (proto == 0 || (has_types && !icmp) || (community_has_ports(proto) && !has_ports))
        return false;
    if (has_types) {
        tuple.src_port = icmp[0];
        tuple.dst_port = icmp[1];
    }
    community_id(&tuple, seed, out);
    return true;
}

static PyObject *community_id_object(PyObject *self_, uint16_t seed)
{
    const struct ipflow *self = ipflow_of(self_);
    char text[COMMUNITY_ID_ROOM];
    if (!self)
        return NULL;
    const uint8_t *icmp = self->notes.has_icmp ? self->notes.icmp : NULL;
    if (!natkit_key_community_id(&self->key, icmp, seed, text))
        Py_RETURN_NONE;
    return PyUnicode_FromString(text);
}

static PyObject *ipflow_community_id_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return community_id_object(self_, 0);
}

const char natkit_community_id_doc[] =
    "community_id($module, flow, seed=0)\n--\n\n"
    "The Community ID, version 1, of an IPflow, with a seed of 0 to 65535: a str.\n\n"
    "None where IPflow.community_id is None, ValueError where the packet was not IP and for\n"
    "any other seed.";

PyObject *natkit_community_id(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char flow_word[] = "flow", seed_word[] = "seed";
    static char *keywords[] = {flow_word, seed_word, NULL};
    const struct natkit_state *state = PyModule_GetState(module);
    PyObject *flow = NULL; /* borrowed from args */
    long seed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|l:community_id", keywords,
                                     state->ipflow_type, &flow, &seed))
        return NULL;
    if (seed < 0 || seed > UINT16_MAX)
        return PyErr_Format(PyExc_ValueError, "seed must be in 0..%d, not %ld", UINT16_MAX, seed);
    return community_id_object(flow, (uint16_t)seed);
}

PyGetSetDef ipflow_getset[] = {
    {.name = "version", .get = ipflow_version_get, .doc = "IP version: 4 or 6."},
    {.name = "proto",
     .get = ipflow_proto_get,
     .doc = "IP protocol of the transport, after IPv6 extension headers.\n\n"
            "0 for later IPv4 fragments, which have no transport header."},
    {.name = "src_port",
     .get = ipflow_src_port_get,
     .doc = "Source port of TCP, UDP, SCTP, DCCP or UDP-Lite.\n\n"
            "0 where there is none: for other protocols, for later fragments, and where the two\n"
            "ports were not both captured."},
    {.name = "dst_port",
     .get = ipflow_dst_port_get,
     .doc = "Destination port, 0 where there is none: as src_port."},
    {.name = "src_prefix",
     .get = ipflow_src_prefix_get,
     .doc = "Source address: a new IPprefix without length."},
    {.name = "dst_prefix",
     .get = ipflow_dst_prefix_get,
     .doc = "Destination address: a new IPprefix without length."},
    {.name = "fwd_key",
     .get = ipflow_fwd_key_get,
     .doc = "The flow's key as bytes, in the order of the packet.\n\n"
            "IP version and protocol, a byte each; source and destination port, 2 bytes each;\n"
            "source and destination address. All are in network order: 14 bytes for IPv4, 38\n"
            "for IPv6."},
    {.name = "rev_key",
     .get = ipflow_rev_key_get,
     .doc = "The key of the other direction: fwd_key with source and destination swapped."},
    {.name = "home_key",
     .get = ipflow_home_key_get,
     .doc = "The key in the direction into the home network: the same for both directions of a\n"
            "flow that crosses its border.\n\n"
            "fwd_key where the destination is at home, else rev_key; None without a FlowHome."},
    {.name = "community_id",
     .get = ipflow_community_id_get,
     .doc = "The flow's Community ID, version 1 with a seed of 0: the same in both directions.\n\n"
            "natkit.community_id() takes another seed. None where the ports of TCP, UDP or SCTP\n"
            "are not known, or the type of ICMP: an IPflow that from_key() made has it if it was\n"
            "given."},
    {.name = "src_in_home",
     .get = ipflow_src_in_home_get,
     .doc = "Whether the source address is at home; None without a FlowHome."},
    {.name = "dst_in_home",
     .get = ipflow_dst_in_home_get,
     .doc = "Whether the destination address is at home; None without a FlowHome."},
    {.name = "is_inward",
     .get = ipflow_is_inward_get,
     .doc = "Whether just one end is at home: the flow crosses the border, in either direction.\n\n"
            "None without a FlowHome."},
    {.name = NULL}};

/* --- Text and pickle ------------------------------------------------------------------------- */

static const char *protocol_name(uint8_t proto)
{
    switch (proto) {
    case 6:
        return "TCP";
    case 17:
        return "UDP";
    case 33:
        return "DCCP";
    case 132:
        return "SCTP";
    case 136:
        return "UDP-Lite";
    default:
        return NULL;
    }
}

PyObject *ipflow_str(PyObject *self_)
{
    const struct ipflow *self = (const struct ipflow *)self_;
    const struct natkit_key *key = &self->key;
    if (!ipflow_has_key(self_))
        return PyUnicode_FromFormat(NOT_IP, self->notes.ethertype);
    const char *name = protocol_name(key->bytes[KEY_PROTO]);
    PyObject *src = prefix_of(self_, key, natkit_key_src(key));
    PyObject *dst = src ? prefix_of(self_, key, natkit_key_dst(key)) : NULL;
    PyObject *text = NULL;

    if (dst && name)
        text = PyUnicode_FromFormat("%s %S port %d to %S port %d", name, src,
                                    load_be16(key->bytes + KEY_SRC_PORT), dst,
                                    load_be16(key->bytes + KEY_DST_PORT));
    else if (dst)
        text = PyUnicode_FromFormat("IPv%d protocol %d, %S to %S", key->bytes[KEY_VERSION],
                                    key->bytes[KEY_PROTO], src, dst);
    Py_XDECREF(src);
    Py_XDECREF(dst);
    return text;
}

PyObject *ipflow_repr(PyObject *self_)
{
    PyObject *text = ipflow_str(self_);
    if (!text)
        return NULL;
    PyObject *result = PyUnicode_FromFormat("<%s: %U>", Py_TYPE(self_)->tp_name, text);
    Py_DECREF(text);
    return result;
}

PyObject *ipflow_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    if (!ipflow_key(self_))
        return NULL;
    const struct key_notes *notes = &((const struct ipflow *)self_)->notes;
    const char *icmp = notes->has_icmp ? (const char *)notes->icmp : NULL; /* NULL becomes None */
    PyObject *from_key = natkit_attribute((PyObject *)Py_TYPE(self_), "from_key");
    PyObject *added = from_key ? natkit_added_state(self_) : NULL;
    PyObject *result = NULL;

    if (added) /* a NULL from a getter passes Py_BuildValue's N, with its exception */
        result = Py_BuildValue("O(NNNy#)O", from_key, ipflow_fwd_key_get(self_, NULL),
                               ipflow_src_in_home_get(self_, NULL),
                               ipflow_dst_in_home_get(self_, NULL), icmp, (Py_ssize_t)2, added);
    Py_XDECREF(added);
    Py_XDECREF(from_key);
    return result;
}
