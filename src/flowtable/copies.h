/* Flows taken out of a table, and their qualities. */
#ifndef PLT_FLOWTABLE_COPIES_H
#define PLT_FLOWTABLE_COPIES_H

#include "quality.h"

#include <stddef.h>

struct flow_copies {
    struct flow_copy *all;         /* owned */
    struct tcp_quality *qualities; /* owned, one for each; NULL where the table has none */
    size_t count;
    bool has_tunnels; /* they are of a table that looks into tunnels */
};

/* Room for so many; false when out of memory, and there is nothing to clear. */
bool flow_copies_init(struct flow_copies *copies, size_t room, bool tracks_tcp);
/* Append a copy of a flow and of its quality, for which there is room. */
void flow_copies_add(struct flow_copies *copies, const struct flow_copy *copy);
void flow_copies_clear(struct flow_copies *copies);

#endif
