/* Flows taken out of a table. */
#include "copies.h"

#include <stdlib.h>
#include <string.h>

bool flow_copies_init(struct flow_copies *copies, size_t room, const struct flow_besides *besides)
{
    *copies =
        (struct flow_copies){.all = calloc(room + 1, sizeof(*copies->all)), .besides = *besides};
    if (besides->tracks_tcp)
        copies->qualities = calloc(room + 1, sizeof(*copies->qualities));
    if (besides->statistics)
        copies->statistics = calloc(room + 1, sizeof(*copies->statistics));
    if (besides->early > 0)
        copies->early = calloc(room + 1, besides->early * sizeof(*copies->early));
    if (copies->all && (copies->qualities || !besides->tracks_tcp) &&
        (copies->statistics || !besides->statistics) && (copies->early || besides->early == 0))
        return true;
    flow_copies_clear(copies);
    return false;
}

void flow_copies_add(struct flow_copies *copies, const struct flow_copy *copy)
{
    struct flow_copy *place = &copies->all[copies->count];
    *place = *copy;
    if (copy->quality) {
        copies->qualities[copies->count] = *copy->quality;
        place->quality = &copies->qualities[copies->count];
    }
    if (copy->statistics) {
        copies->statistics[copies->count] = *copy->statistics;
        place->statistics = &copies->statistics[copies->count];
    }
    if (copy->early) {
        struct early_packet *early = &copies->early[copies->count * copies->besides.early];
        memcpy(early, copy->early, copy->early_count * sizeof(*early));
        place->early = early;
    }
    copies->count++;
}

void flow_copies_clear(struct flow_copies *copies)
{
    free(copies->all);
    free(copies->qualities);
    free(copies->statistics);
    free(copies->early);
    *copies = (struct flow_copies){0};
}
