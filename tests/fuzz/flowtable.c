/* Packets into flow tables: one that has them all, and two that have a part each and are merged.
 * The first is given its packets in blocks, the others one by one.  Or there is one alone, which is
 * saved and loaded.
 *
 * An input: settings (flows.h), how many packets are in the earlier part, then packets (packets.h).
 */
#include "flows.h"
#include "packets.h"

#include "packet/decode.h"

/* SAVES is a bit of the settings that flows.h leaves. */
enum { HEAD = 2, BLOCK = 64, SAVES = 64 };

/* Packets that are read and not yet counted. */
struct feeder {
    struct flow_table *table;
    struct flow_packet packets[BLOCK];
    size_t count;
    size_t most; /* then they are counted */
};

static void count_all(struct feeder *feeder)
{
    if (flow_table_feed(feeder->table, feeder->packets, feeder->count) != feeder->count)
        abort();
    feeder->count = 0;
}

static void read_packet(struct feeder *feeder, const struct plt_record *record)
{
    struct flow_input *input = &feeder->table->input;
    struct plt_layers layers;
    while (flow_input_fragment(input, false, &feeder->packets[feeder->count]))
        if (++feeder->count == feeder->most)
            count_all(feeder);
    record_layers(record, &layers);
    struct plt_packet packet = {
        .data = record->data, .len = record->len, .layers = &layers, .meta = &record->meta};
    feeder->count += flow_input_packet(input, &packet, &feeder->packets[feeder->count]);
    if (feeder->count == feeder->most)
        count_all(feeder);
}

/* A flow whose time is up is not live. */
static void check_live(const struct flow_table *table)
{
    size_t count = 0;
    flow_ref *refs = flow_set_list(&table->set, LIST_LIVE, &count);
    for (size_t i = 0; i < count; i++)
        CLAIM(!flow_is_over(&table->wheel.timeouts, flow_at(&table->set.pool, refs[i]),
                            table->input.clock.now));
    free(refs);
}

static void finish(struct feeder *feeder)
{
    count_all(feeder);
    if (!flow_table_catch_up(feeder->table, false))
        abort();
    flow_table_settle(feeder->table);
    check_live(feeder->table);
}

/* What a table becomes when it is saved and loaded is the same table. */
static void check_saving(struct flow_table *table)
{
    struct flow_table loaded;
    struct flow_load_error error = {.what = ""};
    size_t size = 0;
    size_t again_size = 0;
    uint8_t *bytes = table_save(table, &size);
    flow_table_init(&loaded, (const uint64_t[2]){7, 8});
    loaded.home = table->home;
    CLAIM(flow_table_load(&loaded, bytes, size, &patient, &error) == LOAD_DONE);
    tables_compare(table, &loaded, LIST_LIVE | LIST_ENDED);
    uint8_t *again = table_save(&loaded, &again_size);
    CLAIM(size == again_size && memcmp(bytes, again, size) == 0);
    flow_table_clear(&loaded);
    free(again);
    free(bytes);
}

static uint64_t packets_in(const struct flow_table *table)
{
    size_t count = 0;
    uint64_t sum = 0;
    flow_ref *refs = flow_set_list(&table->set, LIST_LIVE | LIST_ENDED, &count);
    for (size_t i = 0; i < count; i++) {
        struct flow_copy flow = flow_set_copy(&table->set, refs[i]);
        sum += flow.of.flow.way0.packets + flow.of.flow.way1.packets;
    }
    free(refs);
    return sum;
}

/* Where a merge says that it is exact, it gives the table that has all packets; else nothing has
 * changed, and a merge that need not be exact loses no packet. */
static void check_merge(struct flow_table *whole, struct flow_table *earlier,
                        struct flow_table *later)
{
    size_t size = 0;
    size_t again_size = 0;
    uint8_t *before = table_save(earlier, &size);
    enum flow_merge_result result = flow_table_merge(earlier, later, true, &patient);
    bool exact = result == MERGE_EXACT;
    CLAIM(exact || result == MERGE_INEXACT);
    if (exact) {
        if (!flow_table_catch_up(earlier, false))
            abort();
        flow_table_settle(earlier);
        tables_compare(whole, earlier, LIST_LIVE);
        tables_compare(whole, earlier, LIST_ENDED);
    } else {
        uint8_t *after = table_save(earlier, &again_size);
        CLAIM(size == again_size && memcmp(before, after, size) == 0);
        free(after);
        CLAIM(flow_table_merge(earlier, later, false, &patient) == MERGE_INEXACT);
        flow_table_settle(earlier);
        check_live(earlier);
    }
    CLAIM(whole->input.packets == earlier->input.packets);
    CLAIM(whole->input.not_ip == earlier->input.not_ip);
    CLAIM(whole->input.too_short == earlier->input.too_short);
    if (!flow_table_catch_up(whole, true) || !flow_table_catch_up(earlier, true))
        abort();
    flow_table_flush(whole);
    flow_table_flush(earlier);
    CLAIM(packets_in(whole) == packets_in(earlier));
    if (exact)
        tables_compare(whole, earlier, LIST_ENDED);
    free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct plt_record record;
    struct flow_table tables[3];
    struct feeder whole = {.table = &tables[0], .most = BLOCK};
    struct feeder parts[2] = {{.table = &tables[1], .most = 1}, {.table = &tables[2], .most = 1}};
    uint8_t settings = take_byte(&in);
    uint8_t border = take_byte(&in);
    bool merges = !(settings & SAVES);
    for (unsigned i = 0; i < 3; i++)
        table_make(&tables[i], settings, i + 1);
    flow_set_grow_logs(&tables[1].set);
    flow_set_grow_logs(&tables[2].set);
    struct packet_reader reader = packets_begin(in.data, in.size);
    for (unsigned n = 0; packets_next(&reader, &record); n++) {
        read_packet(&whole, &record);
        if (merges)
            read_packet(&parts[n >= border], &record);
    }
    finish(&whole);
    table_touch(&tables[0]);
    if (merges) {
        finish(&parts[0]);
        finish(&parts[1]);
        check_merge(&tables[0], &tables[1], &tables[2]);
    } else {
        check_saving(&tables[0]);
    }
    for (unsigned i = 0; i < 3; i++)
        flow_table_clear(&tables[i]);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return mutate_packets(data, size, room, HEAD, seed);
}
