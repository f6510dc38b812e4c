/* Flow keys and Python: the key of an object's packet, and a key as bytes. */
#ifndef NATKIT_IPFLOW_PACKETKEY_H
#define NATKIT_IPFLOW_PACKETKEY_H

#include "common/capi.h"
#include "key.h"

/* The key as new bytes, without those past its size. */
PyObject *natkit_key_bytes(const struct natkit_key *key);
/* The key of a plt object's packet; where that is not IP it is all zero, and *ethertype is set.  0,
 * or -1 with ValueError. */
int natkit_key_of_object(const struct plt_api *api, PyObject *obj, struct natkit_key *key,
                         uint16_t *ethertype);

#endif
