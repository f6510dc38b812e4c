/* A flow table: packets to flows, and flows from the index to the list of those that ended. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

void flow_table_init(struct flow_table *table, const uint64_t seed[2])
{
    memset(table, 0, sizeof(*table));
    table->index.seed[0] = seed[0];
    table->index.seed[1] = seed[1];
    table->pools[0].size = sizeof(struct flow);
    table->pools[1].size = sizeof(struct flow6);
    table->begin = table->earliest = table->clock = FLOW_NO_TIME;
    flow_wheel_init(table, FLOW_NEVER, FLOW_NEVER);
}

void flow_table_free(struct flow_table *table)
{
    flow_pools_clear(table);
    flow_fragments_clear(&table->fragments);
    flow_memory_free(table->index.groups, table->index.group_count * sizeof(*table->index.groups));
    table->index.groups = NULL;
}

size_t flow_table_size(const struct flow_table *table)
{
    const struct flow_fragments *fragments = &table->fragments;
    size_t size = table->index.group_count * sizeof(*table->index.groups);

    for (int v6 = 0; v6 < 2; v6++)
        size += table->pools[v6].used * table->pools[v6].size;
    size += table->logs.room * sizeof(*table->logs.blocks);
    if (fragments->ring)
        size += FRAGMENTS * (sizeof(*fragments->ring) + sizeof(*fragments->newest));
    if (fragments->held)
        size += HELD * (sizeof(*fragments->held) + sizeof(*fragments->held_newest));
    return size + (fragments->orphans ? ORPHANS * sizeof(*fragments->orphans) : 0);
}

/* --- Ends ------------------------------------------------------------------------------------- */

void flow_table_push_ended(struct flow_table *table, flow_ref ref, uint8_t reason)
{
    struct flow *flow = flow_at(table, ref);

    flow->marks &= (uint8_t)~MARK_LIVE;
    flow->end_reason = reason;
    flow->next = 0;
    if (table->ended_last)
        flow_at(table, table->ended_last)->next = ref;
    else
        table->ended_first = ref;
    table->ended_last = ref;
    table->ended++;
}

void flow_table_end(struct flow_table *table, flow_ref ref, uint8_t reason)
{
    bool v6 = flow_ref_is_6(ref);
    struct flow_key key = flow_key_of(flow_at(table, ref), v6);

    flow_index_remove(&table->index, flow_hash(table->index.seed, &key, v6), ref);
    flow_table_push_ended(table, ref, reason);
}

/* End a flow, its place in index and wheel left to a new one of the same key, which is empty; false
 * when out of memory. */
static bool replace(struct flow_table *table, flow_ref ref, uint8_t reason)
{
    flow_ref place = flow_pool_new(table, flow_ref_is_6(ref));
    if (!place)
        return false;
    struct flow *flow = flow_at(table, ref);
    memcpy(flow_at(table, place), flow, table->pools[flow_ref_is_6(ref)].size);
    flow_table_push_ended(table, place, reason);
    struct flow empty = {
        .key = {flow->key[0], flow->key[1]}, .next = flow->next, .marks = MARK_LIVE | MARK_AGAIN};
    *flow = empty;
    return true;
}

bool flow_table_end_early(struct flow_table *table, flow_ref ref, uint8_t reason)
{
    /* a wheel's bucket can't be left from its midst: there an empty record stays, until the wheel
     * comes to it */
    if (!replace(table, ref, reason))
        return false;
    bool v6 = flow_ref_is_6(ref);
    struct flow_key key = flow_key_of(flow_at(table, ref), v6);
    flow_index_remove(&table->index, flow_hash(table->index.seed, &key, v6), ref);
    flow_at(table, ref)->marks = 0;
    if (!flow_wheel_is_on(table))
        flow_pool_free(table, ref);
    return true;
}

/* Empty the wheel, all flows being about to end: of empty records nobody else knows. */
static void clear_wheel(struct flow_table *table)
{
    for (size_t i = 0; i < WHEEL_BUCKETS; i++)
        for (flow_ref ref = table->wheel.buckets[i]; ref;) {
            flow_ref next = flow_at(table, ref)->next;
            if (!(flow_at(table, ref)->marks & MARK_LIVE))
                flow_pool_free(table, ref);
            ref = next;
        }
    memset(table->wheel.buckets, 0, sizeof(table->wheel.buckets));
}

void flow_table_flush(struct flow_table *table)
{
    flow_wheel_settle(table);
    clear_wheel(table);
    for (flow_ref v6 = 0; v6 < 2; v6++)
        for (uint32_t number = 1; number <= table->pools[v6].used; number++) {
            flow_ref ref = number | (v6 ? FLOW_REF_6 : 0);
            struct flow *flow = flow_at(table, ref);
            if (flow->marks & MARK_LIVE)
                flow_table_push_ended(table, ref, flow_is_closed(flow) ? END_OF_FLOW : END_FORCED);
        }
    if (table->index.groups)
        memset(table->index.groups, 0, table->index.group_count * sizeof(struct flow_group));
    table->index.count = 0;
}

flow_ref flow_table_pop_ended(struct flow_table *table)
{
    flow_ref ref = table->ended_first;
    if (!ref)
        return 0;
    table->ended_first = flow_at(table, ref)->next;
    if (!table->ended_first)
        table->ended_last = 0;
    table->ended--;
    table->handed_out++;
    return ref;
}

/* --- Packets ---------------------------------------------------------------------------------- */

flow_ref flow_table_insert(struct flow_table *table, const struct flow_key *key, uint64_t hash,
                           bool v6)
{
    flow_ref ref = flow_index_reserve(table, 1) ? flow_pool_new(table, v6) : 0;
    if (!ref)
        return 0;
    struct flow *flow = flow_at(table, ref);
    memcpy(flow->key, key->words, sizeof(flow->key));
    if (v6)
        memcpy(((struct flow6 *)flow)->rest, key->words + KEY_WORDS_4,
               sizeof(((struct flow6 *)flow)->rest));
    flow->marks = MARK_LIVE;
    flow_index_add(&table->index, hash, ref);
    return ref;
}

/* Where a packet's flow probably is; its memory is asked for. */
static void look_ahead(const struct flow_table *table, struct flow_packet *packet)
{
    packet->hint = flow_index_guess(&table->index, packet->hash);
    if (!packet->hint)
        return;
    const uint8_t *flow = (const uint8_t *)flow_at(table, packet->hint);
    const uint8_t *part = packet->way ? flow + offsetof(struct flow, key) : flow;
    __builtin_prefetch(part, 1);
    __builtin_prefetch(part + 64, 1);
    __builtin_prefetch(part + 127, 1);
}

/* The flow of a packet, begun where there was none; NULL when out of memory. */
static struct flow *flow_of_packet(struct flow_table *table, const struct flow_packet *packet)
{
    flow_ref ref = packet->hint;
    /* the guess may have been wrong, or gone since */
    bool found = ref && flow_ref_is_6(ref) == packet->v6 &&
                 (flow_at(table, ref)->marks & MARK_LIVE) &&
                 flow_key_equals(flow_at(table, ref), &packet->key, packet->v6);
    if (!found)
        ref = flow_index_find(table, &packet->key, packet->hash, packet->v6);
    if (ref) {
        struct flow *flow = flow_at(table, ref);
        bool syn = flow_is_first_syn(packet);
        bool over = flow_is_over(table, flow, packet->clock);
        bool has_room = flow_has_room(table, flow, packet->time, packet->time);
        if (!over && has_room && !(syn && flow_syn_is_new(flow, packet))) {
            if (syn)
                flow->marks |= MARK_LATER_SYN;
            return flow;
        }
        uint8_t reason = over                               ? flow_end_reason(table, flow)
                         : has_room || flow_is_closed(flow) ? END_OF_FLOW
                                                            : END_ACTIVE;
        if (!replace(table, ref, reason))
            return NULL;
        flow_begin(table, flow, packet);
        return flow;
    }
    ref = flow_table_insert(table, &packet->key, packet->hash, packet->v6);
    if (!ref)
        return NULL;
    struct flow *flow = flow_at(table, ref);
    flow_begin(table, flow, packet);
    flow->seen = packet->clock;
    flow_wheel_add(table, ref);
    return flow;
}

size_t flow_table_feed(struct flow_table *table, struct flow_packet *packets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        packets[i].hash = flow_hash(table->index.seed, &packets[i].key, packets[i].v6);
        flow_index_prefetch(&table->index, packets[i].hash);
    }
    for (size_t i = 0; i < count; i++)
        look_ahead(table, &packets[i]);
    for (size_t i = 0; i < count; i++) {
        flow_wheel_turn(table, packets[i].clock);
        struct flow *flow = flow_of_packet(table, &packets[i]);
        if (!flow)
            return i;
        flow_update(table, flow, &packets[i]);
    }
    return count;
}

bool flow_table_catch_up(struct flow_table *table, bool all)
{
    struct flow_packet packet;

    while (flow_fragment_next(table, all, &packet))
        if (flow_table_feed(table, &packet, 1) == 0) {
            table->packets--;
            return false;
        }
    return true;
}

/* --- Lists ------------------------------------------------------------------------------------ */

struct flow_copy flow_table_copy(const struct flow_table *table, flow_ref ref)
{
    struct flow_copy copy = {.v6 = flow_ref_is_6(ref)};
    struct flow *flow = &copy.record.flow;

    memcpy(&copy.record, flow_at(table, ref), table->pools[copy.v6].size);
    flow->next = 0;
    flow->log = 0;
    flow->logged = 0;
    flow->first_seq_end = 0;
    flow->marks &= (uint8_t) ~(MARK_LIVE | MARK_AGAIN | MARK_LOG_SHORT);
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

flow_ref *flow_table_list(const struct flow_table *table, int which, size_t *count)
{
    uint64_t most =
        (which & LIST_LIVE ? table->index.count : 0) + (which & LIST_ENDED ? table->ended : 0);
    struct numbered *all = malloc((size_t)(most + 1) * sizeof(*all));
    size_t found = 0;
    bool sorted = true;

    *count = 0;
    if (!all)
        return NULL;
    for (flow_ref v6 = 0; v6 < 2 && (which & LIST_LIVE); v6++)
        for (uint32_t number = 1; number <= table->pools[v6].used; number++) {
            flow_ref ref = number | (v6 ? FLOW_REF_6 : 0);
            const struct flow *flow = flow_at(table, ref);
            if (flow->marks & MARK_LIVE)
                all[found++] = (struct numbered){flow->number, ref};
        }
    for (flow_ref ref = which & LIST_ENDED ? table->ended_first : 0; ref;
         ref = flow_at(table, ref)->next)
        all[found++] = (struct numbered){flow_at(table, ref)->number, ref};
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
