/* The values of the fields that FlowTable(tcp=True) counts. */
#ifndef NATKIT_FLOWTABLE_TCPFIELDS_H
#define NATKIT_FLOWTABLE_TCPFIELDS_H

#include "field.h"

#include "flowtable/flow.h"

/* The number, or the text; false and NULL where it is missing. */
bool flow_tcp_number(const struct flow_field *field, const struct flow_copy *copy, uint64_t *value);
const char *flow_tcp_text(const struct flow_field *field, const struct flow_copy *copy);

#endif
