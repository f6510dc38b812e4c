/* What an IP header carries.  No Python here. */
#ifndef NATKIT_ANONYMISE_TRANSPORT_H
#define NATKIT_ANONYMISE_TRANSPORT_H

#include "inner.h"

/* Rewrite what an IP header carries, by its protocol; the change that this makes to the stretch. */
uint64_t natkit_transport(struct anonymising *self, const struct stretch *in, uint8_t proto,
                          const struct place *place);

#endif
