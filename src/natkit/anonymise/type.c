/* The type CryptoPan: its key, and the methods for single prefixes. */
#include "type.h"

#include "addresses.h"
#include "common/method.h"
#include "common/subclass.h"
#include "packet.h"
#include "pan.h"

#include <openssl/crypto.h>
#include <string.h>

/* --- Making one ------------------------------------------------------------------------------ */

/* The key of a str or bytes-like object, filled up with zeros: 0, or -1 with an exception. */
static int read_key(PyObject *obj, uint8_t key[CRYPTOPAN_KEY_SIZE])
{
    Py_buffer buffer;
    PyObject *encoded = NULL;
    int result = -1;
    if (PyUnicode_Check(obj)) {
        /* the bytes of a command line's argument: sys.argv may have surrogates for some */
        encoded = PyUnicode_AsEncodedString(obj, "utf-8", "surrogateescape");
        if (!encoded)
            return -1;
        obj = encoded;
    } else if (!PyObject_CheckBuffer(obj)) {
        PyErr_Format(PyExc_TypeError, "CryptoPan(): the key must be str or bytes-like, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) == 0) {
        if (buffer.len >= 1 && buffer.len <= CRYPTOPAN_KEY_SIZE) {
            memset(key, 0, CRYPTOPAN_KEY_SIZE);
            memcpy(key, buffer.buf, (size_t)buffer.len);
            result = 0;
        } else {
            PyErr_Format(PyExc_ValueError, "CryptoPan(): the key must be 1 to %d bytes, not %zd",
                         CRYPTOPAN_KEY_SIZE, buffer.len);
        }
        PyBuffer_Release(&buffer);
    }
    Py_XDECREF(encoded);
    return result;
}

static PyObject *pan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char key_word[] = "key";
    static char *keywords[] = {key_word, NULL};
    struct natkit_state *state = natkit_state_of(type);
    PyObject *key_obj = NULL;
    uint8_t key[CRYPTOPAN_KEY_SIZE];
    if (!state || !PyArg_ParseTupleAndKeywords(args, kwargs, "O:CryptoPan", keywords, &key_obj) ||
        read_key(key_obj, key) < 0)
        return NULL;
    struct natkit_pan *self = (struct natkit_pan *)type->tp_alloc(type, 0);
    if (self) {
        self->state = state;
        self->pan = cryptopan_new(key);
        if (!self->pan) {
            PyErr_SetString(PyExc_MemoryError, "no memory for AES, or OpenSSL has no AES-128-ECB");
            Py_CLEAR(self);
        }
    }
    OPENSSL_cleanse(key, sizeof(key));
    return (PyObject *)self;
}

static void pan_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    cryptopan_free(((struct natkit_pan *)self_)->pan);
    type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Prefixes -------------------------------------------------------------------------------- */

static PyObject *map_prefix(PyObject *self_, PyObject *obj,
                            void (*map)(struct cryptopan *, int, uint8_t *))
{
    const struct natkit_pan *self = (struct natkit_pan *)self_;
    const struct ipp_api *api = self->state->ipp_api;
    struct ipp_value value;
    if (api->prefix_from(api, obj, &value) < 0)
        return NULL;
    map(self->pan, value.version, value.addr);
    if (natkit_pan_check(self->pan) < 0)
        return NULL;
    return api->prefix_new(api, value.version, value.addr, value.length);
}

static PyObject *pan_anonymise(PyObject *self_, PyObject *obj)
{
    return map_prefix(self_, obj, cryptopan_anonymise);
}

static PyObject *pan_deanonymise(PyObject *self_, PyObject *obj)
{
    return map_prefix(self_, obj, cryptopan_deanonymise);
}

/* --- The type -------------------------------------------------------------------------------- */

#define ANONYMISE_TEXT                                                                             \
    "The IPprefix that a prefix becomes, of the same version and length.\n\n"                      \
    "prefix is an IPprefix, a text such as '192.0.2.1', or an object of the module ipaddress.\n"   \
    "All bits of the address are mapped, and the length is kept: the first length bits of the\n"   \
    "result are those that the network's mapped addresses begin with. ValueError for other\n"      \
    "texts, TypeError for anything else."
#define DEANONYMISE_TEXT                                                                           \
    "The IPprefix that anonymise() made a prefix from: the key undoes the mapping.\n\n"            \
    "prefix and exceptions are those of anonymise()."

PyDoc_STRVAR(anonymise_doc, "anonymise($self, prefix, /)\n--\n\n" ANONYMISE_TEXT);
PyDoc_STRVAR(anonymize_doc, "anonymize($self, prefix, /)\n--\n\n" ANONYMISE_TEXT);
PyDoc_STRVAR(deanonymise_doc, "deanonymise($self, prefix, /)\n--\n\n" DEANONYMISE_TEXT);
PyDoc_STRVAR(deanonymize_doc, "deanonymize($self, prefix, /)\n--\n\n" DEANONYMISE_TEXT);

PyDoc_STRVAR(addresses_doc,
             "addresses($self, addresses, version=None)\n--\n\n"
             "Anonymise an array of addresses: a new memoryview of the same shape.\n\n"
             "addresses is contiguous and has rows of 16 bytes, an IPv4 address in the first 4,\n"
             "as in plt.columns(); or rows of 4 bytes. version is 4, 6 or a byte for each row:\n"
             "4, 6, or 0 for a missing address, which stays zero. Without it, addresses of 4\n"
             "bytes are IPv4 and those of 16 bytes IPv6. ValueError for other shapes and\n"
             "versions. Large arrays are mapped with the GIL released; Ctrl-C ends the call.");

static PyMethodDef pan_methods[] = {
    METHOD("anonymise", pan_anonymise, METH_O, anonymise_doc),
    METHOD("anonymize", pan_anonymise, METH_O, anonymize_doc),
    METHOD("deanonymise", pan_deanonymise, METH_O, deanonymise_doc),
    METHOD("deanonymize", pan_deanonymise, METH_O, deanonymize_doc),
    METHOD("addresses", natkit_pan_addresses, METH_VARARGS | METH_KEYWORDS, addresses_doc),
    METHOD("packet", natkit_pan_packet, METH_FASTCALL | METH_KEYWORDS, natkit_pan_packet_doc),
    {.ml_name = NULL}};

/* Nothing that depends on the key: what is printed may be published with what it anonymised. */
static PyObject *pan_repr(PyObject *Py_UNUSED(self))
{
    return PyUnicode_FromString("<natkit.CryptoPan: its key is not shown>");
}

PyDoc_STRVAR(pan_doc,
             "CryptoPan(key)\n--\n\n"
             "Prefix-preserving anonymisation of IP addresses with a key: Crypto-PAn (Xu, Fan,\n"
             "Ammar, Moore 2002).\n\n"
             "Two addresses that have exactly their first n bits in common have exactly n in\n"
             "common afterwards. The mapping is one to one, depends on the key alone, and is\n"
             "that of libtrace's `traceanon -c KEY`. IPv6 addresses, which traceanon 3 does not\n"
             "change, are mapped by the same construction over 128 bits.\n\n"
             "key is 1 to 32 bytes, bytes-like or a str, which is encoded as UTF-8; a shorter\n"
             "key is filled up with zeros. ValueError for other lengths, TypeError for other\n"
             "types. traceanon differs in three cases: it cuts a longer key at 32 bytes, it cuts\n"
             "a key in a file (-f) at its first zero byte, and it leaves 0.0.0.0 as it is until\n"
             "it has met two other addresses. A CryptoPan can't be pickled: give other processes\n"
             "the key.");

static PyType_Slot pan_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)pan_doc},
    {.slot = Py_tp_new, .pfunc = pan_new},
    {.slot = Py_tp_init, .pfunc = subclass_init},
    {.slot = Py_tp_dealloc, .pfunc = pan_dealloc},
    {.slot = Py_tp_repr, .pfunc = pan_repr},
    {.slot = Py_tp_methods, .pfunc = pan_methods},
    {.slot = 0},
};

PyType_Spec natkit_pan_spec = {
    .name = "natkit.CryptoPan",
    .basicsize = sizeof(struct natkit_pan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pan_slots,
};
