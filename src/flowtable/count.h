/* One packet counted in its flow. */
#ifndef PLT_FLOWTABLE_COUNT_H
#define PLT_FLOWTABLE_COUNT_H

#include "flow.h"
#include "log.h"
#include "packet.h"

/* Which addresses are at home, if any are: a flow's forward way is then that into the home network.
 * The address has 4 bytes, or 16 with v6. */
struct flow_home {
    bool (*contains)(const void *context, bool v6, const uint8_t *address); /* NULL for no home */
    const void *context;                                                    /* borrowed */
};

/* An empty flow begins with a packet: its direction and what else the first one tells. */
void flow_begin(struct flow *flow, const struct flow_home *home, const struct flow_packet *packet);
/* Count a packet in its flow. */
void flow_count(struct flow *flow, struct flow_logs *logs, const struct flow_home *home,
                const struct flow_packet *packet);
/* Whether a SYN of a way, of which the next number is given, is that of another connection than the
 * flow's; and whether the SYN of a packet is. */
bool flow_syn_differs(const struct flow *flow, unsigned way, uint32_t next);
bool flow_syn_is_new(const struct flow *flow, const struct flow_packet *packet);

#endif
