/* A field of a flow: a row. */
#ifndef NATKIT_FLOWTABLE_FIELD_H
#define NATKIT_FLOWTABLE_FIELD_H

#include "common/column.h"

struct flow_field {
    uint8_t what; /* enum flow_what */
    uint8_t whose;
    struct column_info info;
};

#endif
