/* Flow tables and flows as bytes.  What is read is not trusted: bytes that could not be a table are
 * refused, and what could be one is a table, even if no trace gives it.
 *
 * A table is a header, its flows in the order of their numbers, each with its track, its
 * statistics, its first packets and its log, its fragments, those that wait and its orphans; a flow
 * alone has its quality in place of its track; all in the byte order and layout of the machine,
 * which the header tells. */
#include "save.h"

#include "hash.h"

#include "packet/protocols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC          "natkit flow tbl"
#define MAGIC_OF_FLOWS "natkit the flow"
#define FORMAT_VERSION 5
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
    uint64_t tracks_tcp;
    uint64_t decap;
    uint64_t statistics;
    uint64_t early; /* the most first packets of a flow */
    struct tunnel_ports ports;
    uint32_t unused; /* what is unnamed here may be written as it was in memory */
};
_Static_assert(offsetof(struct header, unused) + sizeof(uint32_t) == sizeof(struct header),
               "all bytes of what is saved have a name");

/* Before each flow. */
struct flow_header {
    uint8_t v6;
    uint8_t logged;
    uint8_t tracked; /* a track follows it, or a quality */
    uint8_t unused[5];
    uint64_t tunnel; /* the word of the flow's */
};

struct log_entry {
    uint32_t seq_end;
    uint8_t way1;
    uint8_t counts;
    uint8_t unused[2];
};

/* --- Writing --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *what, size_t size)
{
    memcpy(at, what, size);
    return at + size;
}

/* What a flow has beside its track. */
static uint8_t *put_more(uint8_t *at, const struct flow_copy *copy)
{
    if (copy->statistics)
        at = put(at, copy->statistics, sizeof(*copy->statistics));
    return copy->early ? put(at, copy->early, copy->early_count * sizeof(*copy->early)) : at;
}

static size_t more_size(const struct flow_copy *copy)
{
    return (copy->statistics ? sizeof(*copy->statistics) : 0) +
           copy->early_count * sizeof(*copy->early);
}

static uint8_t *put_flow(uint8_t *at, const struct flow_set *set, flow_ref ref)
{
    bool v6 = flow_ref_is_6(ref);
    const struct flow *flow = flow_at(&set->pool, ref);
    const struct tcp_track *track = flow_set_track(set, ref);
    struct flow_header header = {
        .v6 = v6, .logged = flow->logged & LOGGED_NUMBER, .tracked = track != NULL};
    struct flow_copy copy = flow_set_copy(set, ref);
    struct flow_log log;
    header.tunnel = copy.tunnel;
    copy.of.flow.marks = flow->marks & (uint8_t) ~(MARK_LIVE | MARK_TUNNELS);
    memcpy(copy.of.flow.events, flow->events, sizeof(flow->events));
    at = put(at, &header, sizeof(header));
    at = put(at, &copy.of, flow_size(v6));
    if (track)
        at = put(at, track, sizeof(*track));
    at = put_more(at, &copy);
    flow_log_read(&set->logs, flow, &log);
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

/* How many first fragments are remembered. */
static size_t count_kept(const struct flow_fragments *fragments)
{
    return fragments->count < FRAGMENTS ? (size_t)fragments->count : FRAGMENTS;
}

/* How many fragments wait. */
static size_t count_held(const struct flow_fragments *fragments)
{
    size_t count = 0;
    for (uint64_t i = fragments->held_first; i != fragments->held_end; i++)
        count += !fragments->held[i % HELD].found;
    return count;
}

static void put_fragments(uint8_t *at, const struct flow_fragments *fragments)
{
    for (uint64_t i = fragments->count - count_kept(fragments); i < fragments->count; i++)
        at = put_fragment(at, &fragments->ring[i % FRAGMENTS]);
    for (uint64_t i = fragments->held_first; i != fragments->held_end; i++) {
        struct held_fragment held = fragments->held[i % HELD];
        held.older = 0;
        if (!held.found)
            at = put(at, &held, sizeof(held));
    }
    for (uint32_t i = 0; i < fragments->orphan_count; i++)
        at = put(at, &fragments->orphans[i], sizeof(struct orphan));
}

bool flow_saving_begin(struct flow_saving *saving, struct flow_table *table)
{
    const struct flow_fragments *fragments = &table->input.fragments;
    const struct flow_pool *pool = &table->set.pool;
    flow_table_settle(table);
    *saving = (struct flow_saving){.table = table};
    saving->refs = flow_set_list(&table->set, LIST_LIVE | LIST_ENDED, &saving->count);
    if (!saving->refs)
        return false;
    saving->size = sizeof(struct header) + count_kept(fragments) * sizeof(struct fragment) +
                   count_held(fragments) * sizeof(struct held_fragment) +
                   fragments->orphan_count * sizeof(struct orphan);
    for (size_t i = 0; i < saving->count; i++) {
        struct flow_copy copy = flow_set_copy(&table->set, saving->refs[i]);
        saving->size +=
            more_size(&copy) + sizeof(struct flow_header) +
            flow_size(flow_ref_is_6(saving->refs[i])) +
            (flow_set_track(&table->set, saving->refs[i]) ? sizeof(struct tcp_track) : 0) +
            (flow_at(pool, saving->refs[i])->logged & LOGGED_NUMBER) * sizeof(struct log_entry);
    }
    return true;
}

bool flow_saving_write(const struct flow_saving *saving, uint8_t *out,
                       const struct flow_patience *patience)
{
    const struct flow_input *input = &saving->table->input;
    const struct flow_set *set = &saving->table->set;
    const struct flow_timeouts *timeouts = &saving->table->wheel.timeouts;
    struct header header = {.magic = MAGIC,
                            .version = FORMAT_VERSION,
                            .byte_order = ORDER_MARK,
                            .idle = timeouts->idle,
                            .active = timeouts->active,
                            .begin = input->clock.begin,
                            .earliest = input->clock.earliest,
                            .clock = input->clock.now,
                            .went_back = input->clock.went_back,
                            .packets = input->packets,
                            .not_ip = input->not_ip,
                            .too_short = input->too_short,
                            .handed_out = set->handed_out,
                            .flows = saving->count,
                            .fragments = count_kept(&input->fragments),
                            .held = count_held(&input->fragments),
                            .orphans = input->fragments.orphan_count,
                            .orphans_lost = input->fragments.orphans_lost,
                            .by_vlan = input->by_vlan,
                            .tracks_tcp = set->tracks_tcp,
                            .decap = input->decap,
                            .statistics = set->pool.has_statistics,
                            .early = set->pool.early,
                            .ports = input->ports};
    out = put(out, &header, sizeof(header));
    for (size_t i = 0; i < saving->count; i++) {
        out = put_flow(out, set, saving->refs[i]);
        if (!flow_patience_lasts(patience, i))
            return false;
    }
    put_fragments(out, &input->fragments);
    return true;
}

void flow_saving_end(struct flow_saving *saving)
{
    free(saving->refs);
    saving->refs = NULL;
}

size_t flow_copies_size(const struct flow_copies *copies)
{
    size_t size = sizeof(struct header);
    for (size_t i = 0; i < copies->count; i++)
        size += sizeof(struct flow_header) + flow_size(copies->all[i].v6) +
                (copies->all[i].quality ? sizeof(struct tcp_quality) : 0) +
                more_size(&copies->all[i]);
    return size;
}

void flow_copies_write(const struct flow_copies *copies, uint8_t *out)
{
    struct header header = {.magic = MAGIC_OF_FLOWS,
                            .version = FORMAT_VERSION,
                            .byte_order = ORDER_MARK,
                            .flows = copies->count,
                            .tracks_tcp = copies->besides.tracks_tcp,
                            .decap = copies->besides.tunnels,
                            .statistics = copies->besides.statistics,
                            .early = copies->besides.early};
    out = put(out, &header, sizeof(header));
    for (size_t i = 0; i < copies->count; i++) {
        const struct flow_copy *copy = &copies->all[i];
        struct flow_header flow_header = {
            .v6 = copy->v6, .tracked = copy->quality != NULL, .tunnel = copy->tunnel};
        out = put(out, &flow_header, sizeof(flow_header));
        out = put(out, &copy->of, flow_size(copy->v6));
        if (copy->quality)
            out = put(out, copy->quality, sizeof(*copy->quality));
        out = put_more(out, copy);
    }
}

/* --- Reading --------------------------------------------------------------------------------- */

/* Bytes that are read.  What reads them returns false where it can't go on, and says why here. */
struct source {
    const uint8_t *at;
    size_t left;
    enum flow_load_result result;
    struct flow_load_error *error; /* borrowed */
};

static bool refuse(struct source *source, const char *what)
{
    source->result = LOAD_REFUSED;
    (void)snprintf(source->error->what, sizeof(source->error->what), "%s", what);
    return false;
}

static bool stop(struct source *source, enum flow_load_result result)
{
    source->result = result;
    return false;
}

static bool take(struct source *source, void *out, size_t size)
{
    if (source->left < size)
        return false;
    memcpy(out, source->at, size);
    source->at += size;
    source->left -= size;
    return true;
}

static bool take_header(struct source *source, const char *magic, struct header *header)
{
    char version[sizeof(source->error->what)];
    if (!take(source, header, sizeof(*header)) ||
        memcmp(header->magic, magic, sizeof(header->magic)) != 0)
        return refuse(source, "it does not begin as one");
    if (header->byte_order != ORDER_MARK)
        return refuse(source, "it is of a machine with another byte order");
    if (header->version == FORMAT_VERSION)
        return true;
    (void)snprintf(version, sizeof(version), "version %u, not %d", header->version, FORMAT_VERSION);
    return refuse(source, version);
}

static bool take_end(struct source *source)
{
    return source->left == 0 || refuse(source, "there is more behind it");
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

/* A flow and its header, which says what of it is not read yet. */
static bool take_flow(struct source *source, struct flow_copy *copy, struct flow_header *out)
{
    struct flow_header header;
    const struct flow *flow = &copy->of.flow;
    static const uint8_t zeroes[8];
    memset(copy, 0, sizeof(*copy));
    if (!take(source, &header, sizeof(header)) || header.v6 > 1 || header.logged > LOG_SIZE ||
        header.tracked > 1 || memcmp(header.unused, zeroes, sizeof(header.unused)) != 0 ||
        !take(source, &copy->of, flow_size(header.v6)))
        return refuse(source, "a flow is cut or begins wrongly");
    copy->v6 = header.v6;
    copy->tunnel = header.tunnel;
    *out = header;
    if (flow->marks & ~MARKS || flow->marks & MARK_LIVE)
        return refuse(source, "a flow has no such marks");
    struct flow_key key = flow_key_of(flow, copy->v6);
    uint16_t vlan = flow_words_vlan(key.words, copy->v6);
    if (!is_key(&key, copy->v6) || (vlan != 0 && vlan != flow->vlan))
        return refuse(source, "a flow has no key");
    if (!flow_tunnel_is_sound(copy->tunnel))
        return refuse(source, "a flow has no such tunnel");
    if (!is_way(flow, 0) || !is_way(flow, 1) || flow->way0.packets + flow->way1.packets == 0)
        return refuse(source, "a flow has no such counters");
    if (flow->end_reason >= END_COUNT || flow->handshake_kind >= HANDSHAKE_COUNT || flow->next ||
        flow->log || flow->logged ||
        (flow->handshake_kind == HANDSHAKE_NONE && flow->handshake != 0) || flow->first_seq_end)
        return refuse(source, "a flow has no such state");
    return true;
}

static bool take_log(struct source *source, struct flow_logs *logs, struct flow *flow,
                     unsigned logged)
{
    uint8_t marks = flow->marks;
    struct log_entry entry;
    flow->marks &= (uint8_t)~MARK_LOG_SHORT;
    for (unsigned i = 0; i < logged; i++) {
        if (!take(source, &entry, sizeof(entry)) || entry.way1 > 1 || entry.counts > 1 ||
            entry.unused[0] || entry.unused[1])
            return refuse(source, "a flow's log is cut or wrong");
        flow_log_append(logs, flow, entry.seq_end, entry.way1, entry.counts);
    }
    flow->marks |= marks & MARK_LOG_SHORT;
    return true;
}

static bool take_track(struct source *source, struct flow_set *set, flow_ref ref)
{
    struct tcp_track track;
    bool v6 = flow_ref_is_6(ref);
    struct flow *flow = flow_at(&set->pool, ref);
    if (!set->tracks_tcp || flow_proto(flow, v6) != PROTO_TCP ||
        !take(source, &track, sizeof(track)) || !tcp_track_is_sound(&track))
        return refuse(source, "a flow has no such TCP");
    if (!tcp_tracks_reserve(&set->tracks, 1))
        return stop(source, LOAD_NO_MEMORY);
    *flow_set_make_track(set, flow, v6) = track;
    return true;
}

/* What a flow has beside its track: its statistics, and its first packets, of which there are as
 * many as its counters say. */
static bool take_more(struct source *source, const struct flow *flow,
                      struct flow_statistics *statistics, struct early_packet *early, size_t most)
{
    size_t count = early_count(flow, most);
    if (statistics && (!take(source, statistics, sizeof(*statistics)) ||
                       !flow_statistics_is_sound(statistics, flow)))
        return refuse(source, "a flow has no such statistics");
    if (early && (!take(source, early, count * sizeof(*early)) || !early_is_sound(early, count)))
        return refuse(source, "a flow has no such first packets");
    return true;
}

/* Put a flow into the table, and read what else there is of it. */
static bool place_flow(struct source *source, struct flow_table *table,
                       const struct flow_copy *copy, const struct flow_header *header)
{
    struct flow_set *set = &table->set;
    bool v6 = copy->v6;
    const struct flow *flow = &copy->of.flow;
    struct flow_key key = flow_key_of(flow, v6);
    key.tunnel = flow_tunnel_key(copy->tunnel);
    uint64_t hash = hash_key(&set->index.hash, &key, v6);
    bool ended = flow->end_reason != END_NONE;
    if (!ended && flow_set_find(set, &key, hash, v6))
        return refuse(source, "two flows have the same key");
    flow_ref ref = ended ? flow_set_take_slot(set, v6) : flow_set_insert(set, &key, hash, v6);
    if (!ref)
        return stop(source, LOAD_NO_MEMORY);
    struct flow *place = flow_at(&set->pool, ref);
    memcpy(place, &copy->of, flow_size(v6));
    place->marks |= set->pool.marks;
    if (place->marks & MARK_TUNNELS)
        flow_tail(place, v6)->tunnel = copy->tunnel;
    if (ended) {
        flow_set_add_ended(set, ref, flow->end_reason);
    } else {
        place->marks |= MARK_LIVE;
        flow_wheel_add(&table->wheel, &set->pool, ref);
    }
    if (header->tracked && !take_track(source, set, ref))
        return false;
    const struct flow_pool *pool = &set->pool;
    if (!take_more(source, place, pool->has_statistics ? flow_statistics_at(pool, place, v6) : NULL,
                   pool->early > 0 ? flow_early_at(pool, place, v6) : NULL, pool->early))
        return false;
    return take_log(source, &set->logs, place, header->logged);
}

/* Whether a key has the VLAN that it has in such a table. */
static bool is_vlan(const struct flow_table *table, const uint64_t *words, bool v6, uint16_t vlan)
{
    return flow_words_vlan(words, v6) == (table->input.by_vlan ? vlan : 0);
}

static bool take_flows(struct source *source, struct flow_table *table, uint64_t count,
                       const struct flow_patience *patience)
{
    uint64_t next_number = 0;
    struct flow_copy copy;
    struct flow_header header;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_flow(source, &copy, &header))
            return false;
        const struct flow *flow = &copy.of.flow;
        if (flow->number < next_number || flow->number >= table->input.packets)
            return refuse(source, "its flows are in no order");
        if (!is_vlan(table, flow_key_of(flow, copy.v6).words, copy.v6, flow->vlan))
            return refuse(source, "a flow has another VLAN than its key");
        if (copy.tunnel != 0 && !table->input.decap)
            return refuse(source, "a flow has no such tunnel");
        if (!place_flow(source, table, &copy, &header))
            return false;
        if (!flow_patience_lasts(patience, (size_t)i))
            return stop(source, LOAD_GIVEN_UP);
        next_number = flow->number + 1;
    }
    return true;
}

/* Whether a key's word of a tunnel is one of a table that may look into tunnels. */
static bool is_tunnel_key(const struct flow_table *table, uint64_t key)
{
    return key == 0 ||
           (table->input.decap && flow_tunnel_is_sound(key) && flow_tunnel_key(key) == key);
}

static bool is_fragment_key(const struct flow_table *table, const struct fragment_key *key)
{
    const uint64_t *words = key->words;
    if (!is_tunnel_key(table, key->tunnel))
        return false;
    if ((words[2] | words[3] | words[4]) == 0)
        return (words[1] & 0xff) == 4 && (words[1] & NO_VLAN) >> 32 == 0;
    return (words[4] & 0xff) == 6 && (words[4] >> 8 & 0xff) == 0;
}

static bool take_first_fragments(struct source *source, struct flow_table *table, uint64_t count)
{
    struct fragment fragment;
    for (uint64_t i = 0; i < count; i++) {
        if (!take(source, &fragment, sizeof(fragment)))
            return refuse(source, "its fragments are cut");
        if (!is_fragment_key(table, &fragment.key) || fragment.older || fragment.unused[0] ||
            fragment.unused[1] || fragment.unused[2])
            return refuse(source, "its fragments can't be");
        if (!flow_fragments_add(&table->input.fragments, &fragment))
            return stop(source, LOAD_NO_MEMORY);
    }
    return true;
}

static bool take_held(struct source *source, struct flow_table *table, uint64_t count)
{
    struct flow_input *input = &table->input;
    struct held_fragment held;
    static const uint8_t zeroes[sizeof(held.unused)];
    if (count > 0 && !flow_fragments_reserve(&input->fragments, false, false, true))
        return stop(source, LOAD_NO_MEMORY);
    for (uint64_t i = 0; i < count; i++) {
        if (!take(source, &held, sizeof(held)))
            return refuse(source, "its fragments are cut");
        if (held.v6 > 1 || held.way > 1 || held.found || held.older || held.vlan > 0xfff ||
            held.number >= input->packets || !is_fragment_key(table, &held.key) ||
            !is_key(&held.flow, held.v6) || !is_vlan(table, held.flow.words, held.v6, held.vlan) ||
            held.flow.tunnel != held.key.tunnel || !flow_tunnel_is_sound(held.tunnel) ||
            flow_tunnel_key(held.tunnel) != held.key.tunnel ||
            memcmp(held.unused, zeroes, sizeof(held.unused)) != 0)
            return refuse(source, "its fragments can't be");
        flow_fragments_add_held(&input->fragments, &held);
    }
    return true;
}

static bool take_orphans(struct source *source, struct flow_table *table, uint64_t count)
{
    struct flow_input *input = &table->input;
    struct orphan orphan;
    for (uint64_t i = 0; i < count; i++) {
        if (!take(source, &orphan, sizeof(orphan)))
            return refuse(source, "its fragments are cut");
        if (!is_fragment_key(table, &orphan.key))
            return refuse(source, "its fragments can't be");
        if (!flow_fragments_add_orphan(&input->fragments, &orphan.key, orphan.clock,
                                       input->clock.begin))
            return stop(source, LOAD_NO_MEMORY);
    }
    return true;
}

static bool take_fragments(struct source *source, struct flow_table *table,
                           const struct header *header)
{
    if (header->fragments > FRAGMENTS || header->held > HELD || header->orphans > ORPHANS ||
        header->orphans_lost > (ORPHANS_FULL | ORPHANS_LATE))
        return refuse(source, "it has too many fragments");
    if (!take_first_fragments(source, table, header->fragments) ||
        !take_held(source, table, header->held) || !take_orphans(source, table, header->orphans))
        return false;
    table->input.fragments.orphans_lost = (uint8_t)header->orphans_lost;
    return true;
}

static bool are_ports(const struct header *header)
{
    static const struct tunnel_ports none;
    if (!header->decap)
        return memcmp(&header->ports, &none, sizeof(none)) == 0;
    if (header->ports.count > TUNNEL_MOST_PORTS)
        return false;
    for (unsigned i = 0; i < header->ports.count; i++)
        if (header->ports.rows[i].port == 0 || header->ports.rows[i].kind >= TUNNEL_COUNT ||
            !tunnel_kind_has_port((enum tunnel_kind)header->ports.rows[i].kind))
            return false;
    return true;
}

static bool is_timeout(int64_t timeout)
{
    return timeout == FLOW_NEVER || (timeout > 0 && timeout <= LONGEST_TIMEOUT);
}

static bool take_table(struct source *source, struct flow_table *table,
                       const struct flow_patience *patience)
{
    struct header header;
    if (!take_header(source, MAGIC, &header))
        return false;
    if (!is_timeout(header.idle) || !is_timeout(header.active) || header.earliest > header.begin ||
        header.earliest > header.clock || header.went_back > 1 || header.by_vlan > 1 ||
        header.tracks_tcp > 1 || header.decap > 1 || header.statistics > 1 ||
        header.early > MOST_EARLY || !are_ports(&header) || header.not_ip > header.packets ||
        header.too_short > header.packets || header.flows > header.packets)
        return refuse(source, "its counters can't be");
    table->input.by_vlan = header.by_vlan != 0;
    if (header.tracks_tcp)
        flow_table_track_tcp(table);
    if (header.decap)
        flow_table_decap(table, &header.ports);
    if (header.statistics)
        flow_table_count_statistics(table);
    if (header.early > 0)
        flow_table_keep_early(table, (uint16_t)header.early);
    table->input.clock = (struct flow_clock){.begin = header.begin,
                                             .earliest = header.earliest,
                                             .now = header.clock,
                                             .went_back = header.went_back};
    flow_table_set_timeouts(table, (struct flow_timeouts){header.idle, header.active});
    flow_wheel_unsettle(&table->wheel);
    table->input.packets = header.packets;
    table->input.not_ip = header.not_ip;
    table->input.too_short = header.too_short;
    table->set.handed_out = header.handed_out;
    flow_set_grow_logs(&table->set);
    return take_flows(source, table, header.flows, patience) &&
           take_fragments(source, table, &header) && take_end(source);
}

enum flow_load_result flow_table_load(struct flow_table *table, const uint8_t *data, size_t size,
                                      const struct flow_patience *patience,
                                      struct flow_load_error *error)
{
    struct source source = {.at = data, .left = size, .error = error};
    return take_table(&source, table, patience) ? LOAD_DONE : source.result;
}

/* Flows that belong to no table. */
static bool take_copies(struct source *source, struct flow_copies *copies, uint64_t count)
{
    struct flow_header header;
    struct flow_copy copy;
    struct tcp_quality quality;
    struct flow_statistics statistics;
    struct early_packet early[MOST_EARLY];
    const struct flow_besides *besides = &copies->besides;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_flow(source, &copy, &header))
            return false;
        if (header.logged > 0)
            return refuse(source, "a flow alone has no log");
        if (copy.tunnel != 0 && !besides->tunnels)
            return refuse(source, "a flow has no such tunnel");
        if (header.tracked) {
            if (!besides->tracks_tcp || flow_proto(&copy.of.flow, copy.v6) != PROTO_TCP ||
                !take(source, &quality, sizeof(quality)) || !tcp_quality_is_sound(&quality))
                return refuse(source, "a flow has no such TCP");
            copy.quality = &quality;
        }
        if (!take_more(source, &copy.of.flow, besides->statistics ? &statistics : NULL,
                       besides->early > 0 ? early : NULL, besides->early))
            return false;
        if (besides->statistics)
            copy.statistics = &statistics;
        if (besides->early > 0)
            copy.early = early;
        copy.early_count = early_count(&copy.of.flow, besides->early);
        flow_copies_add(copies, &copy);
    }
    return take_end(source);
}

enum flow_load_result flow_copies_load(const uint8_t *data, size_t size, struct flow_copies *copies,
                                       struct flow_load_error *error)
{
    struct source source = {.at = data, .left = size, .error = error};
    struct header header;
    *copies = (struct flow_copies){0};
    if (!take_header(&source, MAGIC_OF_FLOWS, &header))
        return source.result;
    if (header.tracks_tcp > 1 || header.decap > 1 || header.statistics > 1 ||
        header.early > MOST_EARLY ||
        header.flows > source.left / (sizeof(struct flow_header) + sizeof(struct flow))) {
        (void)refuse(&source, "a flow is cut or begins wrongly");
        return source.result;
    }
    const struct flow_besides besides = {.tracks_tcp = header.tracks_tcp != 0,
                                         .statistics = header.statistics != 0,
                                         .tunnels = header.decap != 0,
                                         .early = (uint16_t)header.early};
    if (!flow_copies_init(copies, (size_t)header.flows, &besides))
        return LOAD_NO_MEMORY;
    if (take_copies(&source, copies, header.flows))
        return LOAD_DONE;
    flow_copies_clear(copies);
    return source.result;
}
