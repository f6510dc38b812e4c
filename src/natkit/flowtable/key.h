/* Keys of natkit, bytes with the source first, to keys of flow tables and back. */
#ifndef NATKIT_FLOWTABLE_KEY_H
#define NATKIT_FLOWTABLE_KEY_H

#include "flowtable/flow.h"
#include "natkit/ipflow/key.h"

/* Returns the way from the source to the destination. */
unsigned flow_key_from_natkit(const struct natkit_key *key, struct flow_key *out);
/* The key of a flow with the source of that way first. */
struct natkit_key flow_natkit_key(const struct flow_copy *copy, unsigned way);
/* The same of its forward way. */
struct natkit_key flow_forward_key(const struct flow_copy *copy);

#endif
