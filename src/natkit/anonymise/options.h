/* Addresses in the options of IPv4 and in the extension headers of IPv6.  No Python here. */
#ifndef NATKIT_ANONYMISE_OPTIONS_H
#define NATKIT_ANONYMISE_OPTIONS_H

#include "inner.h"

/* Both return the change that they make to the stretch: an IP header with its options or extension
 * headers, and nothing after it. */

/* IPv4 options; or IPv6 extension headers but mobility. */
uint64_t natkit_replace_options(struct anonymising *self, const struct stretch *in, int version,
                                const struct place *place);
/* Mobility headers (RFC 6275), whose checksum covers the pseudo-header, too. */
uint64_t natkit_replace_mobility(struct anonymising *self, const struct stretch *in,
                                 const struct place *place);

#endif
