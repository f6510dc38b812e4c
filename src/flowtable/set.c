/* A set of flows: how flows come into it, end, and leave it. */
#include "set.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>

void flow_set_init(struct flow_set *set, const uint64_t seed[2])
{
    *set = (struct flow_set){.ended = 0};
    flow_hash_init(&set->index.hash, seed);
    flow_pool_init(&set->pool);
}

void flow_set_track_tcp(struct flow_set *set)
{
    set->tracks_tcp = true;
    flow_pool_add_tails(&set->pool);
}

void flow_set_clear(struct flow_set *set)
{
    tcp_tracks_clear(&set->tracks);
    flow_pool_clear(&set->pool);
    flow_logs_clear(&set->logs);
    flow_index_clear(&set->index);
}

size_t flow_set_size(const struct flow_set *set)
{
    return flow_index_size(&set->index) + flow_pool_size(&set->pool) +
           set->logs.room * sizeof(*set->logs.blocks) + tcp_tracks_size(&set->tracks);
}

/* --- Slots ----------------------------------------------------------------------------------- */

flow_ref flow_set_take_slot(struct flow_set *set, bool v6)
{
    flow_ref ref = flow_pool_take(&set->pool, v6);
    flow_logs_allow(&set->logs, flow_pool_chunks(&set->pool));
    return ref;
}

void flow_set_free_slot(struct flow_set *set, flow_ref ref)
{
    struct flow *flow = flow_at(&set->pool, ref);
    uint32_t *track = set->tracks_tcp ? &flow_tail(flow, flow_ref_is_6(ref))->track : NULL;
    flow_log_free(&set->logs, flow);
    if (track && *track) {
        tcp_tracks_give_back(&set->tracks, *track);
        *track = 0;
    }
    flow_pool_give_back(&set->pool, ref);
}

struct tcp_track *flow_set_track(const struct flow_set *set, flow_ref ref)
{
    uint32_t number =
        set->tracks_tcp ? flow_tail(flow_at(&set->pool, ref), flow_ref_is_6(ref))->track : 0;
    return number ? tcp_track_at(&set->tracks, number) : NULL;
}

bool flow_set_reserve(struct flow_set *set, const size_t more[2], uint64_t live)
{
    bool enough = flow_index_reserve(&set->index, &set->pool, live) &&
                  flow_pool_reserve(&set->pool, false, more[0]) &&
                  flow_pool_reserve(&set->pool, true, more[1]) &&
                  (!set->tracks_tcp || tcp_tracks_reserve(&set->tracks, more[0] + more[1]));
    flow_logs_allow(&set->logs, flow_pool_chunks(&set->pool));
    return enough;
}

void flow_set_grow_logs(struct flow_set *set)
{
    set->logs.most = MOST_LOG_BLOCKS_TO_MERGE;
}

void flow_set_trim_logs(struct flow_set *set)
{
    if (flow_logs_limit(&set->logs, flow_pool_chunks(&set->pool)))
        return;
    for (flow_ref ref = flow_pool_next(&set->pool, 0); ref; ref = flow_pool_next(&set->pool, ref))
        flow_log_shorten(flow_at(&set->pool, ref));
    flow_logs_clear(&set->logs);
}

/* --- Live flows ------------------------------------------------------------------------------ */

flow_ref flow_set_find(const struct flow_set *set, const struct flow_key *key, uint64_t hash,
                       bool v6)
{
    return flow_index_find(&set->index, &set->pool, key, hash, v6);
}

flow_ref flow_set_insert(struct flow_set *set, const struct flow_key *key, uint64_t hash, bool v6)
{
    bool enough = flow_index_reserve(&set->index, &set->pool, 1);
    flow_ref ref = enough ? flow_set_take_slot(set, v6) : 0;
    if (!ref)
        return 0;
    flow_set_key(flow_at(&set->pool, ref), key, v6);
    flow_at(&set->pool, ref)->marks |= MARK_LIVE;
    flow_index_add(&set->index, hash, ref);
    return ref;
}

/* --- Flows that end -------------------------------------------------------------------------- */

void flow_set_add_ended(struct flow_set *set, flow_ref ref, uint8_t reason)
{
    struct flow *flow = flow_at(&set->pool, ref);
    flow->marks &= (uint8_t)~MARK_LIVE;
    flow->end_reason = reason;
    flow->next = 0;
    if (set->ended_last)
        flow_at(&set->pool, set->ended_last)->next = ref;
    else
        set->ended_first = ref;
    set->ended_last = ref;
    set->ended++;
}

static void remove_from_index(struct flow_set *set, flow_ref ref)
{
    bool v6 = flow_ref_is_6(ref);
    struct flow_key key = flow_key_of(flow_at(&set->pool, ref), v6);
    flow_index_remove(&set->index, hash_key(&set->index.hash, &key, v6), ref);
}

void flow_set_end(struct flow_set *set, flow_ref ref, uint8_t reason)
{
    remove_from_index(set, ref);
    flow_set_add_ended(set, ref, reason);
}

/* A new slot with all of a flow, whose own one keeps its key, its place in the wheel and those
 * marks; 0 when out of memory. */
static flow_ref take_over(struct flow_set *set, flow_ref ref, uint8_t marks)
{
    flow_ref place = flow_set_take_slot(set, flow_ref_is_6(ref));
    if (!place)
        return 0;
    struct flow *flow = flow_at(&set->pool, ref);
    memcpy(flow_at(&set->pool, place), flow, set->pool.slots[flow_ref_is_6(ref)].size);
    struct flow empty = {.key = {flow->key[0], flow->key[1]}, .next = flow->next, .marks = marks};
    *flow = empty;
    if (set->tracks_tcp)
        flow_tail(flow, flow_ref_is_6(ref))->track = 0; /* the other slot has it */
    return place;
}

bool flow_set_replace(struct flow_set *set, flow_ref ref, uint8_t reason)
{
    flow_ref place = take_over(set, ref, MARK_LIVE | MARK_AGAIN | set->pool.marks);
    if (!place)
        return false;
    flow_set_add_ended(set, place, reason);
    const struct flow *flow = flow_at(&set->pool, ref);
    if (set->pool.has_statistics)
        flow_statistics_begin(flow_statistics_at(&set->pool, flow, flow_ref_is_6(ref)));
    return true;
}

bool flow_set_end_in_place(struct flow_set *set, flow_ref ref, uint8_t reason)
{
    if (!flow_set_replace(set, ref, reason))
        return false;
    remove_from_index(set, ref);
    flow_at(&set->pool, ref)->marks = 0;
    return true;
}

flow_ref flow_set_move(struct flow_set *set, flow_ref ref)
{
    bool v6 = flow_ref_is_6(ref);
    flow_ref place = take_over(set, ref, 0);
    if (!place)
        return 0;
    struct flow_key key = flow_key_of(flow_at(&set->pool, place), v6);
    uint64_t hash = hash_key(&set->index.hash, &key, v6);
    flow_index_remove(&set->index, hash, ref);
    flow_index_add(&set->index, hash, place);
    return place;
}

void flow_set_end_all(struct flow_set *set)
{
    for (flow_ref ref = flow_pool_next(&set->pool, 0); ref; ref = flow_pool_next(&set->pool, ref)) {
        const struct flow *flow = flow_at(&set->pool, ref);
        if (flow->marks & MARK_LIVE)
            flow_set_add_ended(set, ref, flow_is_closed(flow) ? END_OF_FLOW : END_FORCED);
    }
    flow_index_empty(&set->index);
}

flow_ref flow_set_take_ended(struct flow_set *set)
{
    flow_ref ref = set->ended_first;
    if (!ref)
        return 0;
    set->ended_first = flow_at(&set->pool, ref)->next;
    if (!set->ended_first)
        set->ended_last = 0;
    set->ended--;
    set->handed_out++;
    return ref;
}

/* --- Copies and lists ------------------------------------------------------------------------ */

struct flow_besides flow_set_besides(const struct flow_set *set)
{
    return (struct flow_besides){.tracks_tcp = set->tracks_tcp,
                                 .statistics = set->pool.has_statistics,
                                 .tunnels = set->pool.marks & MARK_TUNNELS,
                                 .early = set->pool.early};
}

struct flow_copy flow_set_copy(const struct flow_set *set, flow_ref ref)
{
    struct flow_copy copy = {.v6 = flow_ref_is_6(ref)};
    struct flow *flow = &copy.of.flow;
    const struct flow *slot = flow_at(&set->pool, ref);
    if (set->pool.has_statistics)
        copy.statistics = flow_statistics_at(&set->pool, slot, copy.v6);
    if (set->pool.early > 0) {
        copy.early = flow_early_at(&set->pool, slot, copy.v6);
        copy.early_count = early_count(slot, set->pool.early);
    }
    copy.tunnel = flow_tunnel(slot, copy.v6);
    const struct tcp_track *track = flow_set_track(set, ref);
    copy.quality = track ? &track->quality : NULL;
    memcpy(&copy.of, slot, flow_size(copy.v6));
    flow->next = 0;
    flow->log = 0;
    flow->logged = 0;
    flow->first_seq_end = 0;
    flow->marks &= (uint8_t) ~(MARK_LIVE | MARK_AGAIN | MARK_LOG_SHORT | MARK_TUNNELS);
    for (unsigned way = 0; way < 2; way++)
        flow->events[way] &= (uint8_t)~EVENT_SEQ_FAR;
    return copy;
}

struct numbered {
    uint64_t number;
    flow_ref ref;
};

static int compare_numbers(const void *one_, const void *other_)
{
    const struct numbered *one = one_;
    const struct numbered *other = other_;
    return (one->number > other->number) - (one->number < other->number);
}

flow_ref *flow_set_list(const struct flow_set *set, int which, size_t *count)
{
    const struct flow_pool *pool = &set->pool;
    uint64_t most =
        (which & LIST_LIVE ? set->index.count : 0) + (which & LIST_ENDED ? set->ended : 0);
    struct numbered *all = malloc((size_t)(most + 1) * sizeof(*all));
    size_t found = 0;
    bool sorted = true;
    *count = 0;
    if (!all)
        return NULL;
    for (flow_ref ref = which & LIST_LIVE ? flow_pool_next(pool, 0) : 0; ref;
         ref = flow_pool_next(pool, ref))
        if (flow_at(pool, ref)->marks & MARK_LIVE)
            all[found++] = (struct numbered){flow_at(pool, ref)->number, ref};
    for (flow_ref ref = which & LIST_ENDED ? set->ended_first : 0; ref;
         ref = flow_at(pool, ref)->next)
        all[found++] = (struct numbered){flow_at(pool, ref)->number, ref};
    for (size_t i = 1; i < found && sorted; i++)
        sorted = all[i - 1].number < all[i].number;
    if (!sorted)
        qsort(all, found, sizeof(*all), compare_numbers);
    /* in place: a reference is smaller than what it is read from */
    flow_ref *refs = (flow_ref *)(void *)all;
    for (size_t i = 0; i < found; i++) {
        flow_ref ref = all[i].ref;
        memcpy(&refs[i], &ref, sizeof(ref));
    }
    *count = found;
    return refs;
}
