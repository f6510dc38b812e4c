/* A packet's headers read for its flow: its key and what counts of it. */
#ifndef PLT_FLOWTABLE_PARSE_H
#define PLT_FLOWTABLE_PARSE_H

#include "clock.h"
#include "fragments.h"
#include "packet.h"

#include "packet/tunnel.h"

/* All that reading packets changes of a table: another thread may count what was read meanwhile. */
struct flow_input {
    struct flow_clock clock;
    /* one thread counts, others may ask by input_count_of() meanwhile */
    uint64_t packets;
    uint64_t not_ip;
    uint64_t too_short;
    struct flow_fragments fragments;
    bool by_vlan;  /* keys have the VLAN */
    bool segments; /* of TCP are read */
    bool decap;    /* it is the innermost packets that have flows */
    struct tunnel_ports ports;
    bool fragments_lost; /* there was no memory for what was to be remembered of one */
};

/* A counter, for any thread. */
static inline uint64_t input_count_of(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Count so many more, or fewer, in the thread that counts.
 * NOLINTNEXTLINE(readability-non-const-parameter): it is written to, atomically */
static inline void input_count(uint64_t *counter, int64_t more)
{
    __atomic_store_n(counter, *counter + (uint64_t)more, __ATOMIC_RELAXED);
}

/* Read a packet that came from a trace; false where it belongs to no flow, and was counted as such,
 * or waits as a fragment. */
bool flow_input_packet(struct flow_input *input, const struct plt_packet *packet,
                       struct flow_packet *out);
/* The same of a record whose layers need not be known: most are read at once. */
bool flow_input_record(struct flow_input *input, const struct plt_record *record,
                       struct flow_packet *out);
/* The next fragment that waits no longer, or of all; false when there is none.  To be asked until
 * there is none after each packet that is read. */
static inline bool flow_input_fragment(struct flow_input *input, bool all, struct flow_packet *out)
{
    return flow_fragments_held(&input->fragments) > 0 &&
           flow_fragments_next(&input->fragments, input->clock.now, all, out);
}

#endif
