/* A flow table: each packet to its flow, which it may begin or end. */
#include "table.h"

#include "hash.h"

#include <string.h>

void flow_table_init(struct flow_table *table, const uint64_t seed[2])
{
    memset(table, 0, sizeof(*table));
    flow_set_init(&table->set, seed);
    flow_fragments_init(&table->input.fragments, seed);
    table->input.clock = FLOW_CLOCK_NEW;
    flow_table_set_timeouts(table, (struct flow_timeouts){FLOW_NEVER, FLOW_NEVER});
}

void flow_table_set_timeouts(struct flow_table *table, struct flow_timeouts timeouts)
{
    flow_wheel_init(&table->wheel, timeouts, table->input.clock.now);
    flow_fragments_set_wait(&table->input.fragments, flow_timeouts_shorter(&timeouts));
}

void flow_table_track_tcp(struct flow_table *table)
{
    table->input.segments = true;
    flow_set_track_tcp(&table->set);
}

void flow_table_count_statistics(struct flow_table *table)
{
    flow_pool_add_statistics(&table->set.pool);
}

void flow_table_keep_early(struct flow_table *table, uint16_t most)
{
    flow_pool_add_early(&table->set.pool, most);
}

void flow_table_decap(struct flow_table *table, const struct tunnel_ports *ports)
{
    table->input.decap = true;
    table->input.ports = *ports;
    flow_pool_add_tails(&table->set.pool);
    table->set.pool.marks = MARK_TUNNELS;
}

void flow_table_clear(struct flow_table *table)
{
    flow_set_clear(&table->set);
    flow_fragments_clear(&table->input.fragments);
}

size_t flow_table_size(const struct flow_table *table)
{
    return flow_set_size(&table->set) + flow_fragments_size(&table->input.fragments);
}

/* --- Ends ------------------------------------------------------------------------------------ */

void flow_table_settle(struct flow_table *table)
{
    flow_wheel_settle(&table->wheel, &table->set, table->input.clock.now);
}

bool flow_table_end(struct flow_table *table, flow_ref ref, uint8_t reason)
{
    /* a flow can't be taken out of the midst of a wheel's bucket: an empty one stays there, until
     * the wheel comes to it */
    if (!flow_set_end_in_place(&table->set, ref, reason))
        return false;
    if (!flow_timeouts_are_set(&table->wheel.timeouts))
        flow_set_free_slot(&table->set, ref);
    return true;
}

void flow_table_flush(struct flow_table *table)
{
    flow_table_settle(table);
    flow_wheel_empty(&table->wheel, &table->set);
    flow_set_end_all(&table->set);
}

/* --- Packets --------------------------------------------------------------------------------- */

/* Have the memory ready of what a flow has besides. */
static void prefetch_more(const struct flow_pool *pool, const struct flow_packet *packet)
{
    bool v6 = flow_ref_is_6(packet->hint);
    const struct flow *flow = flow_at(pool, packet->hint);
    if (pool->has_statistics)
        flow_statistics_prefetch(flow_statistics_at(pool, flow, v6), packet);
    if (pool->early > 0) {
        __builtin_prefetch(flow, 1);
        __builtin_prefetch(&flow->way1, 1);
    }
}

/* Where a packet's flow probably is; its memory is asked for. */
static void look_ahead(const struct flow_set *set, struct flow_packet *packet)
{
    packet->hint = flow_index_guess(&set->index, packet->hash);
    if (!packet->hint)
        return;
    const uint8_t *flow = (const uint8_t *)flow_at(&set->pool, packet->hint);
    const uint8_t *part = packet->way ? flow + offsetof(struct flow, key) : flow;
    __builtin_prefetch(part, 1);
    __builtin_prefetch(part + 64, 1);
    __builtin_prefetch(part + 127, 1);
    if (set->tracks_tcp)
        __builtin_prefetch(flow_tail((struct flow *)(void *)flow_at(&set->pool, packet->hint),
                                     flow_ref_is_6(packet->hint)));
    prefetch_more(&set->pool, packet);
}

/* The place of a packet among the first of its flow, which has come meanwhile. */
static void look_for_place(const struct flow_pool *pool, const struct flow_packet *packet)
{
    if (!packet->hint)
        return;
    const struct flow *flow = flow_at(pool, packet->hint);
    size_t count = early_count(flow, pool->early);
    if (count < pool->early)
        __builtin_prefetch(flow_early_at(pool, flow, flow_ref_is_6(packet->hint)) + count, 1);
}

/* The same of the track of that flow, which has come meanwhile. */
static void look_for_track(const struct flow_set *set, const struct flow_packet *packet)
{
    if (!packet->hint || !(packet->kind & PACKET_TCP))
        return;
    const struct tcp_track *track = flow_set_track(set, packet->hint);
    if (track)
        tcp_track_prefetch(track, packet->way);
}

/* The live flow of a packet's key, 0 for none. */
static flow_ref find(const struct flow_set *set, const struct flow_packet *packet)
{
    flow_ref ref = packet->hint;
    /* the guess may have been wrong, or gone since */
    if (ref && flow_ref_is_6(ref) == packet->v6) {
        const struct flow *flow = flow_at(&set->pool, ref);
        if ((flow->marks & MARK_LIVE) && flow_has_key(flow, &packet->key, packet->v6))
            return ref;
    }
    return flow_set_find(set, &packet->key, packet->hash, packet->v6);
}

/* A new flow that begins with a packet; 0 when out of memory. */
static flow_ref begin(struct flow_table *table, const struct flow_packet *packet)
{
    flow_ref ref = flow_set_insert(&table->set, &packet->key, packet->hash, packet->v6);
    if (!ref)
        return 0;
    struct flow *flow = flow_at(&table->set.pool, ref);
    flow_begin(flow, &table->home, packet);
    flow->seen = packet->clock;
    flow_wheel_add(&table->wheel, &table->set.pool, ref);
    return ref;
}

/* The flow of a packet, begun where there was none; 0 when out of memory. */
static flow_ref flow_of_packet(struct flow_table *table, const struct flow_packet *packet)
{
    const struct flow_timeouts *timeouts = &table->wheel.timeouts;
    flow_ref ref = find(&table->set, packet);
    if (!ref)
        return begin(table, packet);
    struct flow *flow = flow_at(&table->set.pool, ref);
    bool syn = flow_packet_is_first_syn(packet);
    bool over = flow_is_over(timeouts, flow, packet->clock);
    bool has_room = flow_has_room(timeouts, flow, packet->time, packet->time);
    if (!over && has_room && !(syn && flow_syn_is_new(flow, packet))) {
        if (syn)
            flow->marks |= MARK_LATER_SYN;
        return ref;
    }
    uint8_t reason = over                               ? flow_end_reason(timeouts, flow)
                     : has_room || flow_is_closed(flow) ? END_OF_FLOW
                                                        : END_ACTIVE;
    if (!flow_set_replace(&table->set, ref, reason))
        return 0;
    flow_begin(flow, &table->home, packet);
    return ref;
}

size_t flow_table_feed(struct flow_table *table, struct flow_packet *packets, size_t count)
{
    struct flow_set *set = &table->set;
    for (size_t i = 0; i < count; i++) {
        packets[i].hash = hash_key(set->index.seed, &packets[i].key, packets[i].v6);
        flow_index_prefetch(&set->index, packets[i].hash);
    }
    for (size_t i = 0; i < count; i++)
        look_ahead(set, &packets[i]);
    for (size_t i = 0; i < count && set->tracks_tcp; i++)
        look_for_track(set, &packets[i]);
    for (size_t i = 0; i < count && set->pool.early > 0; i++)
        look_for_place(&set->pool, &packets[i]);
    for (size_t i = 0; i < count; i++) {
        flow_wheel_turn(&table->wheel, set, packets[i].clock);
        bool tracks = set->tracks_tcp && (packets[i].kind & PACKET_TCP);
        if (tracks && !tcp_tracks_have_room(&set->tracks) && !tcp_tracks_reserve(&set->tracks, 1))
            return i;
        bool v6 = packets[i].v6;
        if (table->places &&
            !flow_places_reserve(table->places, v6, (size_t)set->pool.slots[v6].used + 1))
            return i;
        flow_ref ref = flow_of_packet(table, &packets[i]);
        if (!ref)
            return i;
        struct flow *flow = flow_at(&set->pool, ref);
        if (set->pool.early > 0)
            early_add(flow_early_at(&set->pool, flow, v6), set->pool.early, flow, &packets[i]);
        if (set->pool.has_statistics)
            flow_statistics_count(flow_statistics_at(&set->pool, flow, v6), &packets[i]);
        flow_count(flow, &set->logs, &table->home, &packets[i]);
        if (tracks)
            tcp_track_count(flow_set_make_track(set, flow, packets[i].v6), &packets[i]);
        if (table->places)
            flow_places_note(table->places, ref, flow, &packets[i], i);
    }
    return count;
}

bool flow_table_catch_up(struct flow_table *table, bool all)
{
    struct flow_packet packet;
    while (flow_input_fragment(&table->input, all, &packet))
        if (flow_table_feed(table, &packet, 1) == 0) {
            table->input.packets--;
            return false;
        }
    return true;
}
