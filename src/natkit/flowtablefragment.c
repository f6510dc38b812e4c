/* Fragments: the first one of a packet has the ports, the later ones find them here.
 *
 * The last FRAGMENTS first fragments are remembered, for as long as RFC 8200 section 4.5 lets a
 * packet take to be put together. */
#include "flowtable.h"

#include "bytes.h"

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

static size_t chain_of(const struct flow_table *table, const struct fragment_key *key)
{
    uint64_t words[6] = {0};

    memcpy(words, key->words, sizeof(key->words));
    return (size_t)(flow_hash_words(table->index.seed, words, 6) % FRAGMENTS);
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

static bool make_ring(struct flow_fragments *all)
{
    all->ring = malloc(FRAGMENTS * sizeof(*all->ring));
    all->newest = calloc(FRAGMENTS, sizeof(*all->newest));
    if (all->ring && all->newest)
        return true;
    free(all->ring);
    free(all->newest);
    all->ring = NULL;
    all->newest = NULL;
    return false;
}

bool flow_fragments_reserve(struct flow_fragments *fragments, bool first, bool orphans)
{
    if (first && !fragments->ring && !make_ring(fragments))
        return false;
    if (orphans && !fragments->orphans)
        fragments->orphans = malloc(ORPHANS * sizeof(*fragments->orphans));
    return !orphans || fragments->orphans;
}

bool flow_fragment_add(struct flow_table *table, const struct fragment *fragment)
{
    struct flow_fragments *all = &table->fragments;
    if (!flow_fragments_reserve(all, true, false))
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

    if (!flow_fragment_add(table, &fragment))
        table->fragments_lost = true;
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
    if (!flow_fragments_reserve(all, false, true))
        return false;
    all->orphans[all->orphan_count++] = (struct orphan){.key = *key, .clock = clock};
    return true;
}

void flow_fragments_clear(struct flow_fragments *fragments)
{
    free(fragments->ring);
    free(fragments->newest);
    free(fragments->orphans);
    *fragments = (struct flow_fragments){.ring = NULL};
}
