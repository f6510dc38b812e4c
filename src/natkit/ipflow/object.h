/* What an IPflow object holds. */
#ifndef NATKIT_IPFLOW_OBJECT_H
#define NATKIT_IPFLOW_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "packetkey.h"

/* Whether an end of an IPflow is at home; NO_HOME where no FlowHome was asked. */
enum { NO_HOME = -1, NOT_AT_HOME = 0, AT_HOME = 1 };

struct ipflow {
    PyObject ob_base;
    struct natkit_key key; /* all zero for a packet that is not IP */
    int src_in_home;       /* NO_HOME in both or in neither */
    int dst_in_home;
    Py_hash_t hash; /* 0 until it is asked for: the key never changes */
    struct key_notes notes;
};

/* Whether an IPflow has a key: that of a packet which is not IP has none, and is false. */
static inline bool ipflow_has_key(PyObject *self_)
{
    return ((const struct ipflow *)self_)->key.bytes[KEY_VERSION] != 0;
}

#endif
