/* Columns: from records to arrays, without Python. */
#include "columns.h"

#include "packet/decode.h"
#include "packet/field.h"
#include "packet/property.h"
#include "packet/protocols.h"
#include "common/arrow.h"

#include <stdio.h>
#include <string.h>

/* --- Definitions ----------------------------------------------------------------------------- */

/* The layers whose tables give columns, and their names before the dot. */
static const struct {
    const char *name;
    const struct field_table *table;
    uint8_t proto; /* of a transport */
    const char *source;
} field_layers[] = {
    {"ip", &ip_table, 0, "IPv4 header (RFC 791)"},
    {"ip6", &ip6_table, 0, "IPv6 header (RFC 8200)"},
    {"arp", &arp_table, 0, "ARP packet (RFC 826)"},
    {"tcp", &tcp_table, PROTO_TCP, "TCP header (RFC 9293)"},
    {"udp", &udp_table, PROTO_UDP, "UDP header (RFC 768)"},
    {"sctp", &sctp_table, PROTO_SCTP, "SCTP header (RFC 9260)"},
    {"icmp", &icmp_table, PROTO_ICMP, "ICMP header (RFC 792)"},
    {"icmp6", &icmp6_table, PROTO_ICMP6, "ICMPv6 header (RFC 4443)"},
};

enum { LAYERS = sizeof(field_layers) / sizeof(field_layers[0]) };

static uint8_t kind_of_field(const struct field *field)
{
    if (field->is_flag)
        return KIND_BOOL;
    return field->mask > 0xffff ? KIND_UINT32 : field->mask > 0xff ? KIND_UINT16 : KIND_UINT8;
}

bool column_nth(size_t n, struct column_info *info, struct column_source *source, const char **doc)
{
    const struct property *const *property = all_properties;
    for (; *property && n > 0; property++)
        n--;
    if (*property) {
        *info = (struct column_info){.kind = (*property)->kind,
                                     .can_be_missing = (*property)->can_be_missing};
        *source = (struct column_source){.property = *property,
                                         .need = property_need((*property)->id),
                                         .of_tunnel = (*property)->of_tunnel};
        *doc = (*property)->doc;
        snprintf(info->name, sizeof(info->name), "%s", (*property)->name);
        return true;
    }
    for (size_t i = 0; i < LAYERS; i++) {
        const struct field *const *rows = field_layers[i].table->rows;
        for (; *rows && n > 0; rows++)
            n--;
        if (!*rows)
            continue;
        const struct field *field = *rows;
        *info = (struct column_info){.kind = kind_of_field(field), .can_be_missing = true};
        *source = (struct column_source){.field = field,
                                         .layer = (uint8_t)field_layers[i].table->type,
                                         .proto = field_layers[i].proto,
                                         .need = field_need(field)};
        *doc = field->doc;
        snprintf(info->name, sizeof(info->name), "%s.%s", field_layers[i].name, field->name);
        return true;
    }
    return false;
}

bool column_find(const char *name, struct column_info *info, struct column_source *source)
{
    const char *doc = NULL;
    size_t n = 0;
    for (const struct property *const *row = all_properties; *row; row++, n++)
        if (strcmp((*row)->name, name) == 0)
            return column_nth(n, info, source, &doc);
    for (size_t i = 0; i < LAYERS; i++) {
        size_t len = strlen(field_layers[i].name);
        bool is_of_layer = strncmp(name, field_layers[i].name, len) == 0 && name[len] == '.';
        for (const struct field *const *row = field_layers[i].table->rows; *row; row++, n++)
            if (is_of_layer && strcmp((*row)->name, name + len + 1) == 0)
                return column_nth(n, info, source, &doc);
    }
    return false;
}

struct column_notes column_notes_of(const char *name)
{
    struct column_info info;
    struct column_source source;
    struct column_notes notes = {.doc = NULL};
    for (size_t n = 0; column_nth(n, &info, &source, &notes.doc); n++) {
        if (strcmp(info.name, name) != 0)
            continue;
        if (source.property) {
            notes.unit = source.property->unit;
            notes.source = property_source(source.property->id);
            return notes;
        }
        notes.unit = source.field->unit;
        for (size_t i = 0; i < LAYERS; i++)
            if (field_layers[i].table->type == source.layer)
                notes.source = field_layers[i].source;
        return notes;
    }
    return (struct column_notes){.doc = NULL};
}

/* --- Values ---------------------------------------------------------------------------------- */

static void find_metas(const struct record_block *records, struct packet_block *block)
{
    block->count = records->count;
    for (size_t i = 0; i < block->count; i++)
        block->metas[i] = &records->records[i].meta;
}

/* The packets of the records, and those in their tunnels where they are wanted. */
static void find_packets(const struct column_tunnels *tunnels, struct record_block *records,
                         struct column_block *self)
{
    struct packet_block *block = &self->block;
    block->count = records->count;
    record_layers_all(records->records, records->count, records->layers);
    for (size_t i = 0; i < block->count; i++) {
        const struct plt_record *record = &records->records[i];
        block->packets[i] = (struct plt_packet){.data = record->data,
                                                .len = record->len,
                                                .layers = &records->layers[i],
                                                .meta = &record->meta,
                                                .community_seed = tunnels->community_seed};
    }
    for (size_t i = 0; tunnels->wanted && i < block->count; i++) {
        struct plt_packet inner = block->packets[i];
        if (!tunnel_innermost(&inner, &tunnels->ports, &self->innermost[i]))
            continue;
        if (tunnels->enters)
            block->packets[i] = inner;
        block->packets[i].community_seed = tunnels->community_seed;
        block->packets[i].tunnel = inner.tunnel;
        block->packets[i].depth = inner.depth;
    }
    block_find_headers(block);
}

static bool append_texts(struct column_data *data, enum property_id id,
                         const struct packet_block *block)
{
    bool enough = true;
    for (size_t i = 0; i < block->count; i++) {
        char room[PROPERTY_TEXT_ROOM];
        const char *text = property_text(id, &block->packets[i], room);
        enough &= column_append_text(data, text, text ? strlen(text) : 0);
    }
    return enough;
}

static bool append(struct column_data *data, const struct column_source *source,
                   const struct packet_block *block)
{
    if (kind_is_address(data->kind)) {
        struct block_versions found;
        property_addresses(source->property->id, block, column_addresses(data), &found);
        column_append_addresses(data, found.versions, found.absent, block->count);
        return true;
    }
    if (data->kind == KIND_TEXT)
        return append_texts(data, source->property->id, block);
    struct block_values values;
    if (source->property)
        source->property->fill(block, &values);
    else
        field_fill(source->field, source->proto, block, &values);
    column_append_values(data, values.values, values.absent, block->count);
    return true;
}

bool columns_append_to(const struct column_source *sources, size_t count,
                       const struct column_tunnels *tunnels, enum block_need need,
                       struct column_data *const *columns, struct record_block *records,
                       struct column_block *packets)
{
    bool enough = true;
    if (need == BLOCK_PACKETS)
        find_packets(tunnels, records, packets);
    else if (need == BLOCK_HEADERS)
        record_headers_all(records, &packets->block);
    else
        find_metas(records, &packets->block);
    for (size_t i = 0; i < count; i++)
        enough &= append(columns[i], &sources[i], &packets->block);
    return enough;
}

bool columns_append(const struct column_source *sources, const struct column_tunnels *tunnels,
                    enum block_need need, struct batch *batch, struct record_block *records,
                    struct column_block *packets)
{
    batch->rows += records->count;
    return columns_append_to(sources, batch->count, tunnels, need, batch->columns, records,
                             packets);
}
