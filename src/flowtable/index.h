/* The index: from the keys of flows to their slots in a pool.  Open addressing in groups of a cache
 * line each. */
#ifndef PLT_FLOWTABLE_INDEX_H
#define PLT_FLOWTABLE_INDEX_H

#include "flow.h"
#include "hash.h"
#include "pool.h"

#include "common/prefetch.h"
#include "packet/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { GROUP_SLOTS = 12 };

/* A cache line of the index. */
struct flow_group {
    uint8_t tags[GROUP_SLOTS]; /* 8 bits of the key's hash, 0 for an empty place */
    uint32_t passed;           /* keys that found this group full, and are further on */
    flow_ref refs[GROUP_SLOTS];
};

_Static_assert(sizeof(struct flow_group) == 64, "a group is a cache line");

struct flow_index {
    struct flow_group *groups; /* owned; a power of two of them, NULL at first */
    uint64_t group_count;
    unsigned shift;        /* of a hash, to a group's number */
    uint64_t count;        /* flows */
    struct flow_hash hash; /* keyed: senders can't choose keys that collide */
};

/* --- Groups ---------------------------------------------------------------------------------- */

static inline uint8_t flow_tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;
    return tag ? tag : 1;
}

/* The places with a tag, a bit each. */
#if defined(__SSE2__)

static inline uint64_t flow_group_slots(const struct flow_group *group, uint8_t tag)
{
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)group);
    int equal = _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag)));
    return (unsigned)equal & ((1U << GROUP_SLOTS) - 1);
}

static inline unsigned flow_group_first(uint64_t slots)
{
    return (unsigned)__builtin_ctzll(slots);
}

#else

/* The high bit of each byte that equals one of `tag`, exactly. */
static inline uint64_t flow_equal_bytes(uint64_t bytes, uint8_t tag)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    uint64_t x = bytes ^ UINT64_C(0x0101010101010101) * tag;
    return ~(((x & low7) + low7) | x | low7);
}

/* Bit 7 of byte n for the first 8, bit 3 of byte n for the rest. */
static inline uint64_t flow_group_slots(const struct flow_group *group, uint8_t tag)
{
    uint64_t last = flow_equal_bytes(load_le32(group->tags + 8), tag) & 0xffffffff;
    return flow_equal_bytes(load_le64(group->tags), tag) | last >> 4;
}

static inline unsigned flow_group_first(uint64_t slots)
{
    unsigned bit = (unsigned)__builtin_ctzll(slots);
    return bit % 8 == 7 ? bit / 8 : 8 + bit / 8;
}

#endif

/* The number of the group that a hash leads to: its high bits. */
static inline uint64_t flow_index_group(const struct flow_index *index, uint64_t hash)
{
    return hash >> index->shift;
}

/* Have the memory ready that a hash leads to. */
static inline void flow_index_prefetch(const struct flow_index *index, uint64_t hash)
{
    if (index->groups)
        prefetch(&index->groups[flow_index_group(index, hash)]);
}

/* A flow whose key may have that hash, 0 for none: a guess, for prefetching. */
static inline flow_ref flow_index_guess(const struct flow_index *index, uint64_t hash)
{
    if (!index->groups)
        return 0;
    const struct flow_group *group = &index->groups[flow_index_group(index, hash)];
    uint64_t slots = flow_group_slots(group, flow_tag_of(hash));
    return slots ? group->refs[flow_group_first(slots)] : 0;
}

/* --- The index ------------------------------------------------------------------------------- */

void flow_index_clear(struct flow_index *index);
size_t flow_index_size(const struct flow_index *index);
/* Take all flows out. */
void flow_index_empty(struct flow_index *index);
/* The flow of a key, 0 for none. */
flow_ref flow_index_find(const struct flow_index *index, const struct flow_pool *pool,
                         const struct flow_key *key, uint64_t hash, bool v6);
/* Room for so many more; false when out of memory. */
bool flow_index_reserve(struct flow_index *index, const struct flow_pool *pool, uint64_t more);
/* Add a flow that is not there, after flow_index_reserve(). */
void flow_index_add(struct flow_index *index, uint64_t hash, flow_ref ref);
/* Take out a flow that is there. */
void flow_index_remove(struct flow_index *index, uint64_t hash, flow_ref ref);

#endif
