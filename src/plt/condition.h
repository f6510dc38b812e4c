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
/* The same of a record; if its layers are needed, the record has them afterwards, in `layers`. */
bool condition_accepts_record(const struct where *where, struct plt_record *record,
                              struct plt_layers *layers);

#endif
