/* Flows taken out of a table. */
#include "copies.h"

#include <stdlib.h>

bool flow_copies_init(struct flow_copies *copies, size_t room, bool tracks_tcp)
{
    *copies = (struct flow_copies){.all = calloc(room + 1, sizeof(*copies->all))};
    if (copies->all && tracks_tcp)
        copies->qualities = calloc(room + 1, sizeof(*copies->qualities));
    if (copies->all && (copies->qualities || !tracks_tcp))
        return true;
    flow_copies_clear(copies);
    return false;
}

void flow_copies_add(struct flow_copies *copies, const struct flow_copy *copy)
{
    struct flow_copy *place = &copies->all[copies->count];
    *place = *copy;
    if (copy->quality && copies->qualities) {
        copies->qualities[copies->count] = *copy->quality;
        place->quality = &copies->qualities[copies->count];
    }
    copies->count++;
}

void flow_copies_clear(struct flow_copies *copies)
{
    free(copies->all);
    free(copies->qualities);
    *copies = (struct flow_copies){0};
}
