/* A flow table: packets to flows, and flows from the live to those that ended.
 *
 * Reading changes `input` alone, and counting all the rest, so that two threads can do that. */
#ifndef PLT_FLOWTABLE_TABLE_H
#define PLT_FLOWTABLE_TABLE_H

#include "count.h"
#include "parse.h"
#include "places.h"
#include "set.h"
#include "wheel.h"

struct flow_table {
    struct flow_input input;
    struct flow_set set;
    struct flow_wheel wheel;
    struct flow_home home;
    struct flow_places *places; /* borrowed, NULL where no one asks: of each packet that is fed */
};

/* An empty table without timeouts and home. */
void flow_table_init(struct flow_table *table, const uint64_t seed[2]);
void flow_table_clear(struct flow_table *table);
/* Of a new table. */
void flow_table_set_timeouts(struct flow_table *table, struct flow_timeouts timeouts);
/* Have a new table track the quality of TCP connections. */
void flow_table_track_tcp(struct flow_table *table);
/* Have a new table count statistics, or keep so many first packets of each flow. */
void flow_table_count_statistics(struct flow_table *table);
void flow_table_keep_early(struct flow_table *table, uint16_t most);
/* Have a new table look into tunnels, at those ports too. */
void flow_table_decap(struct flow_table *table, const struct tunnel_ports *ports);
/* The memory that it has, in bytes. */
size_t flow_table_size(const struct flow_table *table);

/* Count packets: how many were, fewer when out of memory. */
size_t flow_table_feed(struct flow_table *table, struct flow_packet *packets, size_t count);
/* Count the fragments that wait no longer, or all; false when out of memory, and one is lost. */
bool flow_table_catch_up(struct flow_table *table, bool all);
/* End the flows whose time is up. */
void flow_table_settle(struct flow_table *table);
/* End a live flow, whether the wheel knows it or not; false when out of memory. */
bool flow_table_end(struct flow_table *table, flow_ref ref, uint8_t reason);
/* Put a live flow whose time comes earlier than before into the wheel anew.  Returns the flow,
 * which has a new slot; 0 when out of memory. */
flow_ref flow_table_put_earlier(struct flow_table *table, flow_ref ref);
/* End all, with a reason of END_FORCED. */
void flow_table_flush(struct flow_table *table);

#endif
