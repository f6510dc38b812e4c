/* A flow table: each packet to its flow, which it may begin or end. */
#include "table.h"

#include "common/prefetch.h"

#include <string.h>

/* So many packets before one is counted the memory is asked for of what its flow points to: no more
 * than the processor can wait for at the same time. */
enum { LOOK_AHEAD = 24 };

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
    flow_wheel_clear(&table->wheel);
    flow_fragments_clear(&table->input.fragments);
}

size_t flow_table_size(const struct flow_table *table)
{
    return flow_set_size(&table->set) + flow_heap_size(&table->wheel.far) +
           flow_fragments_size(&table->input.fragments);
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
    if (flow_timeouts_are_set(&table->wheel.timeouts))
        flow_wheel_leave(&table->wheel, &table->set);
    else
        flow_set_free_slot(&table->set, ref);
    return true;
}

flow_ref flow_table_put_earlier(struct flow_table *table, flow_ref ref)
{
    if (!flow_timeouts_are_set(&table->wheel.timeouts))
        return ref;
    flow_ref place = flow_set_move(&table->set, ref);
    if (!place)
        return 0;
    flow_wheel_add(&table->wheel, &table->set.pool, place);
    flow_wheel_leave(&table->wheel, &table->set);
    if (table->places)
        flow_places_move(table->places, ref, place);
    return place;
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
    const struct flow *flow = packet->guess;
    if (pool->has_statistics)
        flow_statistics_prefetch(flow_statistics_at(pool, flow, v6), packet);
    if (pool->early > 0) {
        prefetch(flow);
        prefetch(&flow->way1);
    }
}

/* Where a packet's flow probably is; its memory is asked for. */
static inline void look_ahead(const struct flow_set *set, struct flow_packet *packet)
{
    packet->hint = flow_index_guess(&set->index, packet->hash);
    if (!packet->hint)
        return;
    packet->guess = flow_at(&set->pool, packet->hint);
    const uint8_t *part = (const uint8_t *)packet->guess + packet->way * offsetof(struct flow, key);
    prefetch(part);
    prefetch(part + 64);
    prefetch(part + 127);
    if (set->tracks_tcp)
        prefetch(flow_tail(packet->guess, flow_ref_is_6(packet->hint)));
    if (set->pool.has_statistics || set->pool.early > 0)
        prefetch_more(&set->pool, packet);
}

/* The place of a packet among the first of its flow, which has come meanwhile. */
static void look_for_place(const struct flow_pool *pool, const struct flow_packet *packet)
{
    if (!packet->hint)
        return;
    const struct flow *flow = packet->guess;
    size_t count = early_count(flow, pool->early);
    if (count < pool->early)
        prefetch(flow_early_at(pool, flow, flow_ref_is_6(packet->hint)) + count);
}

/* The same of the track of that flow, which has come meanwhile. */
static inline void look_for_track(const struct flow_set *set, const struct flow_packet *packet)
{
    if (!packet->hint || !(packet->kind & PACKET_TCP))
        return;
    uint32_t track = flow_tail(packet->guess, flow_ref_is_6(packet->hint))->track;
    if (track)
        tcp_track_prefetch(tcp_track_at(&set->tracks, track), packet->way);
}

/* What the flow points to, now that it has come. */
static inline void look_further(const struct flow_set *set, const struct flow_packet *packet)
{
    if (set->tracks_tcp)
        look_for_track(set, packet);
    if (set->pool.early > 0)
        look_for_place(&set->pool, packet);
}

/* The live flow of a packet's key, 0 for none. */
static inline flow_ref find(const struct flow_set *set, const struct flow_packet *packet)
{
    /* the guess may have been wrong, or gone since */
    if (packet->hint && flow_ref_is_6(packet->hint) == packet->v6 &&
        (packet->guess->marks & MARK_LIVE) && flow_has_key(packet->guess, &packet->key, packet->v6))
        return packet->hint;
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

/* A packet of a flow that goes on with a time before the last one's.  Rare, and as the next not to
 * be a part of what most packets run through: that has no registers to spare. */
__attribute__((noinline)) static flow_ref go_on_earlier(struct flow_table *table, flow_ref ref,
                                                        const struct flow_packet *packet)
{
    struct flow *flow = flow_at(&table->set.pool, ref);
    int64_t seen = flow->seen;
    flow->seen = packet->clock;
    flow_ref place = flow_table_put_earlier(table, ref);
    if (!place)
        flow->seen = seen;
    return place;
}

/* A packet of a flow that another ended: it begins anew; 0 when out of memory. */
__attribute__((noinline)) static flow_ref begin_again(struct flow_table *table, flow_ref ref,
                                                      const struct flow_packet *packet,
                                                      uint8_t reason)
{
    struct flow_set *set = &table->set;
    struct flow *flow = flow_at(&set->pool, ref);
    bool earlier = packet->clock < flow->seen || packet->clock < flow->started;
    /* both slots or none */
    if (!flow_pool_reserve(&set->pool, packet->v6, 2) || !flow_set_replace(set, ref, reason))
        return 0;
    flow_begin(flow, &table->home, packet);
    flow->seen = packet->clock;
    return earlier ? flow_table_put_earlier(table, ref) : ref;
}

/* The flow of a packet, begun where there was none; 0 when out of memory. */
static inline flow_ref flow_of_packet(struct flow_table *table, const struct flow_packet *packet)
{
    const struct flow_timeouts *timeouts = &table->wheel.timeouts;
    flow_ref ref = find(&table->set, packet);
    if (!ref)
        return begin(table, packet);
    bool syn = flow_packet_is_first_syn(packet);
    bool times_out = flow_timeouts_are_set(timeouts);
    if (!syn && !times_out)
        return ref;
    struct flow *flow = flow_at(&table->set.pool, ref);
    bool over = flow_is_over(timeouts, flow, packet->clock);
    bool has_room = flow_has_room(timeouts, flow, packet->time, packet->time);
    if (!over && has_room && !(syn && flow_syn_is_new(flow, packet))) {
        if (syn)
            flow->marks |= MARK_LATER_SYN;
        return packet->clock < flow->seen ? go_on_earlier(table, ref, packet) : ref;
    }
    uint8_t reason = over                               ? flow_end_reason(timeouts, flow)
                     : has_room || flow_is_closed(flow) ? END_OF_FLOW
                                                        : END_ACTIVE;
    return begin_again(table, ref, packet, reason);
}

/* Count a packet, the n-th of a block, in its flow and in what the flow has besides; false when out
 * of memory. */
static inline bool count_packet(struct flow_table *table, const struct flow_packet *packet,
                                size_t n)
{
    struct flow_set *set = &table->set;
    bool v6 = packet->v6;
    bool tracks = set->tracks_tcp && (packet->kind & PACKET_TCP);
    if (!flow_wheel_stays(&table->wheel, packet->clock))
        flow_wheel_turn(&table->wheel, set, packet->clock);
    /* one that ends and begins anew may take two */
    if (table->places &&
        !flow_places_reserve(table->places, v6, (size_t)set->pool.slots[v6].used + 2))
        return false;
    flow_ref ref = flow_of_packet(table, packet);
    if (!ref)
        return false;
    struct flow *flow = ref == packet->hint ? packet->guess : flow_at(&set->pool, ref);
    if (set->pool.early > 0)
        early_add(flow_early_at(&set->pool, flow, v6), set->pool.early, flow, packet);
    if (set->pool.has_statistics)
        flow_statistics_count(flow_statistics_at(&set->pool, flow, v6), packet);
    flow_count(flow, &set->logs, &table->home, packet);
    if (tracks)
        tcp_track_count(flow_set_make_track(set, flow, v6), packet);
    if (table->places)
        flow_places_note(table->places, ref, flow, packet, n);
    return true;
}

size_t flow_table_feed(struct flow_table *table, struct flow_packet *packets, size_t count)
{
    struct flow_set *set = &table->set;
    if (set->tracks_tcp && !tcp_tracks_reserve(&set->tracks, count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        packets[i].hash = hash_key(&set->index.hash, &packets[i].key, packets[i].v6);
        flow_index_prefetch(&set->index, packets[i].hash);
    }
    for (size_t i = 0; i < count; i++)
        look_ahead(set, &packets[i]);
    for (size_t i = 0; i < count + LOOK_AHEAD; i++) {
        if (i < count)
            look_further(set, &packets[i]);
        if (i >= LOOK_AHEAD && !count_packet(table, &packets[i - LOOK_AHEAD], i - LOOK_AHEAD))
            return i - LOOK_AHEAD;
    }
    return count;
}

bool flow_table_catch_up(struct flow_table *table, bool all)
{
    struct flow_packet packet;
    while (flow_input_fragment(&table->input, all, &packet))
        if (flow_table_feed(table, &packet, 1) == 0) {
            input_count(&table->input.packets, -1);
            return false;
        }
    return true;
}
