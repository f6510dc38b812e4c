/* The type that remembers the queries and streams of one or more traces. */
#include "matchertype.h"

#include "ahead.h"
#include "matcher.h"
#include "reassemble.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_QUERIES = 1 << 20, MOST_STREAMS = 1 << 16 };

static PyObject *matcher_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    long long timeout = 0;
    int ahead = 0;
    int reassemble = 0;
    Py_buffer seed;
    if (!PyArg_ParseTuple(args, "Ly*|pp", &timeout, &seed, &ahead, &reassemble))
        return NULL;
    struct pldns_matcher *self = NULL;
    if (timeout < 0 || seed.len != sizeof(self->queries.seed))
        PyErr_SetString(PyExc_ValueError, "a timeout of 0 or more, and a seed of 16 bytes");
    else
        self = (struct pldns_matcher *)type->tp_alloc(type, 0);
    if (self) {
        self->timeout = timeout;
        self->ahead = ahead;
        self->queries.most = MOST_QUERIES;
        self->streams.most = MOST_STREAMS;
        memcpy(self->queries.seed, seed.buf, sizeof(self->queries.seed));
        memcpy(self->streams.seed, seed.buf, sizeof(self->streams.seed));
    }
    PyBuffer_Release(&seed);
    if (self && reassemble) {
        self->reassembly = pldns_reassembly_new(self->streams.seed);
        if (!self->reassembly) {
            Py_DECREF((PyObject *)self);
            return PyErr_NoMemory();
        }
    }
    return (PyObject *)self;
}

static void matcher_dealloc(PyObject *self_)
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    pldns_memory_clear(&self->queries);
    pldns_memory_clear(&self->streams);
    free(self->assumed);
    pldns_reassembly_free(self->reassembly);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyMethodDef matcher_methods[] = {
    {"assumed", pldns_matcher_assumed, METH_NOARGS,
     "assumed($self, /)\n--\n\nThe streams that were taken to be new since this was last called."},
    {"agrees", pldns_matcher_agrees, METH_O,
     "agrees($self, assumed, /)\n--\n\nWhether what another matcher assumed is so, or makes no "
     "difference."},
    {"streams", pldns_matcher_streams, METH_NOARGS,
     "streams($self, /)\n--\n\nThe streams as bytes, the one seen last at the end."},
    {"add_streams", pldns_matcher_add_streams, METH_O,
     "add_streams($self, streams, /)\n--\n\nGo on with the streams of another matcher."},
    {"match", pldns_matcher_match, METH_VARARGS,
     "match($self, batch, count, /)\n--\n\nThe first columns of a batch that was read ahead, with "
     "the response times."},
    {.ml_name = NULL}};

static PyType_Slot matcher_slots[] = {
    {Py_tp_doc, "_Matcher(timeout, seed, ahead=False, reassemble=False, /)\n--\n\n"
                "What pldns.columns() remembers from packet to packet: queries without response, "
                "and streams."},
    {Py_tp_methods, matcher_methods},
    {Py_tp_new, matcher_new},
    {Py_tp_dealloc, matcher_dealloc},
    {0, NULL}};

PyType_Spec pldns_matcher_spec = {.name = "pldns._Matcher",
                                  .basicsize = sizeof(struct pldns_matcher),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                  .slots = matcher_slots};
