/* The type IPflow: the flow that a packet belongs to, in the direction of the packet. */
#include "ipflow.h"

#include "attributes.h"
#include "common/method.h"
#include "common/room.h"
#include "common/subclass.h"
#include "packetkey.h"

#include <string.h>

/* --- Making one ------------------------------------------------------------------------------ */

PyObject *ipflow_new(struct natkit_state *state, const struct natkit_key *key, int src_in_home,
                     int dst_in_home)
{
    if (!state->ipflow_type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    struct ipflow *self = (struct ipflow *)spare_take(&state->ipflows, state->ipflow_type);
    if (!self)
        self = PyObject_New(struct ipflow, state->ipflow_type);
    if (!self)
        return NULL;
    self->key = *key;
    self->hash = 0;
    self->src_in_home = src_in_home;
    self->dst_in_home = dst_in_home;
    self->notes = (struct key_notes){.ethertype = 0};
    return (PyObject *)self;
}

PyObject *ipflow_not_ip(struct natkit_state *state, uint16_t ethertype)
{
    const struct natkit_key none = {.bytes = {0}};
    PyObject *self_ = ipflow_new(state, &none, NO_HOME, NO_HOME);
    if (self_)
        ((struct ipflow *)self_)->notes.ethertype = ethertype;
    return self_;
}

/* The same of a type that may be a Python subclass of IPflow. */
static PyObject *ipflow_new_as(PyTypeObject *type, struct natkit_state *state,
                               const struct natkit_key *key, int src_in_home, int dst_in_home)
{
    if (type == state->ipflow_type)
        return ipflow_new(state, key, src_in_home, dst_in_home);
    struct ipflow *self = (struct ipflow *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->key = *key;
    self->src_in_home = src_in_home;
    self->dst_in_home = dst_in_home;
    return (PyObject *)self;
}

static PyObject *ipflow_of_object(PyTypeObject *type, PyObject *obj)
{
    struct natkit_state *state = natkit_state_of(type);
    struct natkit_key key;
    struct key_notes notes;
    if (!state || natkit_key_of_object(state->plt_api, obj, &key, &notes) < 0)
        return NULL;
    PyObject *self_ = ipflow_new_as(type, state, &key, NO_HOME, NO_HOME);
    if (self_)
        ((struct ipflow *)self_)->notes = notes;
    return self_;
}

static PyObject *ipflow_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char obj_word[] = "";
    static char *keywords[] = {obj_word, NULL};
    PyObject *obj = NULL; /* borrowed from args */
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:IPflow", keywords, &obj))
        return NULL;
    return ipflow_of_object(type, obj);
}

PyObject *ipflow_vectorcall(PyObject *type_, PyObject *const *args, size_t nargsf,
                            PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs != 1 || (kwnames && PyTuple_GET_SIZE(kwnames) > 0)) {
        PyErr_SetString(PyExc_TypeError, "IPflow() takes exactly one argument, by position");
        return NULL;
    }
    return ipflow_of_object((PyTypeObject *)type_, args[0]);
}

/* A key of 14 or 38 bytes: 0, or -1 with an exception. */
static int read_key(PyObject *obj, struct natkit_key *key)
{
    Py_buffer buffer;
    int status = -1;
    if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    memset(key, 0, sizeof(*key));
    const uint8_t *bytes = buffer.buf;
    if ((buffer.len == KEY_SIZE_4 && bytes[KEY_VERSION] == 4) ||
        (buffer.len == KEY_SIZE_6 && bytes[KEY_VERSION] == 6)) {
        memcpy(key->bytes, bytes, (size_t)buffer.len);
        status = 0;
    } else {
        PyErr_Format(PyExc_ValueError,
                     "a flow key is %d bytes that begin with 4, or %d that begin with 6; "
                     "not these %zd",
                     KEY_SIZE_4, KEY_SIZE_6, buffer.len);
    }
    PyBuffer_Release(&buffer);
    return status;
}

/* Whether an end is at home, from None or a bool: 0, or -1 with TypeError. */
static int read_in_home(const char *name, PyObject *obj, int *in_home)
{
    if (obj != Py_None && !PyBool_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "%s must be True, False or None, not %.100s", name,
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    *in_home = obj == Py_None ? NO_HOME : obj == Py_True ? AT_HOME : NOT_AT_HOME;
    return 0;
}

/* The type and code of ICMP, from None or two bytes: 0, or -1 with an exception. */
static int read_icmp(PyObject *obj, struct key_notes *notes)
{
    Py_buffer buffer;
    if (obj == Py_None)
        return 0;
    if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    notes->has_icmp = buffer.len == sizeof(notes->icmp);
    if (notes->has_icmp)
        memcpy(notes->icmp, buffer.buf, sizeof(notes->icmp));
    else
        PyErr_Format(PyExc_ValueError, "icmp is two bytes, a type and a code, not %zd", buffer.len);
    PyBuffer_Release(&buffer);
    return notes->has_icmp ? 0 : -1;
}

PyDoc_STRVAR(
    from_key_doc,
    "from_key($type, key, src_in_home=None, dst_in_home=None, icmp=None)\n--\n\n"
    "The IPflow whose fwd_key is key.\n\n"
    "key is bytes-like. With src_in_home and dst_in_home the IPflow is as a FlowHome\n"
    "makes it; icmp is the type and the code of an ICMP packet, two bytes, of which its\n"
    "community_id is made. ValueError for bytes that are no key and where just one of the two is\n"
    "None, TypeError for other types.");

static PyObject *ipflow_from_key(PyObject *type_, PyObject *args, PyObject *kwargs)
{
    static char key_word[] = "key", src_word[] = "src_in_home", dst_word[] = "dst_in_home",
                icmp_word[] = "icmp";
    static char *keywords[] = {key_word, src_word, dst_word, icmp_word, NULL};
    PyObject *key_obj = NULL, *src_obj = Py_None, *dst_obj = Py_None,
             *icmp_obj = Py_None; /* borrowed from args */
    PyTypeObject *type = (PyTypeObject *)type_;
    struct natkit_state *state = natkit_state_of(type);
    struct natkit_key key;
    struct key_notes notes = {.ethertype = 0};
    int src_in_home = NO_HOME, dst_in_home = NO_HOME;
    if (!state || !PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOO:from_key", keywords, &key_obj,
                                               &src_obj, &dst_obj, &icmp_obj))
        return NULL;
    if (read_key(key_obj, &key) < 0 || read_in_home("src_in_home", src_obj, &src_in_home) < 0 ||
        read_in_home("dst_in_home", dst_obj, &dst_in_home) < 0 || read_icmp(icmp_obj, &notes) < 0)
        return NULL;
    if ((src_in_home == NO_HOME) != (dst_in_home == NO_HOME)) {
        PyErr_SetString(PyExc_ValueError, "src_in_home and dst_in_home: give both or neither");
        return NULL;
    }
    PyObject *self_ = ipflow_new_as(type, state, &key, src_in_home, dst_in_home);
    if (self_)
        ((struct ipflow *)self_)->notes = notes;
    return self_;
}

static void ipflow_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    struct natkit_state *state = state_of_exact(type, &natkit_module);
    if (!state || state->ipflow_type != type || !spare_give(&state->ipflows, self_))
        type->tp_free(self_);
    Py_DECREF(type);
}

/* --- Truth, hash and order ------------------------------------------------------------------- */

static int ipflow_bool(PyObject *self_)
{
    return ipflow_has_key(self_);
}

/* By way of bytes, whose hash is keyed: senders of packets choose the addresses, and must not
 * choose what collides. */
static Py_hash_t ipflow_hash(PyObject *self_)
{
    struct ipflow *self = (struct ipflow *)self_;
    if (self->hash)
        return self->hash;
    const struct natkit_key *key = ipflow_key(self_);
    PyObject *bytes = key ? natkit_key_bytes(key) : NULL;
    if (!bytes)
        return -1;
    self->hash = PyObject_Hash(bytes);
    Py_DECREF(bytes);
    return self->hash;
}

static PyObject *ipflow_richcompare(PyObject *self_, PyObject *other_, int op)
{
    bool both = Py_IS_TYPE(other_, Py_TYPE(self_));
    if (!both) { /* one may be of a subclass */
        const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
        if (!state)
            return NULL;
        both = PyObject_TypeCheck(other_, state->ipflow_type);
    }
    if (op != Py_EQ && op != Py_NE) { /* keys have an order, IPflows have none */
        if (!ipflow_key(self_) || (both && !ipflow_key(other_)))
            return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    /* python-libtrace 1.7 gave None for a packet that is not IP, and scripts compare with that */
    if (other_ == Py_None)
        return PyBool_FromLong(ipflow_has_key(self_) == (op == Py_NE));
    if (!both)
        Py_RETURN_NOTIMPLEMENTED;
    bool equal = self_ == other_;
    if (ipflow_has_key(self_) && ipflow_has_key(other_))
        equal = memcmp(ipflow_key(self_), ipflow_key(other_), sizeof(struct natkit_key)) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *ipflow_html(PyObject *self_, PyObject *Py_UNUSED(args))
{
    return room_call("natkit._show", "ipflow_html", self_);
}

static PyMethodDef ipflow_methods[] = {{.ml_name = "from_key",
                                        .ml_meth = (PyCFunction)(void (*)(void))ipflow_from_key,
                                        .ml_flags = METH_CLASS | METH_VARARGS | METH_KEYWORDS,
                                        .ml_doc = from_key_doc},
                                       {.ml_name = "_repr_html_",
                                        .ml_meth = ipflow_html,
                                        .ml_flags = METH_NOARGS,
                                        .ml_doc = "_repr_html_($self, /)\n--\n\n"
                                                  "The flow's ends, for notebooks."},
                                       {.ml_name = "__reduce__",
                                        .ml_meth = ipflow_reduce,
                                        .ml_flags = METH_NOARGS,
                                        .ml_doc = "__reduce__($self, /)\n--\n\n"
                                                  "For pickle and copy."},
                                       {.ml_name = NULL}};

PyDoc_STRVAR(ipflow_doc,
             "IPflow(obj, /)\n--\n\n"
             "The flow of a packet: its IP version, protocol, ports and addresses.\n\n"
             "obj is any packet or layer object of plt; that of a quoted or tunnelled packet\n"
             "gives that packet's flow. ValueError for a packet that was cut before the end of\n"
             "its addresses, and for any other object.\n\n"
             "Two IPflows are equal when their fwd_keys are. Of the two directions of a flow\n"
             "(RFC 2722), the fwd_key of one is the rev_key of the other. The IPflow of a packet\n"
             "that is not IP is false in a boolean test, equal to None alone, and its\n"
             "attributes, hash and order raise ValueError.");

static PyType_Slot ipflow_slots[] = {
    {.slot = Py_tp_doc, .pfunc = (void *)(uintptr_t)ipflow_doc},
    {.slot = Py_tp_new, .pfunc = ipflow_tp_new},
    {.slot = Py_tp_init, .pfunc = subclass_init},
    {.slot = Py_tp_dealloc, .pfunc = ipflow_dealloc},
    {.slot = Py_tp_getset, .pfunc = ipflow_getset},
    {.slot = Py_tp_methods, .pfunc = ipflow_methods},
    {.slot = Py_tp_str, .pfunc = ipflow_str},
    {.slot = Py_tp_repr, .pfunc = ipflow_repr},
    {.slot = Py_tp_hash, .pfunc = ipflow_hash},
    {.slot = Py_tp_richcompare, .pfunc = ipflow_richcompare},
    {.slot = Py_nb_bool, .pfunc = ipflow_bool},
    {.slot = 0},
};

PyType_Spec ipflow_spec = {
    .name = "natkit.IPflow",
    .basicsize = sizeof(struct ipflow),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = ipflow_slots,
};
