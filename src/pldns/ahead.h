/* Files that are read ahead of earlier ones: what was assumed of streams. */
#ifndef PLDNS_AHEAD_H
#define PLDNS_AHEAD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "matcher.h"

/* Note that a stream was taken to be new at a segment, and whether a message begins there; false
 * when out of memory. */
bool pldns_assume(struct pldns_matcher *matcher, const struct pldns_ends *ends, uint32_t sequence,
                  bool begins_message);
/* Methods of the matcher. */
PyObject *pldns_matcher_assumed(PyObject *self_, PyObject *args);
PyObject *pldns_matcher_agrees(PyObject *self_, PyObject *bytes);
PyObject *pldns_matcher_streams(PyObject *self_, PyObject *args);
PyObject *pldns_matcher_add_streams(PyObject *self_, PyObject *bytes);
PyObject *pldns_matcher_match(PyObject *self_, PyObject *args);

#endif
