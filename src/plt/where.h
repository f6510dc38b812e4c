/* plt.where: conditions in the words of the columns; a kind of plt.filter. */
#ifndef PLT_WHERE_TYPE_H
#define PLT_WHERE_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "packet/packet.h"

struct where;

/* Whether a condition accepts a packet's bytes.  Needs no GIL. */
bool where_accepts(const struct where *where, const uint8_t *data, uint32_t len,
                   const struct plt_meta *meta);

extern PyType_Spec where_spec;

#endif
