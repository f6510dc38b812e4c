/* The memory of tracks. */
#include "tracks.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static bool add_chunk(struct tcp_tracks *tracks)
{
    uint8_t **chunks = realloc(tracks->chunks, (tracks->chunk_count + 1) * sizeof(*chunks));
    if (!chunks)
        return false;
    tracks->chunks = chunks;
    uint8_t *chunk = memory_map(CHUNK_TRACKS * sizeof(struct tcp_track), false);
    if (!chunk)
        return false;
    chunks[tracks->chunk_count++] = chunk;
    return true;
}

bool tcp_tracks_reserve(struct tcp_tracks *tracks, size_t more)
{
    size_t fresh = more > tracks->free_count ? more - tracks->free_count : 0;
    while (fresh > 0 && (tracks->used + fresh) / CHUNK_TRACKS >= tracks->chunk_count)
        if (fresh >= UINT32_MAX - tracks->used || !add_chunk(tracks))
            return false;
    return true;
}

uint32_t tcp_tracks_take(struct tcp_tracks *tracks)
{
    uint32_t number = tracks->free;
    struct tcp_track *track = NULL;
    if (number) {
        track = tcp_track_at(tracks, number);
        memcpy(&tracks->free, track, sizeof(tracks->free));
        tracks->free_count--;
        memset(track, 0, sizeof(*track));
    } else {
        number = ++tracks->used;
        track = tcp_track_at(tracks, number);
    }
    tcp_track_begin(track);
    return number;
}

void tcp_tracks_give_back(struct tcp_tracks *tracks, uint32_t number)
{
    memcpy(tcp_track_at(tracks, number), &tracks->free, sizeof(tracks->free));
    tracks->free = number;
    tracks->free_count++;
}

size_t tcp_tracks_size(const struct tcp_tracks *tracks)
{
    return tracks->used * sizeof(struct tcp_track);
}

void tcp_tracks_clear(struct tcp_tracks *tracks)
{
    for (size_t i = 0; i < tracks->chunk_count; i++)
        memory_unmap(tracks->chunks[i], CHUNK_TRACKS * sizeof(struct tcp_track));
    free(tracks->chunks);
    *tracks = (struct tcp_tracks){0};
}
