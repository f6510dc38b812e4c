/* Queries of one or more traces that wait for their responses, and TCP streams. */
#ifndef PLDNS_MATCHER_H
#define PLDNS_MATCHER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "memory.h"
#include "wire.h"

struct pldns_matcher {
    PyObject ob_base;
    struct pldns_memory queries; /* that wait for their response */
    struct pldns_memory streams;
    int64_t timeout;  /* nanoseconds */
    bool ahead;       /* it is of a file that is read before those that come before it */
    uint8_t *assumed; /* owned: streams that were taken to be new, since they were last asked for */
    size_t assumed_size;
    size_t assumed_room;
    bool busy;
};

/* A digest of a question, in which the case of its name makes no difference; 0 without one. */
uint64_t pldns_question_digest(const struct pldns_matcher *matcher,
                               const struct pldns_question *question);
/* Remember a query, or find that of a response, which is forgotten then.  ends are those of the
 * message, with its identifier; question is a digest.  False when out of memory. */
bool pldns_match(struct pldns_matcher *matcher, const struct pldns_ends *ends, bool is_response,
                 int64_t time, uint64_t question, bool *has_query, int64_t *query_time);

#endif
