/* Bytes that claim to be a saved flow table, or saved flows.  What is loaded is saved and loaded
 * again, takes packets, is merged with itself, and ends.
 *
 * An input is what flow_saving_write() writes, or flow_copies_write(). */
#include "flows.h"
#include "packets.h"

#include "packet/decode.h"

/* A segment of TCP over IPv4, to a table that may have its flow. */
static const uint8_t segment[40] = {0x45, 0, 0, 40, 0,   1,  0,   0, 64,   6,    0,   0,
                                    192,  0, 2, 1,  198, 51, 100, 2, 0xc0, 0,    0,   80,
                                    0,    0, 0, 1,  0,   0,  0,   2, 0x50, 0x11, 0x20};

static void add_packet(struct flow_table *table)
{
    struct plt_record record = packet_record(1, segment, sizeof(segment), 0);
    struct plt_layers layers;
    struct flow_packet packet;
    record.meta.sec = 1 << 30;
    record_layers(&record, &layers);
    struct plt_packet view = {
        .data = record.data, .len = record.len, .layers = &layers, .meta = &record.meta};
    if (flow_input_packet(&table->input, &view, &packet) && flow_table_feed(table, &packet, 1) != 1)
        abort();
    if (!flow_table_catch_up(table, false))
        abort();
}

static bool load(struct flow_table *table, const uint8_t *data, size_t size)
{
    struct flow_load_error error = {.what = ""};
    flow_table_init(table, (const uint64_t[2]){1, 2});
    enum flow_load_result result = flow_table_load(table, data, size, &patient, &error);
    if (result == LOAD_REFUSED)
        CLAIM(error.what[0] && memchr(error.what, 0, sizeof(error.what)));
    return result == LOAD_DONE;
}

static void use(struct flow_table *table, const uint8_t *data, size_t size)
{
    struct flow_table again;
    size_t saved_size = 0;
    table_touch(table);
    uint8_t *saved = table_save(table, &saved_size);
    bool enough = load(&again, saved, saved_size);
    CLAIM(enough);
    tables_compare(table, &again, LIST_LIVE | LIST_ENDED);
    flow_table_clear(&again);
    free(saved);
    if (load(&again, data, size)) {
        flow_table_merge(table, &again, true, &patient);
        flow_table_merge(table, &again, false, &patient);
    }
    flow_table_clear(&again);
    add_packet(table);
    table_touch(table);
    if (!flow_table_catch_up(table, true))
        abort();
    flow_table_flush(table);
    table_touch(table);
}

static void use_flows(const uint8_t *data, size_t size)
{
    struct flow_copies copies;
    struct flow_copies again;
    struct flow_load_error error = {.what = ""};
    if (flow_copies_load(data, size, &copies, &error) != LOAD_DONE)
        return;
    size_t saved_size = flow_copies_size(&copies);
    uint8_t *saved = malloc(saved_size);
    if (!saved)
        abort();
    flow_copies_write(&copies, saved);
    CLAIM(flow_copies_load(saved, saved_size, &again, &error) == LOAD_DONE);
    CLAIM(again.count == copies.count);
    flow_copies_clear(&again);
    flow_copies_clear(&copies);
    free(saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow_table table;
    uint8_t *copy = copy_of(data, size);
    if (load(&table, copy, size))
        use(&table, copy, size);
    flow_table_clear(&table);
    use_flows(copy, size);
    free(copy);
    return 0;
}
