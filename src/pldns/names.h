/* Numbers of DNS and their names. */
#ifndef PLDNS_NAMES_H
#define PLDNS_NAMES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ldns/ldns.h>
#include <stdbool.h>

/* ldns's words for a status; a string that is never freed. */
const char *pldns_status_words(ldns_status status);
/* Prints a type's name as pldns_typestr has it. */
ldns_status pldns_print_type(ldns_buffer *out, unsigned type);
/* Whether ldns has a name for a type that is not the registry's. */
bool pldns_is_misnamed(unsigned type);

PyObject *pldns_opcodestr(PyObject *module, PyObject *number);
PyObject *pldns_rcodestr(PyObject *module, PyObject *number);
PyObject *pldns_typestr(PyObject *module, PyObject *number);
/* Also the method of ldns of that name: self is not looked at. */
PyObject *pldns_errorstr(PyObject *self_, PyObject *number);
/* Adds TYPE_*, CLASS_*, OPCODE_* and RCODE_*: 0, or -1 with an exception. */
int pldns_add_constants(PyObject *module);

#endif
