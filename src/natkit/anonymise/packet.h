/* CryptoPan.packet(). */
#ifndef NATKIT_ANONYMISE_PACKET_H
#define NATKIT_ANONYMISE_PACKET_H

#include "pan.h"

extern const char natkit_pan_packet_doc[];
PyObject *natkit_pan_packet(PyObject *self_, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);

#endif
