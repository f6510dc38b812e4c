/* Queries and their responses: the matching of RFC 8618 section 10, and the type that remembers.
 *
 * A response is of the earliest query still waiting that has its ends swapped, its identifier and,
 * where both have one, its first question. */
#include "columns.h"

#include <string.h>

enum {
    MOST_QUERIES = 1 << 20,
    MOST_STREAMS = 1 << 16,
    MOST_ALIKE = 16 /* queries waiting with the same ends and identifier */
};

/* A digest of a question, with names that differ in case alone as one (RFC 4343); 0 without. */
static uint64_t digest_of(const struct pldns_matcher *matcher,
                          const struct pldns_question *question)
{
    uint8_t bytes[PLDNS_NAME_SIZE + 4];
    if (!question)
        return 0;
    size_t size = 0;
    /* lengths of labels are below 64, and so no letters */
    for (; size < question->name_size; size++) {
        uint8_t byte = question->name[size];
        bytes[size] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    memcpy(bytes + size, &question->type, 2);
    memcpy(bytes + size + 2, &question->rr_class, 2);
    uint64_t digest = pldns_digest(matcher->queries.seed, bytes, size + 4);
    return digest ? digest : 1;
}

/* Whether two times are further apart than queries wait. */
static bool too_far(const struct pldns_matcher *matcher, int64_t one, int64_t other)
{
    uint64_t apart =
        one > other ? (uint64_t)one - (uint64_t)other : (uint64_t)other - (uint64_t)one;
    return apart > (uint64_t)matcher->timeout;
}

static void forget_old(struct pldns_matcher *matcher, int64_t time)
{
    struct pldns_memory *queries = &matcher->queries;
    while (queries->room && queries->oldest != PLDNS_NONE &&
           too_far(matcher, queries->entries[queries->oldest].time, time))
        pldns_memory_remove(queries, &queries->entries[queries->oldest]);
}

bool pldns_query_add(struct pldns_matcher *matcher, const struct pldns_ends *ends, int64_t time,
                     const struct pldns_question *question)
{
    struct pldns_memory *queries = &matcher->queries;
    forget_old(matcher, time);
    int alike = 0;
    struct pldns_entry *earliest = NULL;
    for (struct pldns_entry *entry = pldns_memory_find(queries, ends); entry;
         entry = pldns_memory_older(queries, entry)) {
        alike++;
        earliest = entry;
    }
    if (alike >= MOST_ALIKE)
        pldns_memory_remove(queries, earliest);
    struct pldns_entry *entry = pldns_memory_add(queries, ends, time);
    if (entry)
        entry->question = digest_of(matcher, question);
    return entry != NULL;
}

bool pldns_query_take(struct pldns_matcher *matcher, const struct pldns_ends *ends, int64_t time,
                      const struct pldns_question *question, int64_t *query_time)
{
    struct pldns_memory *queries = &matcher->queries;
    struct pldns_entry *entry = pldns_memory_find(queries, ends);
    struct pldns_entry *earliest = NULL;
    uint64_t digest = entry ? digest_of(matcher, question) : 0;
    for (; entry; entry = pldns_memory_older(queries, entry)) {
        bool same = entry->question == digest || entry->question == 0 || digest == 0;
        if (same && !too_far(matcher, entry->time, time))
            earliest = entry;
    }
    if (!earliest)
        return false;
    *query_time = earliest->time;
    pldns_memory_remove(queries, earliest);
    return true;
}

/* --- The type -------------------------------------------------------------------------------- */

static PyObject *matcher_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    long long timeout = 0;
    Py_buffer seed;
    if (!PyArg_ParseTuple(args, "Ly*", &timeout, &seed))
        return NULL;
    struct pldns_matcher *self = NULL;
    if (timeout < 0 || seed.len != sizeof(self->queries.seed))
        PyErr_SetString(PyExc_ValueError, "a timeout of 0 or more, and a seed of 16 bytes");
    else
        self = (struct pldns_matcher *)type->tp_alloc(type, 0);
    if (self) {
        self->timeout = timeout;
        self->queries.most = MOST_QUERIES;
        self->streams.most = MOST_STREAMS;
        memcpy(self->queries.seed, seed.buf, sizeof(self->queries.seed));
        memcpy(self->streams.seed, seed.buf, sizeof(self->streams.seed));
    }
    PyBuffer_Release(&seed);
    return (PyObject *)self;
}

static void matcher_dealloc(PyObject *self_)
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    pldns_memory_clear(&self->queries);
    pldns_memory_clear(&self->streams);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyType_Slot matcher_slots[] = {
    {Py_tp_doc, "_Matcher(timeout, seed, /)\n--\n\nWhat pldns.columns() remembers from packet to "
                "packet: queries without response, and streams."},
    {Py_tp_new, matcher_new},
    {Py_tp_dealloc, matcher_dealloc},
    {0, NULL}};

PyType_Spec pldns_matcher_spec = {.name = "pldns._Matcher",
                                  .basicsize = sizeof(struct pldns_matcher),
                                  .flags = Py_TPFLAGS_DEFAULT,
                                  .slots = matcher_slots};
