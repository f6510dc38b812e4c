/* Columns of packets that another module's reader fills: what capi.h offers. */
#ifndef PLT_PACKETCOLUMNS_H
#define PLT_PACKETCOLUMNS_H

#include "common/capi.h"
#include "common/column.h"
#include "packet/block.h"
#include "packet/tunnel.h"

struct packet_columns *packet_columns_new(bool enters, const struct tunnel_ports *ports,
                                          uint16_t community_seed);
void packet_columns_free(struct packet_columns *self);
bool packet_columns_take(struct packet_columns *self, size_t i, const char *name,
                         struct column_info *info);
bool packet_columns_add(struct packet_columns *self, struct column_data *const *batch,
                        struct record_block *records);

#endif
