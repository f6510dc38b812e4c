/* The values of the fields that FlowTable(tcp=True) counts. */
#ifndef NATKIT_FLOWTABLE_TCPFIELDS_H
#define NATKIT_FLOWTABLE_TCPFIELDS_H

#include "flowtable/flow.h"

/* The number, or the text, by what a row is and whose; false and NULL where it is missing. */
bool flow_tcp_number(uint8_t what, uint8_t whose, const struct flow_copy *copy, uint64_t *value);
const char *flow_tcp_text(uint8_t what, const struct flow_copy *copy);

#endif
