/* Fragments: the first one of a packet has the ports, the later ones find them here.
 *
 * The last FRAGMENTS first fragments are remembered, for as long as RFC 8200 section 4.5 lets a
 * packet take to be put together.  Later ones that come before their first wait for it as long, or
 * as a timeout where that is shorter: no more than HELD of them, the oldest of which gives way.
 * When it has come they are counted in its flow, else in one without ports. */
#include "table.h"

#include "packet/bytes.h"

#include <stdlib.h>
#include <string.h>

#define REASSEMBLY_TIME ((int64_t)60 * 1000000000)

/* --- Keys ------------------------------------------------------------------------------------- */

/* The identification in an IPv6 packet's fragment header; false where there is none. */
static bool identification6(const uint8_t *data, uint32_t len, uint32_t layer3, uint32_t *ident)
{
    uint8_t next = data[layer3 + 6];
    uint32_t at = layer3 + 40;

    while (at <= len && len - at >= 8) {
        const uint8_t *header = data + at;
        if (next == 44) {
            *ident = load_be32(header + 4);
            return true;
        }
        at += next == 51 ? (header[1] + 2U) * 4 : (header[1] + 1U) * 8;
        next = header[0];
    }
    return false;
}

bool flow_fragment_key(const uint8_t *data, uint32_t len, const struct plt_layers *layers,
                       struct fragment_key *key)
{
    const uint8_t *header = data + layers->layer3;
    uint32_t ident = 0;

    if (layers->version == 4) {
        uint64_t rest = (uint64_t)load_be16(header + 4) << 16 | (uint64_t)header[9] << 8 | 4;
        *key = (struct fragment_key){{load_be64(header + 12), rest}};
        return true;
    }
    if (!identification6(data, len, layers->layer3, &ident))
        return false;
    *key = (struct fragment_key){{load_be64(header + 8), load_be64(header + 16),
                                  load_be64(header + 24), load_be64(header + 32),
                                  (uint64_t)ident << 16 | 6}};
    return true;
}

/* --- The ring --------------------------------------------------------------------------------- */

_Static_assert(FRAGMENTS % HELD == 0, "both rings have chains of the same hash");

static size_t chain_of(const struct flow_table *table, const struct fragment_key *key)
{
    uint64_t words[6] = {0};

    memcpy(words, key->words, sizeof(key->words));
    return (size_t)(flow_hash_words(table->index.seed, words, 6) % FRAGMENTS);
}

/* A ring's array, and the newest of each hash; false when there is no memory for both. */
static bool make_ring(void **ring, uint64_t **newest, size_t count, size_t size)
{
    *ring = calloc(count, size);
    *newest = calloc(count, sizeof(**newest));
    if (*ring && *newest)
        return true;
    free(*ring);
    free(*newest);
    *ring = NULL;
    *newest = NULL;
    return false;
}

const struct fragment *flow_fragment_find(const struct flow_table *table,
                                          const struct fragment_key *key, int64_t clock)
{
    const struct flow_fragments *all = &table->fragments;
    uint64_t at = all->ring ? all->newest[chain_of(table, key)] : 0;

    /* what is older than all in the ring was overwritten */
    while (at && all->count - (at - 1) <= FRAGMENTS) {
        const struct fragment *fragment = &all->ring[(at - 1) % FRAGMENTS];
        if (memcmp(&fragment->key, key, sizeof(*key)) == 0)
            return flow_time_sub(clock, fragment->clock) <= REASSEMBLY_TIME ? fragment : NULL;
        at = fragment->older;
    }
    return NULL;
}

bool flow_fragments_reserve(struct flow_fragments *fragments, bool first, bool orphans, bool held)
{
    void *ring = NULL;

    if (first && !fragments->ring) {
        if (!make_ring(&ring, &fragments->newest, FRAGMENTS, sizeof(*fragments->ring)))
            return false;
        fragments->ring = ring;
    }
    if (held && !fragments->held) {
        if (!make_ring(&ring, &fragments->held_newest, HELD, sizeof(*fragments->held)))
            return false;
        fragments->held = ring;
    }
    if (orphans && !fragments->orphans)
        fragments->orphans = malloc(ORPHANS * sizeof(*fragments->orphans));
    return !orphans || fragments->orphans;
}

bool flow_fragment_add(struct flow_table *table, const struct fragment *fragment)
{
    struct flow_fragments *all = &table->fragments;
    if (!flow_fragments_reserve(all, true, false, false))
        return false;
    uint64_t *newest = &all->newest[chain_of(table, &fragment->key)];
    struct fragment *place = &all->ring[all->count++ % FRAGMENTS];
    *place = *fragment;
    place->older = *newest;
    *newest = all->count;
    return true;
}

void flow_fragment_first(struct flow_table *table, const struct fragment_key *key,
                         const struct natkit_key *packet)
{
    struct fragment fragment = {.key = *key,
                                .clock = table->clock,
                                .src_port = load_be16(packet->bytes + KEY_SRC_PORT),
                                .dst_port = load_be16(packet->bytes + KEY_DST_PORT),
                                .proto = packet->bytes[KEY_PROTO]};
    struct flow_fragments *all = &table->fragments;

    if (!flow_fragment_add(table, &fragment))
        table->fragments_lost = true;
    if (all->held_first != all->held_end) {
        all->claimant = fragment;
        all->claims = true;
    }
}

bool flow_fragment_later(struct flow_table *table, const struct fragment_key *key,
                         struct natkit_key *packet)
{
    const struct fragment *first = flow_fragment_find(table, key, table->clock);
    if (!first)
        return false;
    packet->bytes[KEY_PROTO] = first->proto;
    store_be16(packet->bytes + KEY_SRC_PORT, first->src_port);
    store_be16(packet->bytes + KEY_DST_PORT, first->dst_port);
    return true;
}

/* --- Those that wait -------------------------------------------------------------------------- */

int64_t flow_fragment_wait(const struct flow_table *table)
{
    int64_t shorter = table->idle < table->active ? table->idle : table->active;

    return shorter < REASSEMBLY_TIME ? shorter : REASSEMBLY_TIME;
}

bool flow_fragment_followed(const struct flow_table *table, const struct fragment_key *key,
                            int64_t wait, int64_t clock)
{
    const struct flow_fragments *all = &table->fragments;
    uint64_t at = all->ring ? all->newest[chain_of(table, key)] : 0;

    while (at && all->count - (at - 1) <= FRAGMENTS) {
        const struct fragment *fragment = &all->ring[(at - 1) % FRAGMENTS];
        if (memcmp(&fragment->key, key, sizeof(*key)) == 0 &&
            flow_time_sub(fragment->clock, clock) <= wait)
            return true;
        at = fragment->older;
    }
    return false;
}

void flow_held_add(struct flow_table *table, const struct held_fragment *held)
{
    struct flow_fragments *all = &table->fragments;
    uint64_t *newest = &all->held_newest[chain_of(table, &held->key) % HELD];
    struct held_fragment *place = &all->held[all->held_end++ % HELD];

    *place = *held;
    place->older = *newest;
    *newest = all->held_end;
}

bool flow_fragment_hold(struct flow_table *table, const struct fragment_key *key,
                        const struct flow_packet *packet)
{
    const struct held_fragment held = {.key = *key,
                                       .flow = packet->key,
                                       .time = packet->time,
                                       .clock = packet->clock,
                                       .number = packet->number,
                                       .bytes = packet->bytes,
                                       .ip_bytes = packet->ip_bytes,
                                       .payload_bytes = packet->payload_bytes,
                                       .vlan = packet->vlan,
                                       .way = packet->way,
                                       .v6 = packet->v6};

    if (!flow_fragments_reserve(&table->fragments, false, false, true))
        return false;
    flow_held_add(table, &held);
    return true;
}

/* Where the clock has gone back it waits no longer. */
static bool waits(const struct flow_table *table, const struct held_fragment *held)
{
    int64_t age = flow_time_sub(table->clock, held->clock);

    return age >= 0 && age <= flow_fragment_wait(table);
}

/* The newest that waits for the claimant, taken out of its chain; NULL without one. */
static const struct held_fragment *take_claimed(struct flow_table *table)
{
    struct flow_fragments *all = &table->fragments;
    uint64_t *at = &all->held_newest[chain_of(table, &all->claimant.key) % HELD];

    while (*at > all->held_first) {
        struct held_fragment *held = &all->held[(*at - 1) % HELD];
        if (memcmp(&held->key, &all->claimant.key, sizeof(held->key)) == 0 && waits(table, held)) {
            *at = held->older;
            held->found = true;
            return held;
        }
        at = &held->older;
    }
    return NULL;
}

/* The oldest, if it waits no longer; NULL without one. */
static const struct held_fragment *take_oldest(struct flow_table *table, bool all_of_them)
{
    struct flow_fragments *all = &table->fragments;

    while (all->held_first != all->held_end) {
        const struct held_fragment *held = &all->held[all->held_first % HELD];
        bool is_full = all->held_end - all->held_first == HELD;
        if (!held->found && !all_of_them && !is_full && waits(table, held))
            return NULL;
        all->held_first++;
        if (!held->found)
            return held;
    }
    return NULL;
}

bool flow_fragment_next(struct flow_table *table, bool all_of_them, struct flow_packet *out)
{
    struct flow_fragments *all = &table->fragments;
    if (all->held_first == all->held_end)
        return false;
    const struct held_fragment *held = all->claims ? take_claimed(table) : NULL;
    all->claims = held != NULL;
    if (!held)
        held = take_oldest(table, all_of_them);
    if (!held)
        return false;
    struct natkit_key key = flow_key_to(&held->flow, held->v6, held->way);
    if (all->claims) {
        key.bytes[KEY_PROTO] = all->claimant.proto;
        store_be16(key.bytes + KEY_SRC_PORT, all->claimant.src_port);
        store_be16(key.bytes + KEY_DST_PORT, all->claimant.dst_port);
    }
    *out = (struct flow_packet){.time = held->time,
                                .clock = table->clock,
                                .number = held->number,
                                .bytes = held->bytes,
                                .ip_bytes = held->ip_bytes,
                                .vlan = held->vlan,
                                .v6 = held->v6};
    out->way = (uint8_t)flow_key_from(&key, &out->key);
    if (table->by_vlan)
        flow_words_set_vlan(out->key.words, out->v6, out->vlan);
    if (flow_fragment_carries(key.bytes[KEY_PROTO]))
        out->payload_bytes = held->payload_bytes;
    return true;
}

/* --- Orphans: what an earlier table may know the first fragment of ---------------------------- */

bool flow_orphan_add(struct flow_table *table, const struct fragment_key *key, int64_t clock)
{
    struct flow_fragments *all = &table->fragments;
    if (flow_time_sub(clock, table->begin) > REASSEMBLY_TIME) {
        all->orphans_lost |= ORPHANS_LATE;
        return true;
    }
    if (all->orphan_count == ORPHANS) {
        all->orphans_lost |= ORPHANS_FULL;
        return true;
    }
    if (!flow_fragments_reserve(all, false, true, false))
        return false;
    all->orphans[all->orphan_count++] = (struct orphan){.key = *key, .clock = clock};
    return true;
}

void flow_fragments_clear(struct flow_fragments *fragments)
{
    free(fragments->ring);
    free(fragments->newest);
    free(fragments->held);
    free(fragments->held_newest);
    free(fragments->orphans);
    *fragments = (struct flow_fragments){.ring = NULL};
}
