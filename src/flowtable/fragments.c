/* Fragments: rings of those that came last, with chains of the same hash. */
#include "fragments.h"

#include "hash.h"
#include "nanoseconds.h"

#include "packet/bytes.h"

#include <stdlib.h>
#include <string.h>

#define REASSEMBLY_TIME ((int64_t)60 * 1000000000)

void flow_fragments_init(struct flow_fragments *fragments, const uint64_t seed[2])
{
    *fragments = (struct flow_fragments){.seed = {seed[0], seed[1]}, .wait = REASSEMBLY_TIME};
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

void flow_fragments_set_wait(struct flow_fragments *fragments, int64_t timeout)
{
    fragments->wait = timeout < REASSEMBLY_TIME ? timeout : REASSEMBLY_TIME;
}

size_t flow_fragments_size(const struct flow_fragments *fragments)
{
    size_t size = 0;
    if (fragments->ring)
        size += FRAGMENTS * (sizeof(*fragments->ring) + sizeof(*fragments->newest));
    if (fragments->held)
        size += HELD * (sizeof(*fragments->held) + sizeof(*fragments->held_newest));
    return size + (fragments->orphans ? ORPHANS * sizeof(*fragments->orphans) : 0);
}

/* --- Keys ------------------------------------------------------------------------------------ */

/* The identification in an IPv6 packet's fragment header; false where there is none. */
static bool identification6(const uint8_t *data, uint32_t len, uint32_t layer3, uint32_t *ident)
{
    uint8_t next = data[layer3 + 6];
    uint32_t at = layer3 + IP6_HEADER;
    while (at <= len && len - at >= 8) {
        const uint8_t *header = data + at;
        if (next == PROTO_FRAGMENT) {
            *ident = load_be32(header + 4);
            return true;
        }
        at += next == PROTO_AH ? (header[1] + 2U) * 4 : (header[1] + 1U) * 8;
        next = header[0];
    }
    return false;
}

bool fragment_key_of(const struct plt_packet *packet, struct fragment_key *key)
{
    const struct plt_layers *layers = packet->layers;
    const uint8_t *header = packet->data + layers->layer3;
    uint32_t ident = 0;
    if (layers->version == 4) {
        uint64_t rest = (uint64_t)load_be16(header + 4) << 16 | (uint64_t)header[9] << 8 | 4;
        *key = (struct fragment_key){.words = {load_be64(header + 12), rest}};
        return true;
    }
    if (!identification6(packet->data, packet->len, layers->layer3, &ident))
        return false;
    *key = (struct fragment_key){.words = {load_be64(header + 8), load_be64(header + 16),
                                           load_be64(header + 24), load_be64(header + 32),
                                           (uint64_t)ident << 16 | 6}};
    return true;
}

/* --- First fragments ------------------------------------------------------------------------- */

_Static_assert(FRAGMENTS % HELD == 0, "both rings have chains of the same hash");

static size_t chain_of(const struct flow_fragments *fragments, const struct fragment_key *key)
{
    uint64_t words[6] = {0};
    memcpy(words, key->words, sizeof(key->words));
    words[5] = key->tunnel;
    return (size_t)(hash_words(fragments->seed, words, 6) % FRAGMENTS);
}

static bool is_same(const struct fragment_key *one, const struct fragment_key *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
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

/* The fragment with one less than that number; NULL for 0, and where it was overwritten, as all
 * that are older were. */
static const struct fragment *fragment_at(const struct flow_fragments *all, uint64_t at)
{
    return at && all->count - (at - 1) <= FRAGMENTS ? &all->ring[(at - 1) % FRAGMENTS] : NULL;
}

/* The newest with the hash of a key; those before it are fragment_at(`older`). */
static const struct fragment *newest_of(const struct flow_fragments *all,
                                        const struct fragment_key *key)
{
    return all->ring ? fragment_at(all, all->newest[chain_of(all, key)]) : NULL;
}

const struct fragment *flow_fragments_find(const struct flow_fragments *fragments,
                                           const struct fragment_key *key, int64_t clock)
{
    const struct fragment *first = newest_of(fragments, key);
    while (first && !is_same(&first->key, key))
        first = fragment_at(fragments, first->older);
    return first && nanoseconds_sub(clock, first->clock) <= REASSEMBLY_TIME ? first : NULL;
}

bool flow_fragments_followed(const struct flow_fragments *fragments, const struct fragment_key *key,
                             int64_t wait, int64_t clock)
{
    const struct fragment *first = newest_of(fragments, key);
    while (first && !(is_same(&first->key, key) && nanoseconds_sub(first->clock, clock) <= wait))
        first = fragment_at(fragments, first->older);
    return first;
}

bool flow_fragments_add(struct flow_fragments *fragments, const struct fragment *fragment)
{
    if (!flow_fragments_reserve(fragments, true, false, false))
        return false;
    uint64_t *newest = &fragments->newest[chain_of(fragments, &fragment->key)];
    struct fragment *place = &fragments->ring[fragments->count++ % FRAGMENTS];
    *place = *fragment;
    place->older = *newest;
    *newest = fragments->count;
    return true;
}

void flow_fragments_claim(struct flow_fragments *fragments, const struct fragment *fragment)
{
    if (flow_fragments_held(fragments) == 0)
        return;
    fragments->claimant = *fragment;
    fragments->claims = true;
}

/* --- Those that wait ------------------------------------------------------------------------- */

void flow_fragments_add_held(struct flow_fragments *fragments, const struct held_fragment *held)
{
    uint64_t *newest = &fragments->held_newest[chain_of(fragments, &held->key) % HELD];
    struct held_fragment *place = &fragments->held[fragments->held_end++ % HELD];
    *place = *held;
    place->older = *newest;
    *newest = fragments->held_end;
}

bool flow_fragments_hold(struct flow_fragments *fragments, const struct fragment_key *key,
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
                                       .tunnel = packet->tunnel,
                                       .vlan = packet->vlan,
                                       .way = packet->way,
                                       .v6 = packet->v6};
    if (!flow_fragments_reserve(fragments, false, false, true))
        return false;
    flow_fragments_add_held(fragments, &held);
    return true;
}

/* Where the clock has gone back it waits no longer. */
static bool waits(const struct flow_fragments *all, const struct held_fragment *held, int64_t clock)
{
    int64_t age = nanoseconds_sub(clock, held->clock);
    return age >= 0 && age <= all->wait;
}

/* The newest that waits for the claimant, taken out of its chain; NULL without one. */
static const struct held_fragment *take_claimed(struct flow_fragments *all, int64_t clock)
{
    uint64_t *at = &all->held_newest[chain_of(all, &all->claimant.key) % HELD];
    while (*at > all->held_first) {
        struct held_fragment *held = &all->held[(*at - 1) % HELD];
        if (is_same(&held->key, &all->claimant.key) && waits(all, held, clock)) {
            *at = held->older;
            held->found = true;
            return held;
        }
        at = &held->older;
    }
    return NULL;
}

/* The oldest, if it waits no longer; NULL without one. */
static const struct held_fragment *take_oldest(struct flow_fragments *all, int64_t clock,
                                               bool all_of_them)
{
    while (flow_fragments_held(all) > 0) {
        const struct held_fragment *held = &all->held[all->held_first % HELD];
        bool is_full = flow_fragments_held(all) == HELD;
        if (!held->found && !all_of_them && !is_full && waits(all, held, clock))
            return NULL;
        all->held_first++;
        if (!held->found)
            return held;
    }
    return NULL;
}

bool flow_fragments_next(struct flow_fragments *fragments, int64_t clock, bool all,
                         struct flow_packet *out)
{
    const struct held_fragment *held = fragments->claims ? take_claimed(fragments, clock) : NULL;
    fragments->claims = held != NULL;
    if (!held)
        held = take_oldest(fragments, clock, all);
    if (!held)
        return false;
    struct flow_tuple tuple = flow_key_to_tuple(&held->flow, held->v6, held->way);
    if (fragments->claims) {
        tuple.proto = fragments->claimant.proto;
        tuple.src.port = fragments->claimant.src_port;
        tuple.dst.port = fragments->claimant.dst_port;
    }
    *out = (struct flow_packet){.time = held->time,
                                .clock = clock,
                                .number = held->number,
                                .bytes = held->bytes,
                                .tunnel = held->tunnel,
                                .ip_bytes = held->ip_bytes,
                                .vlan = held->vlan,
                                .v6 = held->v6};
    out->way = (uint8_t)flow_key_from_tuple(&tuple, &out->key);
    flow_words_set_vlan(out->key.words, out->v6, flow_words_vlan(held->flow.words, out->v6));
    out->key.tunnel = held->flow.tunnel;
    if (fragment_has_payload(tuple.proto))
        out->payload_bytes = held->payload_bytes;
    return true;
}

/* --- Orphans: what an earlier table may know the first fragment of --------------------------- */

bool flow_fragments_add_orphan(struct flow_fragments *fragments, const struct fragment_key *key,
                               int64_t clock, int64_t begin)
{
    if (nanoseconds_sub(clock, begin) > REASSEMBLY_TIME) {
        fragments->orphans_lost |= ORPHANS_LATE;
        return true;
    }
    if (fragments->orphan_count == ORPHANS) {
        fragments->orphans_lost |= ORPHANS_FULL;
        return true;
    }
    if (!flow_fragments_reserve(fragments, false, true, false))
        return false;
    fragments->orphans[fragments->orphan_count++] = (struct orphan){.key = *key, .clock = clock};
    return true;
}
