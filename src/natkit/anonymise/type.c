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

/* The key from a str or bytes-like object, zeroes behind it: 0, or -1 with an exception. */
static int read_key(PyObject *obj, uint8_t key[CRYPTOPAN_KEY_SIZE])
{
    Py_buffer buffer;
    PyObject *encoded = NULL;
    int result = -1;
    if (PyUnicode_Check(obj)) {
        /* the bytes of a command's argument, which sys.argv may have as surrogates */
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
    if (api->prefix_value(api, obj, &value) < 0)
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
    "The IPprefix that an IPprefix becomes, of the same version and length.\n\n"                   \
    "All bits of the address are mapped, and the length is kept: of a network the first length\n"  \
    "bits are those that its addresses begin with. TypeError for anything but an IPprefix."
#define DEANONYMISE_TEXT                                                                           \
    "The IPprefix that anonymise() made an IPprefix from: whoever has the key can tell.\n\n"       \
    "TypeError for anything but an IPprefix."

PyDoc_STRVAR(anonymise_doc, "anonymise($self, prefix, /)\n--\n\n" ANONYMISE_TEXT);
PyDoc_STRVAR(anonymize_doc, "anonymize($self, prefix, /)\n--\n\n" ANONYMISE_TEXT);
PyDoc_STRVAR(deanonymise_doc, "deanonymise($self, prefix, /)\n--\n\n" DEANONYMISE_TEXT);
PyDoc_STRVAR(deanonymize_doc, "deanonymize($self, prefix, /)\n--\n\n" DEANONYMISE_TEXT);

PyDoc_STRVAR(
    addresses_doc,
    "addresses($self, addresses, version=None)\n--\n\n"
    "The addresses that an array of addresses becomes: a new memoryview of the same shape.\n\n"
    "addresses is contiguous and has rows of 16 bytes, an IPv4 address in the first 4, as "
    "plt.columns()\ngives them; or rows of 4 bytes. version is 4, 6 or a byte for each row: 4, 6, "
    "or 0 for a missing\naddress, which stays zero; None stands for 4 where rows have 4 bytes, "
    "else for 6. ValueError for\nother shapes and versions. Large arrays are mapped with the GIL "
    "released; Ctrl-C ends the call.");

static PyMethodDef pan_methods[] = {
    METHOD("anonymise", pan_anonymise, METH_O, anonymise_doc),
    METHOD("anonymize", pan_anonymise, METH_O, anonymize_doc),
    METHOD("deanonymise", pan_deanonymise, METH_O, deanonymise_doc),
    METHOD("deanonymize", pan_deanonymise, METH_O, deanonymize_doc),
    METHOD("addresses", natkit_pan_addresses, METH_VARARGS | METH_KEYWORDS, addresses_doc),
    METHOD("packet", natkit_pan_packet, METH_FASTCALL | METH_KEYWORDS, natkit_pan_packet_doc),
    {.ml_name = NULL}};

PyDoc_STRVAR(
    pan_doc,
    "CryptoPan(key)\n--\n\n"
    "Prefix-preserving anonymisation of IP addresses, keyed: Crypto-PAn (Xu, Fan, Ammar, Moore "
    "2002).\n\n"
    "Two addresses that have their first n bits in common, and no more, have just as many in "
    "common\nafterwards. The mapping is one to one, depends on the key alone, and is that of "
    "libtrace's\n`traceanon -c KEY`; IPv6 addresses, which traceanon 3 leaves alone, are mapped by "
    "the same\nconstruction over 128 bits.\n\n"
    "key is a str, taken as UTF-8, or bytes-like, of 1 to 32 bytes; a shorter one is filled up "
    "with zeros.\nValueError for other lengths, TypeError for other types. traceanon cuts a longer "
    "key at 32 bytes, one\nin a file (-f) at its first zero byte, and leaves 0.0.0.0 as it is "
    "until it has met two other\naddresses. An object can't be pickled: give other processes the "
    "key.");

static PyType_Slot pan_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)pan_doc},
    {.slot = Py_tp_new, .pfunc = pan_new},
    {.slot = Py_tp_init, .pfunc = subclass_init},
    {.slot = Py_tp_dealloc, .pfunc = pan_dealloc},
    {.slot = Py_tp_methods, .pfunc = pan_methods},
    {.slot = 0},
};

PyType_Spec natkit_pan_spec = {
    .name = "natkit.CryptoPan",
    .basicsize = sizeof(struct natkit_pan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pan_slots,
};
