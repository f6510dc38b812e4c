/* What the files of natkit share: the module's state, flow keys and home networks. */
#ifndef NATKIT_NATKIT_H
#define NATKIT_NATKIT_H

#include "common/capi.h"
#include "common/column.h"

#include <stdbool.h>
#include <stddef.h>

enum { NATKIT_SHARED_RESULTS = 16 };

struct natkit_state {
    PyTypeObject *flow_type;        /* owned: IPflow */
    PyTypeObject *home_type;        /* owned: FlowHome */
    PyTypeObject *pan_type;         /* owned: CryptoPan */
    PyTypeObject *table_type;       /* owned: FlowTable */
    PyTypeObject *flow_object_type; /* owned: Flow */
    PyTypeObject *flows_type;       /* owned: Flows */
    PyTypeObject *iterator_type;    /* owned: what iterates over a FlowTable */
    PyObject *result_type;          /* owned: natkit._anonymised.Anonymised */
    /* owned: results of packets that were wholly understood, by their number; NULL until needed */
    PyObject *results[NATKIT_SHARED_RESULTS];
    struct batch_types batch_types;
    PyObject *ipp;                 /* owned: the module ipp._ipp, which owns the next */
    const struct ipp_api *ipp_api; /* borrowed */
    PyObject *plt;                 /* owned: the module plt._plt, which owns the next */
    const struct plt_api *plt_api; /* borrowed */
};

extern struct PyModuleDef natkit_module;
extern PyType_Spec natkit_flow_spec, natkit_home_spec;
extern PyType_Spec natkit_pan_spec;
extern PyType_Spec natkit_table_spec, natkit_flow_object_spec, natkit_flows_spec;
extern PyType_Spec natkit_iterator_spec;

/* The state of the module that made type, or a base of it; NULL with an exception. */
struct natkit_state *natkit_state_of(PyTypeObject *type);
/* An attribute of an object, as PyObject_GetAttrString: that makes a new str of the name each time,
 * and the interpreter's cache of attributes keeps thousands of them. */
PyObject *natkit_attribute(PyObject *obj, const char *name);
/* What a Python subclass has added to an object, for pickle: its __dict__ and __slots__. */
PyObject *natkit_added_state(PyObject *obj);

/* --- Flow keys ------------------------------------------------------------------------------- */

/* Where the parts of a key are; the destination address follows the source address. */
enum {
    KEY_VERSION = 0,
    KEY_PROTO = 1,
    KEY_SRC_PORT = 2,
    KEY_DST_PORT = 4,
    KEY_ADDRS = 6,
    KEY_SIZE_4 = KEY_ADDRS + 2 * 4,
    KEY_SIZE_6 = KEY_ADDRS + 2 * 16
};

/* What tells a flow from others: IP version, protocol, ports and addresses, in network order. */
struct natkit_key {
    uint8_t bytes[KEY_SIZE_6]; /* those past a key's own size are zero */
};

static inline size_t natkit_addr_size(const struct natkit_key *key)
{
    return key->bytes[KEY_VERSION] == 4 ? 4 : 16;
}

static inline size_t natkit_key_size(const struct natkit_key *key)
{
    return KEY_ADDRS + 2 * natkit_addr_size(key);
}

static inline const uint8_t *natkit_key_src(const struct natkit_key *key)
{
    return key->bytes + KEY_ADDRS;
}

static inline const uint8_t *natkit_key_dst(const struct natkit_key *key)
{
    return key->bytes + KEY_ADDRS + natkit_addr_size(key);
}

enum natkit_key_result { KEY_OK, KEY_NOT_IP, KEY_NO_SRC, KEY_NO_DST };

/* The key of a packet, source first; neither this nor the next needs Python. */
enum natkit_key_result natkit_key_of(const uint8_t *data, uint32_t len,
                                     const struct plt_layers *layers, struct natkit_key *key);
/* The key with source and destination swapped. */
struct natkit_key natkit_key_reversed(const struct natkit_key *key);

/* The key as new bytes, without those past its size. */
PyObject *natkit_key_bytes(const struct natkit_key *key);
/* The key of a plt object's packet, all zero and *ethertype set where that is not IP: 0, or -1 with
 * ValueError. */
int natkit_key_of_object(const struct natkit_state *state, PyObject *obj, struct natkit_key *key,
                         uint16_t *ethertype);

/* --- IPflow and FlowHome --------------------------------------------------------------------- */

/* What an IPflow knows of its ends: whether they are at home, or that nobody asked. */
enum { NO_HOME = -1, NOT_AT_HOME = 0, AT_HOME = 1 };

struct natkit_flow {
    PyObject ob_base;
    struct natkit_key key;
    int src_in_home; /* NO_HOME in both or in neither */
    int dst_in_home;
    uint16_t ethertype; /* of a packet that is not IP, whose flow has no key */
};

/* Whether an IPflow has a key; that of a packet which is not IP has none, and is false. */
static inline bool natkit_flow_has_key(PyObject *self_)
{
    return ((const struct natkit_flow *)self_)->key.bytes[KEY_VERSION] != 0;
}

/* The key of an object that is known to be an IPflow, NULL with ValueError where it has none. */
const struct natkit_key *natkit_flow_key(PyObject *self_);

/* A new IPflow, NULL with an exception. */
PyObject *natkit_flow_new(const struct natkit_state *state, const struct natkit_key *key,
                          int src_in_home, int dst_in_home);
/* The same of a packet that is not IP. */
PyObject *natkit_flow_not_ip(const struct natkit_state *state, uint16_t ethertype);
/* IPflow(obj) without the tuple that tp_new is called with. */
PyObject *natkit_flow_vectorcall(PyObject *type_, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames);
/* Its attributes and what else it tells, in flowattributes.c. */
extern PyGetSetDef natkit_flow_getset[];
PyObject *natkit_flow_str(PyObject *self_);
PyObject *natkit_flow_repr(PyObject *self_);
PyObject *natkit_flow_reduce(PyObject *self_, PyObject *args);

struct home_prefix {
    uint8_t addr[16]; /* bits after the length are zero */
    uint8_t length;
};

/* The home networks of one IP version: sorted, and none within another. */
struct home_networks {
    struct home_prefix *prefixes; /* owned */
    size_t count;
};

struct natkit_home {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct home_networks ip4;
    struct home_networks ip6;
};

/* Whether an address of 4 or 16 bytes is at home; needs no Python. */
bool natkit_at_home(const struct natkit_home *home, int version, const uint8_t *addr);

/* --- Anonymisation --------------------------------------------------------------------------- */

#define CRYPTOPAN_KEY_SIZE 32

/* A keyed mapping of addresses, and answers that it has given; for one thread at a time. */
struct cryptopan;

/* Of a key of CRYPTOPAN_KEY_SIZE bytes; NULL when out of memory or where OpenSSL has no AES. */
struct cryptopan *cryptopan_new(const uint8_t *key);
struct cryptopan *cryptopan_copy(const struct cryptopan *from);
void cryptopan_free(struct cryptopan *self);
/* Map an address of 4 or 16 bytes in place, and back. */
void cryptopan_anonymise(struct cryptopan *self, int version, uint8_t *addr);
void cryptopan_deanonymise(struct cryptopan *self, int version, uint8_t *addr);
/* Whether OpenSSL ever failed: what was mapped is then not to be used. */
bool cryptopan_failed(const struct cryptopan *self);

struct natkit_pan {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct cryptopan *pan;      /* owned */
};

/* 0, or -1 with RuntimeError where OpenSSL failed. */
int natkit_pan_check(const struct cryptopan *pan);
PyObject *natkit_pan_addresses(PyObject *self_, PyObject *args, PyObject *kwargs);
extern const char natkit_pan_packet_doc[];
PyObject *natkit_pan_packet(PyObject *self_, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);

/* --- Functions of the module ----------------------------------------------------------------- */

PyObject *natkit_ba_get_short(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_ba_get_long(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

PyObject *natkit_seq_add(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_sub(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_lt(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_le(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_gt(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *natkit_seq_ge(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif
