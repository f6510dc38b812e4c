/* The type that reads a trace as columns of DNS messages. */
#ifndef PLDNS_COLUMNREADER_H
#define PLDNS_COLUMNREADER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec pldns_reader_spec;

#endif
