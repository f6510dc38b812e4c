/* The type of what pldns.columns() remembers from packet to packet. */
#ifndef PLDNS_MATCHERTYPE_H
#define PLDNS_MATCHERTYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec pldns_matcher_spec;

#endif
