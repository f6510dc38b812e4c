/* Two parts of one flow made one: an earlier one, and a later one of another table. */
#ifndef PLT_FLOWTABLE_JOIN_H
#define PLT_FLOWTABLE_JOIN_H

#include "flow.h"
#include "log.h"
#include "timeouts.h"

/* Whether a later flow that begins at that time is a part of the earlier flow with the same key. */
bool flow_continues(const struct flow_timeouts *timeouts, const struct flow *earlier,
                    const struct flow *later, int64_t clock);
/* Whether the SYN that the later flow begins with is a repeated one depends on how much data it has
 * (RFC 7413), which is not known. */
bool flow_syn_is_unclear(const struct flow *earlier, const struct flow *later);
/* Whether joining the two gives what one table would have; log is the later one's. */
bool flow_joins_exactly(const struct flow_timeouts *timeouts, const struct flow *earlier,
                        const struct flow *later, const struct flow_log *log);
/* Add the later part to the earlier one, whose log is in logs. */
void flow_join(struct flow *earlier, struct flow_logs *logs, const struct flow *later,
               const struct flow_log *log);

#endif
