/* What a plt.where says of a packet's bytes. */
#ifndef PLT_CONDITION_H
#define PLT_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"
#include "where/where.h"

/* Whether a condition holds for a packet.  Needs no GIL. */
bool condition_accepts(const struct where *where, const uint8_t *data, uint32_t len,
                       const struct plt_meta *meta);

#endif
