/* The bytes of DNS in what Python code gives. */
#ifndef PLDNS_PAYLOAD_H
#define PLDNS_PAYLOAD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

/* The bytes of an argument that holds DNS, and how they travelled. */
enum pldns_transport {
    PLDNS_BYTES, /* a bytes-like object, of no transport that we know */
    PLDNS_UDP,
    PLDNS_TCP
};

struct pldns_payload {
    Py_buffer view; /* to be released */
    enum pldns_transport transport;
};

/* Takes the bytes of a plt payload or a bytes-like object: 0, or -1 with an exception. */
int pldns_payload_get(struct pldns_payload *payload, const struct pldns_state *state,
                      PyObject *obj);
/* The first message of a TCP stream's bytes, as far as it is there: sets *wire past its length
 * prefix (RFC 1035 section 4.2.2), *length to its bytes, and returns the bytes of the stream used.
 */
size_t pldns_unframe(const uint8_t *stream, size_t size, const uint8_t **wire, size_t *length);

#endif
