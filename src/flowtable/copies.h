/* Flows taken out of a table, and what was counted of them besides. */
#ifndef PLT_FLOWTABLE_COPIES_H
#define PLT_FLOWTABLE_COPIES_H

#include "early.h"
#include "quality.h"
#include "statistics.h"

#include <stddef.h>

/* What a table counts besides of its flows. */
struct flow_besides {
    bool tracks_tcp;
    bool statistics;
    bool tunnels;
    uint16_t early; /* the most first packets that a flow has */
};

struct flow_copies {
    struct flow_copy *all;              /* owned */
    struct tcp_quality *qualities;      /* owned, one for each; NULL where the table has none */
    struct flow_statistics *statistics; /* the same */
    struct early_packet *early;         /* owned: room for the most of each; NULL for none */
    size_t count;
    struct flow_besides besides;
};

/* Room for so many; false when out of memory, and there is nothing to clear. */
bool flow_copies_init(struct flow_copies *copies, size_t room, const struct flow_besides *besides);
/* Append a copy of a flow and of what it has besides, for which there is room. */
void flow_copies_add(struct flow_copies *copies, const struct flow_copy *copy);
void flow_copies_clear(struct flow_copies *copies);

#endif
