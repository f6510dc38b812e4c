/* Flow tables and flows as bytes.  Reading takes nothing on trust: what could not be a table is
 * ValueError, and what could is a table, if one that no trace gives.
 *
 * A table is a header, its flows in the order of their numbers, each with its log, its fragments,
 * those that wait and its orphans; all in the byte order and layout of the machine, which the
 * header tells. */
#include "natkit/flowtable/object.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC          "natkit flow tbl"
#define MAGIC_OF_FLOWS "natkit the flow"
#define FORMAT_VERSION 2
#define ORDER_MARK     0x01020304

struct header {
    char magic[16];
    uint32_t version;
    uint32_t byte_order;
    int64_t idle;
    int64_t active;
    int64_t begin;
    int64_t earliest;
    int64_t clock;
    uint64_t went_back;
    uint64_t packets;
    uint64_t not_ip;
    uint64_t too_short;
    uint64_t handed_out;
    uint64_t flows;
    uint64_t fragments;
    uint64_t held;
    uint64_t orphans;
    uint64_t orphans_lost;
    uint64_t by_vlan;
};

/* Before each flow. */
struct flow_header {
    uint8_t v6;
    uint8_t logged;
    uint8_t unused[6];
};

struct log_entry {
    uint32_t seq_end;
    uint8_t way1;
    uint8_t counts;
    uint8_t unused[2];
};

static size_t record_size(bool v6)
{
    return v6 ? sizeof(struct flow6) : sizeof(struct flow);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *what, size_t size)
{
    memcpy(at, what, size);
    return at + size;
}

static uint8_t *put_flow(uint8_t *at, const struct flow_table *table, flow_ref ref)
{
    bool v6 = flow_ref_is_6(ref);
    const struct flow *flow = flow_at(table, ref);
    struct flow_header header = {.v6 = v6, .logged = flow->logged & LOGGED_NUMBER};
    struct flow_copy copy = flow_table_copy(table, ref);
    struct flow_log log;

    copy.record.flow.marks = flow->marks & (uint8_t)~MARK_LIVE;
    memcpy(copy.record.flow.events, flow->events, sizeof(flow->events));
    at = put(at, &header, sizeof(header));
    at = put(at, &copy.record, record_size(v6));
    flow_log_read(&table->logs, flow, &log);
    for (unsigned i = 0; i < log.count; i++) {
        struct log_entry entry = {
            .seq_end = log.seq_ends[i], .way1 = log.way1[i], .counts = log.counts[i]};
        at = put(at, &entry, sizeof(entry));
    }
    return at;
}

static uint8_t *put_fragment(uint8_t *at, const struct fragment *fragment)
{
    struct fragment alone = *fragment;

    alone.older = 0; /* its place depends on the table's seed */
    return put(at, &alone, sizeof(alone));
}

/* How many fragments wait. */
static uint64_t count_held(const struct flow_fragments *fragments)
{
    uint64_t count = 0;

    for (uint64_t i = fragments->held_first; i != fragments->held_end; i++)
        count += !fragments->held[i % HELD].found;
    return count;
}

static uint8_t *put_held(uint8_t *at, const struct flow_fragments *fragments)
{
    for (uint64_t i = fragments->held_first; i != fragments->held_end; i++) {
        struct held_fragment held = fragments->held[i % HELD];
        held.older = 0;
        if (!held.found)
            at = put(at, &held, sizeof(held));
    }
    return at;
}

PyObject *flow_table_to_bytes(struct flow_table *table)
{
    size_t count = 0;
    flow_wheel_settle(table);
    const struct flow_fragments *fragments = &table->fragments;
    flow_ref *refs = flow_table_list(table, LIST_LIVE | LIST_ENDED, &count);
    if (!refs)
        return PyErr_NoMemory();
    uint64_t held = count_held(fragments);
    uint64_t kept = fragments->count < FRAGMENTS ? fragments->count : FRAGMENTS;
    struct header header = {.magic = MAGIC,
                            .version = FORMAT_VERSION,
                            .byte_order = ORDER_MARK,
                            .idle = table->idle,
                            .active = table->active,
                            .begin = table->begin,
                            .earliest = table->earliest,
                            .clock = table->clock,
                            .went_back = table->went_back,
                            .packets = table->packets,
                            .not_ip = table->not_ip,
                            .too_short = table->too_short,
                            .handed_out = table->handed_out,
                            .flows = count,
                            .fragments = kept,
                            .held = held,
                            .orphans = fragments->orphan_count,
                            .orphans_lost = fragments->orphans_lost,
                            .by_vlan = table->by_vlan};
    size_t size = sizeof(header) + kept * sizeof(struct fragment) +
                  held * sizeof(struct held_fragment) +
                  fragments->orphan_count * sizeof(struct orphan);
    for (size_t i = 0; i < count; i++)
        size += sizeof(struct flow_header) + record_size(flow_ref_is_6(refs[i])) +
                (flow_at(table, refs[i])->logged & LOGGED_NUMBER) * sizeof(struct log_entry);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    uint8_t *at = bytes ? (uint8_t *)PyBytes_AS_STRING(bytes) : NULL;
    if (at) {
        at = put(at, &header, sizeof(header));
        for (size_t i = 0; i < count && bytes; i++) {
            at = put_flow(at, table, refs[i]);
            if (flow_look_at_signals(i) < 0)
                Py_CLEAR(bytes);
        }
    }
    if (bytes) {
        for (uint64_t i = fragments->count - kept; i < fragments->count; i++)
            at = put_fragment(at, &fragments->ring[i % FRAGMENTS]);
        at = put_held(at, fragments);
        for (uint32_t i = 0; i < fragments->orphan_count; i++)
            at = put(at, &fragments->orphans[i], sizeof(struct orphan));
    }
    free(refs);
    return bytes;
}

PyObject *flow_copies_to_bytes(const struct flow_copy *copies, size_t count)
{
    struct header header = {.magic = MAGIC_OF_FLOWS,
                            .version = FORMAT_VERSION,
                            .byte_order = ORDER_MARK,
                            .flows = count};
    size_t size = sizeof(header);

    for (size_t i = 0; i < count; i++)
        size += sizeof(struct flow_header) + record_size(copies[i].v6);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!bytes)
        return NULL;
    uint8_t *at = put((uint8_t *)PyBytes_AS_STRING(bytes), &header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        struct flow_header flow_header = {.v6 = copies[i].v6};
        at = put(at, &flow_header, sizeof(flow_header));
        at = put(at, &copies[i].record, record_size(copies[i].v6));
    }
    return bytes;
}

/* --- Reading ---------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *at;
    size_t left;
};

static bool take(struct reader *reader, void *out, size_t size)
{
    if (reader->left < size)
        return false;
    memcpy(out, reader->at, size);
    reader->at += size;
    reader->left -= size;
    return true;
}

/* Set ValueError and return -1. */
static int refuse(const char *what)
{
    PyErr_Format(PyExc_ValueError, "no pickled flow table: %s", what);
    return -1;
}

static int take_header(struct reader *reader, const char *magic, struct header *header)
{
    if (!take(reader, header, sizeof(*header)) ||
        memcmp(header->magic, magic, sizeof(header->magic)) != 0)
        return refuse("it does not begin as one");
    if (header->byte_order != ORDER_MARK)
        return refuse("it is of a machine with another byte order");
    if (header->version != FORMAT_VERSION) {
        PyErr_Format(PyExc_ValueError, "no pickled flow table: version %u, not %d", header->version,
                     FORMAT_VERSION);
        return -1;
    }
    return 0;
}

/* A key's last word without the VLAN. */
#define NO_VLAN (UINT64_MAX >> 16)

static bool is_key(const struct flow_key *key, bool v6)
{
    const uint64_t *words = key->words;
    if (flow_words_vlan(words, v6) > 0xfff)
        return false;
    if (!v6)
        return (words[0] & 0xff) == 4 && words[0] >> 16 <= (words[1] & NO_VLAN) &&
               (words[2] | words[3] | words[4]) == 0;
    if ((words[4] & 0xff) != 6)
        return false;
    if (words[0] != words[2])
        return words[0] < words[2];
    if (words[1] != words[3])
        return words[1] < words[3];
    return (words[4] & NO_VLAN) >> 32 <= (words[4] >> 16 & 0xffff);
}

static bool is_way(const struct flow *flow, unsigned n)
{
    const struct flow_way *way = flow_way_of(flow, n);
    if (flow->tcp_flags[n] & ~0xfff)
        return false;
    if (!(flow->events[n] & EVENT_SEQ) && (way->seq_end || way->retransmits))
        return false;
    if (way->packets > 0)
        return way->first <= way->last;
    return !(way->bytes | way->ip_bytes | way->payload_bytes | way->seq_end | way->retransmits) &&
           way->first == 0 && way->last == 0 && flow->events[n] == 0 && flow->tcp_flags[n] == 0;
}

/* A flow and how much is in its log, which is not read yet. */
static const char *take_flow(struct reader *reader, struct flow_copy *copy, unsigned *logged)
{
    struct flow_header header;
    const struct flow *flow = &copy->record.flow;
    static const uint8_t zeroes[8];

    memset(copy, 0, sizeof(*copy));
    if (!take(reader, &header, sizeof(header)) || header.v6 > 1 || header.logged > LOG_SIZE ||
        memcmp(header.unused, zeroes, sizeof(header.unused)) != 0 ||
        !take(reader, &copy->record, record_size(header.v6)))
        return "a flow is cut or begins wrongly";
    copy->v6 = header.v6;
    *logged = header.logged;
    struct flow_key key = flow_key_of(flow, copy->v6);
    uint16_t vlan = flow_words_vlan(key.words, copy->v6);
    if (!is_key(&key, copy->v6) || (vlan != 0 && vlan != flow->vlan))
        return "a flow has no key";
    if (!is_way(flow, 0) || !is_way(flow, 1) || flow->way0.packets + flow->way1.packets == 0)
        return "a flow has no such counters";
    if (flow->marks & ~MARKS || flow->marks & MARK_LIVE || flow->end_reason >= END_COUNT ||
        flow->handshake_kind >= HANDSHAKE_COUNT || flow->next || flow->log || flow->logged ||
        (flow->handshake_kind == HANDSHAKE_NONE && flow->handshake != 0) || flow->first_seq_end)
        return "a flow has no such state";
    return NULL;
}

static const char *take_log(struct reader *reader, struct flow_table *table, struct flow *flow,
                            unsigned logged)
{
    uint8_t marks = flow->marks;
    struct log_entry entry;

    flow->marks &= (uint8_t)~MARK_LOG_SHORT;
    for (unsigned i = 0; i < logged; i++) {
        if (!take(reader, &entry, sizeof(entry)) || entry.way1 > 1 || entry.counts > 1 ||
            entry.unused[0] || entry.unused[1])
            return "a flow's log is cut or wrong";
        flow_log_append(&table->logs, flow, entry.seq_end, entry.way1, entry.counts);
    }
    flow->marks |= marks & MARK_LOG_SHORT;
    return NULL;
}

/* Put a flow into the table; what is wrong, or NULL, also with MemoryError set. */
static const char *place_flow(struct reader *reader, struct flow_table *table,
                              const struct flow_copy *copy, unsigned logged)
{
    bool v6 = copy->v6;
    const struct flow *flow = &copy->record.flow;
    struct flow_key key = flow_key_of(flow, v6);
    uint64_t hash = flow_hash(table->index.seed, &key, v6);
    bool ended = flow->end_reason != END_NONE;

    if (!ended && flow_index_find(table, &key, hash, v6))
        return "two flows have the same key";
    flow_ref ref = ended ? flow_pool_new(table, v6) : flow_table_insert(table, &key, hash, v6);
    if (!ref) {
        PyErr_NoMemory();
        return NULL;
    }
    struct flow *place = flow_at(table, ref);
    memcpy(place, &copy->record, record_size(v6));
    if (ended) {
        flow_table_push_ended(table, ref, flow->end_reason);
    } else {
        place->marks |= MARK_LIVE;
        flow_wheel_add(table, ref);
    }
    return take_log(reader, table, place, logged);
}

/* Whether a key has the VLAN that it has in such a table. */
static bool is_vlan(const struct flow_table *table, const uint64_t *words, bool v6, uint16_t vlan)
{
    return flow_words_vlan(words, v6) == (table->by_vlan ? vlan : 0);
}

static const char *take_flows(struct reader *reader, struct flow_table *table, uint64_t count)
{
    uint64_t next_number = 0;
    struct flow_copy copy;
    unsigned logged = 0;

    for (uint64_t i = 0; i < count; i++) {
        const char *wrong = take_flow(reader, &copy, &logged);
        const struct flow *flow = &copy.record.flow;
        if (!wrong && (flow->number < next_number || flow->number >= table->packets))
            wrong = "its flows are in no order";
        if (!wrong && !is_vlan(table, flow_key_of(flow, copy.v6).words, copy.v6, flow->vlan))
            wrong = "a flow has another VLAN than its key";
        if (!wrong)
            wrong = place_flow(reader, table, &copy, logged);
        if (wrong || PyErr_Occurred() || flow_look_at_signals((size_t)i) < 0)
            return wrong;
        next_number = flow->number + 1;
    }
    return NULL;
}

static bool is_fragment_key(const struct fragment_key *key)
{
    const uint64_t *words = key->words;

    if ((words[2] | words[3] | words[4]) == 0)
        return (words[1] & 0xff) == 4 && (words[1] & NO_VLAN) >> 32 == 0;
    return (words[4] & 0xff) == 6 && (words[4] >> 8 & 0xff) == 0;
}

static const char *take_held(struct reader *reader, struct flow_table *table, uint64_t count)
{
    struct held_fragment held;
    static const uint8_t zeroes[sizeof(held.unused)];

    if (count > 0 && !flow_fragments_reserve(&table->fragments, false, false, true)) {
        PyErr_NoMemory();
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!take(reader, &held, sizeof(held)))
            return "its fragments are cut";
        if (held.v6 > 1 || held.way > 1 || held.found || held.older || held.vlan > 0xfff ||
            held.number >= table->packets || !is_fragment_key(&held.key) ||
            !is_key(&held.flow, held.v6) || !is_vlan(table, held.flow.words, held.v6, held.vlan) ||
            memcmp(held.unused, zeroes, sizeof(held.unused)) != 0)
            return "its fragments can't be";
        flow_held_add(table, &held);
    }
    return NULL;
}

static const char *take_fragments(struct reader *reader, struct flow_table *table,
                                  const struct header *header)
{
    struct fragment fragment;
    struct orphan orphan;

    if (header->fragments > FRAGMENTS || header->held > HELD || header->orphans > ORPHANS ||
        header->orphans_lost > (ORPHANS_FULL | ORPHANS_LATE))
        return "it has too many fragments";
    for (uint64_t i = 0; i < header->fragments; i++) {
        if (!take(reader, &fragment, sizeof(fragment)))
            return "its fragments are cut";
        if (!is_fragment_key(&fragment.key) || fragment.older || fragment.unused[0] ||
            fragment.unused[1] || fragment.unused[2])
            return "its fragments can't be";
        if (!flow_fragment_add(table, &fragment)) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    const char *wrong = take_held(reader, table, header->held);
    if (wrong || PyErr_Occurred())
        return wrong;
    for (uint64_t i = 0; i < header->orphans; i++) {
        if (!take(reader, &orphan, sizeof(orphan)))
            return "its fragments are cut";
        if (!is_fragment_key(&orphan.key))
            return "its fragments can't be";
        if (!flow_orphan_add(table, &orphan.key, orphan.clock)) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    table->fragments.orphans_lost = (uint8_t)header->orphans_lost;
    return NULL;
}

static bool is_timeout(int64_t timeout)
{
    return timeout == FLOW_NEVER || (timeout > 0 && timeout <= LONGEST_TIMEOUT);
}

int flow_table_from_bytes(struct flow_table *table, const uint8_t *data, size_t size)
{
    struct reader reader = {.at = data, .left = size};
    struct header header;

    if (take_header(&reader, MAGIC, &header) < 0)
        return -1;
    if (!is_timeout(header.idle) || !is_timeout(header.active) || header.earliest > header.begin ||
        header.earliest > header.clock || header.went_back > 1 || header.by_vlan > 1 ||
        header.not_ip > header.packets || header.too_short > header.packets ||
        header.flows > header.packets)
        return refuse("its counters can't be");
    table->by_vlan = header.by_vlan != 0;
    table->begin = header.begin;
    table->earliest = header.earliest;
    table->went_back = header.went_back;
    table->clock = header.clock;
    flow_wheel_init(table, header.idle, header.active);
    table->packets = header.packets;
    table->not_ip = header.not_ip;
    table->too_short = header.too_short;
    table->handed_out = header.handed_out;
    table->wheel.settled = INT64_MIN;
    table->logs.most = MOST_LOG_BLOCKS_TO_MERGE;
    const char *wrong = take_flows(&reader, table, header.flows);
    if (!wrong && !PyErr_Occurred())
        wrong = take_fragments(&reader, table, &header);
    if (!wrong && !PyErr_Occurred() && reader.left > 0)
        wrong = "there is more behind it";
    if (wrong)
        return refuse(wrong);
    return PyErr_Occurred() ? -1 : 0;
}

static const char *take_copies(struct reader *reader, struct flow_copy *copies, size_t count)
{
    const char *wrong = NULL;
    unsigned logged = 0;

    for (size_t i = 0; i < count && !wrong; i++) {
        wrong = take_flow(reader, &copies[i], &logged);
        if (!wrong && logged > 0)
            wrong = "a flow alone has no log";
    }
    return !wrong && reader->left > 0 ? "there is more behind it" : wrong;
}

static struct flow_copy *copies_from_memory(const uint8_t *data, size_t size, size_t *count)
{
    struct reader reader = {.at = data, .left = size};
    struct header header;

    if (take_header(&reader, MAGIC_OF_FLOWS, &header) < 0)
        return NULL;
    if (header.flows > reader.left / (sizeof(struct flow_header) + sizeof(struct flow))) {
        (void)refuse("a flow is cut or begins wrongly");
        return NULL;
    }
    *count = (size_t)header.flows;
    struct flow_copy *copies = malloc((*count + 1) * sizeof(*copies));
    if (!copies) {
        PyErr_NoMemory();
        return NULL;
    }
    const char *wrong = take_copies(&reader, copies, *count);
    if (!wrong)
        return copies;
    free(copies);
    (void)refuse(wrong);
    return NULL;
}

struct flow_copy *flow_copies_from_bytes(PyObject *bytes, size_t *count)
{
    Py_buffer buffer;

    if (PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    struct flow_copy *copies = copies_from_memory(buffer.buf, (size_t)buffer.len, count);
    PyBuffer_Release(&buffer);
    return copies;
}
