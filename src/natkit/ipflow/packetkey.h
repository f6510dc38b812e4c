/* Flow keys and Python: the key of an object's packet, and a key as bytes. */
#ifndef NATKIT_IPFLOW_PACKETKEY_H
#define NATKIT_IPFLOW_PACKETKEY_H

#include "common/capi.h"
#include "key.h"

#include <stdbool.h>

/* The key as new bytes, without those past its size. */
PyObject *natkit_key_bytes(const struct natkit_key *key);
/* What a packet tells besides its key. */
struct key_notes {
    uint16_t ethertype; /* where it is not IP */
    bool has_icmp;      /* type and code of ICMP or ICMPv6 were captured */
    uint8_t icmp[2];    /* these */
};

/* The key of a plt object's packet, all zero where that is not IP.  0, or -1 with ValueError. */
int natkit_key_of_object(const struct plt_api *api, PyObject *obj, struct natkit_key *key,
                         struct key_notes *notes);

#endif
