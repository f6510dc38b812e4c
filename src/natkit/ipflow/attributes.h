/* The attributes, the text and the pickle of an IPflow. */
#ifndef NATKIT_IPFLOW_ATTRIBUTES_H
#define NATKIT_IPFLOW_ATTRIBUTES_H

#include "object.h"

#include "packet/communityid.h"

/* The key of an object that is known to be an IPflow, NULL with ValueError where it has none. */
const struct natkit_key *ipflow_key(PyObject *self_);

/* The Community ID of a key; icmp is a type and a code where these are known, else NULL.  False
 * where there is none. */
bool natkit_key_community_id(const struct natkit_key *key, const uint8_t *icmp, uint16_t seed,
                             char out[COMMUNITY_ID_ROOM]);

/* natkit.community_id(). */
PyObject *natkit_community_id(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char natkit_community_id_doc[];

extern PyGetSetDef ipflow_getset[];
PyObject *ipflow_str(PyObject *self_);
PyObject *ipflow_repr(PyObject *self_);
PyObject *ipflow_reduce(PyObject *self_, PyObject *args);

#endif
