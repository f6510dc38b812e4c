/* A set of flows: those that are live, each found by its key, and those that ended, in the order in
 * which they did. */
#ifndef PLT_FLOWTABLE_SET_H
#define PLT_FLOWTABLE_SET_H

#include "copies.h"
#include "index.h"
#include "log.h"
#include "pool.h"
#include "tracks.h"

struct flow_set {
    struct flow_index index; /* of the live */
    struct flow_pool pool;   /* of all */
    struct flow_logs logs;
    struct tcp_tracks tracks; /* of TCP flows, in a table of TCP quality */
    uint64_t ended;           /* flows in the list of the ended */
    flow_ref ended_first;
    flow_ref ended_last;
    uint64_t handed_out; /* flows that ended and are not here any more */
    bool tracks_tcp;     /* slots have tails */
};

void flow_set_init(struct flow_set *set, const uint64_t seed[2]);
void flow_set_clear(struct flow_set *set);
/* Have an empty set track TCP connections. */
void flow_set_track_tcp(struct flow_set *set);
/* The memory that it has, in bytes. */
size_t flow_set_size(const struct flow_set *set);

/* An empty slot for a flow, 0 when out of memory; and one given back, with the flow's log. */
flow_ref flow_set_take_slot(struct flow_set *set, bool v6);
void flow_set_free_slot(struct flow_set *set, flow_ref ref);
/* A flow's track, NULL where it has none; and one that it is given where it has none, for which
 * there is room. */
struct tcp_track *flow_set_track(const struct flow_set *set, flow_ref ref);
static inline struct tcp_track *flow_set_make_track(struct flow_set *set, struct flow *flow,
                                                    bool v6)
{
    uint32_t *track = &flow_tail(flow, v6)->track;
    if (!*track)
        *track = tcp_tracks_take(&set->tracks);
    return tcp_track_at(&set->tracks, *track);
}
/* Room for so many more flows, of IPv4 and of IPv6, and so many of them live; false when out of
 * memory. */
bool flow_set_reserve(struct flow_set *set, const size_t more[2], uint64_t live);

/* The live flow of a key with that hash, 0 for none. */
flow_ref flow_set_find(const struct flow_set *set, const struct flow_key *key, uint64_t hash,
                       bool v6);
/* A new live flow of a key, all else 0; 0 when out of memory. */
flow_ref flow_set_insert(struct flow_set *set, const struct flow_key *key, uint64_t hash, bool v6);

/* Append a flow that is not in the index to the list of the ended. */
void flow_set_add_ended(struct flow_set *set, flow_ref ref, uint8_t reason);
/* End a live flow. */
void flow_set_end(struct flow_set *set, flow_ref ref, uint8_t reason);
/* End a live flow in a new slot: its own one is then an empty live flow of the same key, which has
 * its place in index and wheel.  False when out of memory. */
bool flow_set_replace(struct flow_set *set, flow_ref ref, uint8_t reason);
/* The same, and take the empty flow out of the index: it is left to who finds it in the wheel. */
bool flow_set_end_in_place(struct flow_set *set, flow_ref ref, uint8_t reason);
/* Move a live flow to a new slot, 0 when out of memory: its own one is left to who finds it in the
 * wheel. */
flow_ref flow_set_move(struct flow_set *set, flow_ref ref);
/* End all with a reason of END_FORCED, or END_OF_FLOW for a TCP connection that was closed. */
void flow_set_end_all(struct flow_set *set);
/* The oldest of the ended taken out of the list, its slot still to be freed; 0 for none. */
flow_ref flow_set_take_ended(struct flow_set *set);

/* What it counts besides of its flows. */
struct flow_besides flow_set_besides(const struct flow_set *set);
/* A flow without what only has a meaning in its set; what it points to is the set's. */
struct flow_copy flow_set_copy(const struct flow_set *set, flow_ref ref);
/* The live flows, or those that ended, or both, in the order of their first packets: an array to be
 * freed, NULL when out of memory. */
enum { LIST_LIVE = 1, LIST_ENDED = 2 };
flow_ref *flow_set_list(const struct flow_set *set, int which, size_t *count);
/* Let a set have the logs of a table that is made to be merged, or that was; and no larger ones
 * than those of any other. */
void flow_set_grow_logs(struct flow_set *set);
void flow_set_trim_logs(struct flow_set *set);

#endif
