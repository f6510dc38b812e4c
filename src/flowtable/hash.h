/* Hashes of keys, with a seed that a sender of packets does not know. */
#ifndef PLT_FLOWTABLE_HASH_H
#define PLT_FLOWTABLE_HASH_H

#include "flow.h"

#include <stddef.h>

/* Of words whose last has its upper 8 bits 0: the message's length takes their place. */
uint64_t hash_words(const uint64_t seed[2], const uint64_t *words, size_t count);
/* Of a flow's key. */
uint64_t hash_key(const uint64_t seed[2], const struct flow_key *key, bool v6);

#endif
