/* What an argument is: a plt payload that came by UDP or TCP, or bytes; and the framing of TCP. */
#include "payload.h"

#include "packet/bytes.h"
#include "packet/protocols.h"

#define PREFIX_SIZE 2

/* plt's objects say by this attribute how their bytes travelled: pldns knows nothing else of them.
 */
static int transport_of(struct pldns_payload *payload, const struct pldns_state *state,
                        PyObject *obj)
{
    PyObject *value = PyObject_GetAttr(obj, state->transport_name);
    if (!value) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    long proto = 0;
    if (PyLong_Check(value)) {
        int overflow = 0;
        proto = PyLong_AsLongAndOverflow(value, &overflow);
    }
    Py_DECREF(value);
    if (proto == PROTO_TCP) {
        payload->transport = PLDNS_TCP;
    } else if (proto == PROTO_UDP) {
        payload->transport = PLDNS_UDP;
    } else {
        PyErr_Format(PyExc_ValueError, "not a UDP or TCP payload: a %s object",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    return 0;
}

int pldns_payload_get(struct pldns_payload *payload, const struct pldns_state *state, PyObject *obj)
{
    payload->transport = PLDNS_BYTES;
    if (!PyBytes_CheckExact(obj) && !PyByteArray_CheckExact(obj) && !PyMemoryView_Check(obj) &&
        transport_of(payload, state, obj) < 0)
        return -1;
    if (!PyObject_CheckBuffer(obj)) {
        PyErr_Format(PyExc_ValueError, "not a UDP or TCP payload and not a bytes-like object: %s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(obj, &payload->view, PyBUF_SIMPLE) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError)) {
            PyErr_Format(PyExc_ValueError, "the bytes of this %s are not contiguous",
                         Py_TYPE(obj)->tp_name);
        }
        return -1;
    }
    return 0;
}

size_t pldns_unframe(const uint8_t *stream, size_t size, const uint8_t **wire, size_t *length)
{
    if (size < PREFIX_SIZE) {
        *wire = stream + size;
        *length = 0;
        return size;
    }
    size_t claimed = load_be16(stream);
    size_t there = size - PREFIX_SIZE;
    *wire = stream + PREFIX_SIZE;
    *length = claimed < there ? claimed : there;
    return PREFIX_SIZE + *length;
}
