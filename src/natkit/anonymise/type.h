/* The type CryptoPan. */
#ifndef NATKIT_ANONYMISE_TYPE_H
#define NATKIT_ANONYMISE_TYPE_H

#include "natkit/natkit.h"

extern PyType_Spec natkit_pan_spec;

#endif
