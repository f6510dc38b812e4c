/* The tracks of a table's TCP connections: slots of one size, in chunks that never move. */
#ifndef PLT_FLOWTABLE_TRACKS_H
#define PLT_FLOWTABLE_TRACKS_H

#include "quality.h"

#include <stddef.h>

enum { CHUNK_TRACKS = 1 << 12 };

struct tcp_tracks {
    uint8_t **chunks; /* owned, and each of them */
    size_t chunk_count;
    uint32_t used; /* from 1 on; some may be free again */
    uint32_t free; /* the first of those, or 0 */
    uint32_t free_count;
};

static inline struct tcp_track *tcp_track_at(const struct tcp_tracks *tracks, uint32_t number)
{
    return (struct tcp_track *)(void *)(tracks->chunks[number / CHUNK_TRACKS] +
                                        number % CHUNK_TRACKS * sizeof(struct tcp_track));
}

/* Room for so many more; false when out of memory. */
bool tcp_tracks_reserve(struct tcp_tracks *tracks, size_t more);
/* A new track, for which there is room. */
uint32_t tcp_tracks_take(struct tcp_tracks *tracks);
void tcp_tracks_give_back(struct tcp_tracks *tracks, uint32_t number);
/* The memory of tracks that were ever taken, in bytes. */
size_t tcp_tracks_size(const struct tcp_tracks *tracks);
void tcp_tracks_clear(struct tcp_tracks *tracks);

#endif
