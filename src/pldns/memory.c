/* A bounded hash table of what is remembered from packet to packet, with its entries in a list from
 * the oldest to the newest.  The hash is keyed: whoever sends packets can't choose their chains. */
#include "memory.h"

#include "common/siphash.h"

#include <stdlib.h>
#include <string.h>

/* --- The table ------------------------------------------------------------------------------- */

_Static_assert(sizeof(struct pldns_ends) == 40, "ends are compared as bytes: no padding");

enum { FIRST_ROOM = 1 << 8 };

uint64_t pldns_memory_hash(const struct pldns_memory *memory, const struct pldns_ends *ends)
{
    struct siphash hash = siphash_begin(memory->seed);
    uint64_t words[sizeof(*ends) / 8]; /* of no use outside this process: the host's order */
    memcpy(words, ends, sizeof(*ends));
    for (size_t i = 0; i < sizeof(*ends) / 8; i++)
        siphash_add(&hash, words[i]);
    siphash_add(&hash, (uint64_t)sizeof(*ends) << 56);
    return siphash_end(&hash);
}

static uint32_t *bucket_of(struct pldns_memory *memory, uint64_t hash)
{
    return &memory->buckets[hash & (memory->room - 1)];
}

static bool same_ends(const struct pldns_ends *one, const struct pldns_ends *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

void pldns_memory_clear(struct pldns_memory *memory)
{
    free(memory->entries);
    free(memory->buckets);
    memory->entries = NULL;
    memory->buckets = NULL;
    memory->room = 0;
}

static void enchain(struct pldns_memory *memory, uint32_t number)
{
    uint32_t *bucket = bucket_of(memory, memory->entries[number].hash);
    memory->entries[number].chained = *bucket;
    *bucket = number;
}

/* Twice the room, or the first; false when out of memory, and nothing has changed. */
static bool grow(struct pldns_memory *memory)
{
    uint32_t room = memory->room ? memory->room * 2 : FIRST_ROOM;
    struct pldns_entry *entries = realloc(memory->entries, room * sizeof(*entries));
    if (!entries)
        return false;
    memory->entries = entries;
    uint32_t *buckets = malloc(room * sizeof(*buckets));
    if (!buckets)
        return false;
    free(memory->buckets);
    memory->buckets = buckets;
    if (memory->room == 0) {
        memory->used = 0;
        memory->free = memory->oldest = memory->newest = PLDNS_NONE;
    }
    memory->room = room;
    memset(buckets, 0xff, room * sizeof(*buckets)); /* PLDNS_NONE */
    for (uint32_t n = memory->oldest; n != PLDNS_NONE; n = entries[n].newer)
        enchain(memory, n);
    return true;
}

static struct pldns_entry *first_of(struct pldns_memory *memory, uint32_t number,
                                    const struct pldns_ends *ends)
{
    while (number != PLDNS_NONE) {
        struct pldns_entry *entry = &memory->entries[number];
        if (same_ends(&entry->ends, ends))
            return entry;
        number = entry->chained;
    }
    return NULL;
}

struct pldns_entry *pldns_memory_find(struct pldns_memory *memory, const struct pldns_ends *ends,
                                      uint64_t hash)
{
    return memory->room ? first_of(memory, *bucket_of(memory, hash), ends) : NULL;
}

struct pldns_entry *pldns_memory_older(struct pldns_memory *memory, const struct pldns_entry *entry)
{
    return first_of(memory, entry->chained, &entry->ends);
}

static void unlist(struct pldns_memory *memory, const struct pldns_entry *entry)
{
    if (entry->older == PLDNS_NONE)
        memory->oldest = entry->newer;
    else
        memory->entries[entry->older].newer = entry->newer;
    if (entry->newer == PLDNS_NONE)
        memory->newest = entry->older;
    else
        memory->entries[entry->newer].older = entry->older;
}

static void list_as_newest(struct pldns_memory *memory, uint32_t number)
{
    struct pldns_entry *entry = &memory->entries[number];
    entry->older = memory->newest;
    entry->newer = PLDNS_NONE;
    if (memory->newest == PLDNS_NONE)
        memory->oldest = number;
    else
        memory->entries[memory->newest].newer = number;
    memory->newest = number;
}

void pldns_memory_remove(struct pldns_memory *memory, struct pldns_entry *entry)
{
    uint32_t number = (uint32_t)(entry - memory->entries);
    uint32_t *link = bucket_of(memory, entry->hash);
    while (*link != number)
        link = &memory->entries[*link].chained;
    *link = entry->chained;
    unlist(memory, entry);
    entry->chained = memory->free;
    memory->free = number;
}

void pldns_memory_touch(struct pldns_memory *memory, struct pldns_entry *entry)
{
    uint32_t number = (uint32_t)(entry - memory->entries);
    if (number == memory->newest)
        return;
    unlist(memory, entry);
    list_as_newest(memory, number);
}

struct pldns_entry *pldns_memory_add(struct pldns_memory *memory, const struct pldns_ends *ends,
                                     uint64_t hash, int64_t time)
{
    bool full = memory->used == memory->room && (memory->room == 0 || memory->free == PLDNS_NONE);
    if (full && memory->room < memory->most) {
        if (!grow(memory))
            return NULL;
    } else if (full) {
        pldns_memory_remove(memory, &memory->entries[memory->oldest]);
    }
    uint32_t number = memory->free;
    if (number == PLDNS_NONE)
        number = memory->used++;
    else
        memory->free = memory->entries[number].chained;
    struct pldns_entry *entry = &memory->entries[number];
    *entry = (struct pldns_entry){.ends = *ends, .hash = hash, .time = time};
    enchain(memory, number);
    list_as_newest(memory, number);
    return entry;
}
