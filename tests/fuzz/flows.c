/* Flow tables for fuzzers. */
#define _GNU_SOURCE /* the flags of mmap() and madvise() are not in POSIX */
#include "flows.h"

#include "flowtable/memory.h"

#include <sys/mman.h>

#define SECOND INT64_C(1000000000)

/* --- Memory ---------------------------------------------------------------------------------- */

/* In the place of flowtable/memory.c, whose mapping and unmapping would take most of the time: what
 * was given back is kept for who asks for as much.  Little of it was used. */

enum { KEPT = 16, FIRST_BYTES = 1 << 15 };

static struct {
    uint8_t *memory; /* owned; NULL in an empty place */
    size_t size;
} kept[KEPT];

void *memory_map(size_t size, bool huge)
{
    (void)huge;
    for (unsigned i = 0; i < KEPT; i++) {
        if (kept[i].memory && kept[i].size == size) {
            uint8_t *memory = kept[i].memory;
            kept[i].memory = NULL;
            return memory;
        }
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void memory_unmap(void *memory, size_t size)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (!kept[i].memory) {
            size_t first = size < FIRST_BYTES ? size : FIRST_BYTES;
            memset(memory, 0, first);
            if (size > first)
                (void)madvise((uint8_t *)memory + first, size - first, MADV_DONTNEED);
            kept[i].memory = memory;
            kept[i].size = size;
            return;
        }
    }
    munmap(memory, size);
}

void *memory_new(size_t size)
{
    return calloc(1, size);
}

void memory_free(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

/* --- Tables ----------------------------------------------------------------------------------- */

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

/* A flow as its table has it.  Its times on the table's clock tell nothing without timeouts: of a
 * fragment that waited in vain they depend on when the table was looked at. */
static struct flow_copy copy_flow(const struct flow_table *table, flow_ref ref)
{
    struct flow_copy copy = flow_set_copy(&table->set, ref);
    if (!flow_timeouts_are_set(&table->wheel.timeouts))
        copy.of.flow.started = copy.of.flow.seen = 0;
    return copy;
}

void tables_compare(const struct flow_table *one, const struct flow_table *other, int which)
{
    size_t count = 0;
    size_t other_count = 0;
    flow_ref *refs = list(one, which, &count);
    flow_ref *others = list(other, which, &other_count);
    CLAIM(count == other_count);
    for (size_t i = 0; i < count; i++) {
        struct flow_copy flow = copy_flow(one, refs[i]);
        struct flow_copy same = copy_flow(other, others[i]);
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
