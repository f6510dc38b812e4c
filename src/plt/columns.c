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
    const char *source;
} field_layers[] = {
    {"ip", &ip_table, "IPv4 header (RFC 791)"},
    {"ip6", &ip6_table, "IPv6 header (RFC 8200)"},
    {"tcp", &tcp_table, "TCP header (RFC 9293)"},
    {"udp", &udp_table, "UDP header (RFC 768)"},
    {"sctp", &sctp_table, "SCTP header (RFC 9260)"},
    {"icmp", &icmp_table, "ICMP header (RFC 792)"},
    {"icmp6", &icmp6_table, "ICMPv6 header (RFC 4443)"},
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
                                         .needs_layers = (*property)->needs_layers,
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
        *source = (struct column_source){
            .field = field, .layer = (uint8_t)field_layers[i].table->type, .needs_layers = true};
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

/* Whether a packet has the header that a table is of. */
static bool has_layer(const struct plt_layers *layers, uint8_t layer)
{
    static const uint8_t protocols[VIEW_COUNT] = {[VIEW_TCP] = PROTO_TCP,
                                                  [VIEW_UDP] = PROTO_UDP,
                                                  [VIEW_SCTP] = PROTO_SCTP,
                                                  [VIEW_ICMP] = PROTO_ICMP,
                                                  [VIEW_ICMP6] = PROTO_ICMP6};
    if (layer == VIEW_IP || layer == VIEW_IP6)
        return layers->version == (layer == VIEW_IP ? 4 : 6);
    return layers->proto == protocols[layer];
}

static bool source_value(const struct column_source *source, const struct plt_packet *packet,
                         uint64_t *value)
{
    if (source->property)
        return property_value(source->property->id, packet, value) == VALUE_PRESENT;
    uint32_t at = PLT_ABSENT;
    if (has_layer(packet->layers, source->layer))
        at = field_at(source->field, packet->layers, packet->len, PLT_ABSENT);
    if (at != PLT_ABSENT)
        *value = field_value(source->field, packet->data + at);
    return at != PLT_ABSENT;
}

static bool append(struct column_data *data, const struct column_source *source,
                   const struct plt_packet *packet)
{
    uint32_t size = 0;
    uint64_t value = 0;
    if (kind_is_address(data->kind)) {
        const uint8_t *address = property_address(source->property->id, packet, &size);
        column_append_address(data, address, size);
    } else if (data->kind == KIND_TEXT) {
        const char *text = property_text(source->property->id, packet);
        return column_append_text(data, text, text ? strlen(text) : 0);
    } else {
        bool present = source_value(source, packet, &value);
        column_append(data, present, value);
    }
    return true;
}

bool columns_append(const struct column_source *sources, const struct column_tunnels *tunnels,
                    struct batch *batch, const struct plt_record *record)
{
    struct plt_layers layers = {.layer3 = PLT_ABSENT};
    bool decoded = record->layers != NULL;
    struct plt_packet packet = {.data = record->data,
                                .len = record->len,
                                .layers = decoded ? record->layers : &layers,
                                .meta = &record->meta};
    struct innermost room;
    if (tunnels->wanted) {
        if (!decoded)
            record_layers(record, &layers);
        decoded = true;
        struct plt_packet inner = packet;
        if (tunnel_innermost(&inner, &tunnels->ports, &room)) {
            if (tunnels->enters)
                packet = inner;
            packet.tunnel = inner.tunnel;
            packet.depth = inner.depth;
        }
    }
    bool enough = true;
    for (size_t i = 0; i < batch->count; i++) {
        const struct column_source *source = &sources[i];
        if (source->needs_layers && !decoded) {
            record_layers(record, &layers);
            decoded = true;
        }
        enough &= append(batch->columns[i], source, &packet);
    }
    batch->rows++;
    return enough;
}
