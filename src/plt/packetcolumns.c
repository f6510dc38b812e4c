/* Columns of packets among others of a batch. */
#include "packetcolumns.h"

#include "columns.h"

struct packet_columns {
    size_t count;
    struct column_source sources[MAX_COLUMNS];
    size_t places[MAX_COLUMNS]; /* in the batch */
    struct column_tunnels tunnels;
    enum block_need need;
    struct column_block packets;
};

struct packet_columns *packet_columns_new(bool enters, const struct tunnel_ports *ports,
                                          uint16_t community_seed)
{
    struct packet_columns *self = PyMem_Calloc(1, sizeof(*self));
    if (self)
        self->packets.innermost = PyMem_Calloc(PACKETS_OF_BLOCK, sizeof(struct innermost));
    if (!self || !self->packets.innermost) {
        PyMem_Free(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->need = enters ? BLOCK_PACKETS : BLOCK_METAS;
    self->tunnels = (struct column_tunnels){
        .community_seed = community_seed, .wanted = enters, .enters = enters, .ports = *ports};
    return self;
}

void packet_columns_free(struct packet_columns *self)
{
    PyMem_Free(self->packets.innermost);
    PyMem_Free(self);
}

bool packet_columns_take(struct packet_columns *self, size_t i, const char *name,
                         struct column_info *info)
{
    struct column_source *source = &self->sources[self->count];
    if (self->count == MAX_COLUMNS || !column_find(name, info, source))
        return false;
    self->tunnels.wanted |= source->of_tunnel;
    self->need = column_more_need(self->need, source);
    self->places[self->count++] = i;
    return true;
}

bool packet_columns_add(struct packet_columns *self, struct column_data *const *batch,
                        struct record_block *records)
{
    struct column_data *columns[MAX_COLUMNS];
    for (size_t n = 0; n < self->count; n++)
        columns[n] = batch[self->places[n]];
    return columns_append_to(self->sources, self->count, &self->tunnels, self->need, columns,
                             records, &self->packets);
}
