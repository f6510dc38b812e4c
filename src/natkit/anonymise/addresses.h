/* CryptoPan.addresses(). */
#ifndef NATKIT_ANONYMISE_ADDRESSES_H
#define NATKIT_ANONYMISE_ADDRESSES_H

#include "pan.h"

PyObject *natkit_pan_addresses(PyObject *self_, PyObject *args, PyObject *kwargs);

#endif
