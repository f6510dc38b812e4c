/* What a CryptoPan object holds. */
#ifndef NATKIT_ANONYMISE_PAN_H
#define NATKIT_ANONYMISE_PAN_H

#include "cryptopan.h"
#include "natkit/natkit.h"

struct natkit_pan {
    PyObject ob_base;
    struct natkit_state *state; /* borrowed: the type keeps the module alive */
    struct cryptopan *pan;      /* owned */
};

/* After mapping addresses: 0, or -1 with RuntimeError where OpenSSL failed. */
static inline int natkit_pan_check(const struct cryptopan *pan)
{
    if (!cryptopan_failed(pan))
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "OpenSSL failed to encrypt: nothing is anonymised");
    return -1;
}

#endif
