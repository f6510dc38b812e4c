/* Flow tables for fuzzers. */
#include "flows.h"

#define SECOND INT64_C(1000000000)

static bool always(void *context)
{
    (void)context;
    return true;
}

const struct flow_patience patient = {.lasts = always};

/* Some of all addresses are at home. */
static bool is_home(const void *context, bool v6, const uint8_t *address)
{
    (void)context;
    return address[v6 ? 15 : 3] & 1;
}

void table_make(struct flow_table *table, uint8_t settings, uint64_t seed)
{
    const uint64_t seeds[2] = {seed, ~seed};
    const struct tunnel_ports ports = {.count = 1, .rows = {{.port = 53, .kind = TUNNEL_VXLAN}}};
    flow_table_init(table, seeds);
    if (settings & (TABLE_IDLE | TABLE_ACTIVE))
        flow_table_set_timeouts(
            table, (struct flow_timeouts){settings & TABLE_IDLE ? 5 * SECOND : FLOW_NEVER,
                                          settings & TABLE_ACTIVE ? 61 * SECOND : FLOW_NEVER});
    if (settings & TABLE_TCP)
        flow_table_track_tcp(table);
    if (settings & TABLE_DECAP)
        flow_table_decap(table, &ports);
    if (settings & TABLE_HOME)
        table->home.contains = is_home;
    table->input.by_vlan = settings & TABLE_BY_VLAN;
}

uint8_t *table_save(struct flow_table *table, size_t *size)
{
    struct flow_saving saving;
    if (!flow_saving_begin(&saving, table))
        abort();
    uint8_t *bytes = malloc(saving.size);
    if (!bytes)
        abort();
    CLAIM(flow_saving_write(&saving, bytes, &patient));
    *size = saving.size;
    flow_saving_end(&saving);
    return bytes;
}

static flow_ref *list(const struct flow_table *table, int which, size_t *count)
{
    flow_ref *refs = flow_set_list(&table->set, which, count);
    if (!refs)
        abort();
    return refs;
}

void tables_compare(const struct flow_table *one, const struct flow_table *other, int which)
{
    size_t count = 0;
    size_t other_count = 0;
    flow_ref *refs = list(one, which, &count);
    flow_ref *others = list(other, which, &other_count);
    CLAIM(count == other_count);
    for (size_t i = 0; i < count; i++) {
        struct flow_copy flow = flow_set_copy(&one->set, refs[i]);
        struct flow_copy same = flow_set_copy(&other->set, others[i]);
        CLAIM(flow.v6 == same.v6);
        CLAIM(flow.tunnel == same.tunnel);
        CLAIM(memcmp(&flow.of, &same.of, flow_size(flow.v6)) == 0);
        CLAIM(!flow.quality == !same.quality);
        if (flow.quality)
            CLAIM(memcmp(flow.quality, same.quality, sizeof(*flow.quality)) == 0);
    }
    free(others);
    free(refs);
}

void table_touch(const struct flow_table *table)
{
    size_t count = 0;
    flow_ref *refs = list(table, LIST_LIVE | LIST_ENDED, &count);
    for (size_t i = 0; i < count; i++) {
        struct flow_copy flow = flow_set_copy(&table->set, refs[i]);
        touch(&flow.of, flow_size(flow.v6));
        for (unsigned way = 0; flow.quality && way < 2; way++) {
            uint64_t number = 0;
            uint8_t scale = 0;
            tcp_rtt_mean(&flow.quality->ways[way], &number);
            tcp_rtt_deviation(&flow.quality->ways[way], &number);
            tcp_window_scale(flow.quality, way, &scale);
        }
    }
    free(refs);
    flow_table_size(table);
}
