/* Queries and their responses: the matching of RFC 8618 section 10.
 *
 * A response is of the earliest query still waiting that has its ends swapped, its identifier and,
 * where both have one, its first question. */
#include "matcher.h"

#include "common/siphash.h"

#include <string.h>

enum { MOST_ALIKE = 16 }; /* queries waiting with the same ends and identifier */

/* How much later than it came a message may be given that is put together. */
#define LATE ((int64_t)600 * 1000000000)

/* The letters of a word in lower case (RFC 4343); lengths of labels are below 64, and so no
 * letters.
 */
static uint64_t lower(uint64_t word)
{
    uint64_t low = word & PLDNS_EACH(0x7f);
    uint64_t from_a = low + PLDNS_EACH(0x80 - 'A');
    uint64_t after_z = low + PLDNS_EACH(0x80 - 'Z' - 1);
    return word | (from_a & ~after_z & ~word & PLDNS_EACH(0x80)) >> 2;
}

uint64_t pldns_question_digest(const struct pldns_matcher *matcher,
                               const struct pldns_question *question)
{
    if (!question)
        return 0;
    const struct pldns_name *name = &question->name;
    struct siphash hash = siphash_begin(matcher->queries.seed);
    for (size_t at = 0; at < name->size; at += PLDNS_WORD)
        siphash_add(&hash,
                    lower(pldns_word(name->bytes + at, name->size - at, name->readable - at)));
    siphash_add(&hash,
                (uint64_t)name->size << 56 | (uint64_t)question->type << 16 | question->rr_class);
    uint64_t digest = siphash_end(&hash);
    return digest ? digest : 1;
}

/* Nanoseconds between two times. */
static uint64_t apart(int64_t one, int64_t other)
{
    return one > other ? (uint64_t)one - (uint64_t)other : (uint64_t)other - (uint64_t)one;
}

static void forget_old(struct pldns_matcher *matcher, int64_t time)
{
    struct pldns_memory *queries = &matcher->queries;
    uint64_t wait = (uint64_t)matcher->timeout + (matcher->reassembly ? (uint64_t)LATE : 0);
    while (queries->room && queries->oldest != PLDNS_NONE &&
           apart(queries->entries[queries->oldest].time, time) > wait)
        pldns_memory_remove(queries, &queries->entries[queries->oldest]);
}

/* Remember a query; false when out of memory. */
static bool add_query(struct pldns_matcher *matcher, const struct pldns_ends *ends, int64_t time,
                      uint64_t question)
{
    struct pldns_memory *queries = &matcher->queries;
    uint64_t hash = pldns_memory_hash(queries, ends);
    forget_old(matcher, time);
    int alike = 0;
    struct pldns_entry *earliest = NULL;
    for (struct pldns_entry *entry = pldns_memory_find(queries, ends, hash); entry;
         entry = pldns_memory_older(queries, entry)) {
        alike++;
        earliest = entry;
    }
    if (alike >= MOST_ALIKE)
        pldns_memory_remove(queries, earliest);
    struct pldns_entry *entry = pldns_memory_add(queries, ends, hash, time);
    if (entry)
        entry->question = question;
    return entry != NULL;
}

/* Forget the query that a response is of, for its time; false without one.  ends are those of the
 * query. */
static bool take_query(struct pldns_matcher *matcher, const struct pldns_ends *ends, int64_t time,
                       uint64_t question, int64_t *query_time)
{
    struct pldns_memory *queries = &matcher->queries;
    struct pldns_entry *entry = pldns_memory_find(queries, ends, pldns_memory_hash(queries, ends));
    struct pldns_entry *earliest = NULL;
    for (; entry; entry = pldns_memory_older(queries, entry)) {
        bool same = entry->question == question || entry->question == 0 || question == 0;
        if (same && apart(entry->time, time) <= (uint64_t)matcher->timeout)
            earliest = entry;
    }
    if (!earliest)
        return false;
    *query_time = earliest->time;
    pldns_memory_remove(queries, earliest);
    return true;
}

bool pldns_match(struct pldns_matcher *matcher, const struct pldns_ends *ends, bool is_response,
                 int64_t time, uint64_t question, bool *has_query, int64_t *query_time)
{
    *has_query = false;
    if (!is_response)
        return add_query(matcher, ends, time, question);
    struct pldns_ends swapped = *ends;
    swapped.src_port = ends->dst_port;
    swapped.dst_port = ends->src_port;
    memcpy(swapped.src, ends->dst, sizeof(swapped.src));
    memcpy(swapped.dst, ends->src, sizeof(swapped.dst));
    *has_query = take_query(matcher, &swapped, time, question, query_time);
    return true;
}
