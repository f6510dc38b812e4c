/* Columns: from records to arrays, without Python. */
#include "columns.h"

#include <stdio.h>
#include <string.h>

/* --- Definitions ----------------------------------------------------------------------------- */

enum property {
    TIME,
    SECONDS,
    TS_SEC,
    ERF_TIME,
    WIRE_LEN,
    CAPTURE_LEN,
    LINKTYPE,
    ETHERTYPE,
    VLAN_ID,
    DIRECTION,
    PROTO,
    VERSION,
    TRAFFIC_CLASS,
    HOP_LIMIT,
    HDR_LEN,
    PKT_LEN,
    SRC_PREFIX,
    DST_PREFIX,
    SRC_PORT,
    DST_PORT,
    PAYLOAD_LEN
};

static const struct {
    const char *name;
    const char *doc;
    uint8_t property;
    uint8_t kind;
    bool needs_layers;
    bool can_be_missing;
} properties[] = {
    {"time", "Arrival time.", TIME, KIND_TIME, false, true},
    {"ts", "Arrival time, as time.", TIME, KIND_TIME, false, true},
    {"seconds", "Arrival time in seconds since the epoch.", SECONDS, KIND_FLOAT64, false, false},
    {"ts_sec", "Arrival time in whole seconds.", TS_SEC, KIND_INT64, false, false},
    {"erf_time", "Arrival time as ERF has it.", ERF_TIME, KIND_UINT64, false, false},
    {"wire_len", "Length on the wire.", WIRE_LEN, KIND_UINT32, false, true},
    {"capture_len", "Bytes captured.", CAPTURE_LEN, KIND_UINT32, false, false},
    {"linktype", "Link type, TRACE_TYPE_*.", LINKTYPE, KIND_INT16, true, false},
    {"ethertype", "Ethertype of layer 3, 0 where unknown.", ETHERTYPE, KIND_UINT16, true, false},
    {"vlan_id", "VLAN of the outermost tag, 0 without.", VLAN_ID, KIND_UINT16, true, false},
    {"direction", "TRACE_DIR_*, -1 where not told.", DIRECTION, KIND_INT8, false, false},
    {"proto", "IP protocol, 0 where unknown.", PROTO, KIND_UINT8, true, false},
    {"version", "IP version.", VERSION, KIND_UINT8, true, true},
    {"traffic_class", "DSCP and ECN.", TRAFFIC_CLASS, KIND_UINT8, true, true},
    {"hop_limit", "Hop limit, time to live.", HOP_LIMIT, KIND_UINT8, true, true},
    {"ttl", "Time to live, hop limit.", HOP_LIMIT, KIND_UINT8, true, true},
    {"hdr_len", "IPv4 header length, 4-byte units.", HDR_LEN, KIND_UINT8, true, true},
    {"pkt_len", "IPv4 total length.", PKT_LEN, KIND_UINT16, true, true},
    {"src_prefix", "Source address.", SRC_PREFIX, KIND_ADDRESS, true, true},
    {"dst_prefix", "Destination address.", DST_PREFIX, KIND_ADDRESS, true, true},
    {"src", "Source address, as src_prefix.", SRC_PREFIX, KIND_ADDRESS, true, true},
    {"dst", "Destination address, as dst_prefix.", DST_PREFIX, KIND_ADDRESS, true, true},
    {"src_port", "Source port of TCP, UDP, SCTP, DCCP or UDP-Lite.", SRC_PORT, KIND_UINT16, true,
     true},
    {"dst_port", "Destination port of TCP, UDP, SCTP, DCCP or UDP-Lite.", DST_PORT, KIND_UINT16,
     true, true},
    {"payload_len", "Bytes that TCP or UDP carries, by the headers' lengths.", PAYLOAD_LEN,
     KIND_UINT32, true, true},
};

enum { PROPERTIES = sizeof(properties) / sizeof(properties[0]) };

/* The layers whose tables give columns, and their names before the dot. */
static const struct {
    const char *name;
    const struct field_table *table;
} layers[] = {
    {"ip", &ip_table},     {"ip6", &ip6_table},   {"tcp", &tcp_table},     {"udp", &udp_table},
    {"sctp", &sctp_table}, {"icmp", &icmp_table}, {"icmp6", &icmp6_table},
};

enum { LAYERS = sizeof(layers) / sizeof(layers[0]) };

static uint8_t kind_of_field(const struct field *field)
{
    if (field->is_flag)
        return KIND_BOOL;
    return field->mask > 0xffff ? KIND_UINT32 : field->mask > 0xff ? KIND_UINT16 : KIND_UINT8;
}

bool column_nth(size_t n, struct column_info *info, struct column_source *source, const char **doc)
{
    if (n < PROPERTIES) {
        *info = (struct column_info){.kind = properties[n].kind,
                                     .can_be_missing = properties[n].can_be_missing};
        *source = (struct column_source){.property = properties[n].property,
                                         .needs_layers = properties[n].needs_layers};
        *doc = properties[n].doc;
        snprintf(info->name, sizeof(info->name), "%s", properties[n].name);
        return true;
    }
    n -= PROPERTIES;
    for (size_t i = 0; i < LAYERS; i++) {
        const struct field *const *rows = layers[i].table->rows;
        for (; *rows && n > 0; rows++)
            n--;
        if (!*rows)
            continue;
        const struct field *field = *rows;
        *info = (struct column_info){.kind = kind_of_field(field), .can_be_missing = true};
        *source = (struct column_source){
            .field = field, .layer = (uint8_t)layers[i].table->type, .needs_layers = true};
        *doc = field->doc;
        snprintf(info->name, sizeof(info->name), "%s.%s", layers[i].name, field->name);
        return true;
    }
    return false;
}

bool column_find(const char *name, struct column_info *info, struct column_source *source)
{
    const char *doc = NULL;
    for (size_t n = 0; column_nth(n, info, source, &doc); n++)
        if (strcmp(info->name, name) == 0)
            return true;
    return false;
}

/* --- Values ---------------------------------------------------------------------------------- */

/* A record with what its columns need to know of it. */
struct context {
    const struct plt_record *record;
    struct plt_layers layers;
};

/* Where the layer of a field's table begins, PLT_ABSENT where the packet has none. */
static uint32_t base_of(const struct context *context, uint8_t layer)
{
    static const uint8_t protocols[VIEW_COUNT] = {[VIEW_TCP] = PROTO_TCP,
                                                  [VIEW_UDP] = PROTO_UDP,
                                                  [VIEW_SCTP] = PROTO_SCTP,
                                                  [VIEW_ICMP] = PROTO_ICMP,
                                                  [VIEW_ICMP6] = PROTO_ICMP6};
    if (layer == VIEW_IP || layer == VIEW_IP6) {
        uint8_t version = layer == VIEW_IP ? 4 : 6;
        return context->layers.version == version ? context->layers.layer3 : PLT_ABSENT;
    }
    return context->layers.proto == protocols[layer] ? context->layers.transport : PLT_ABSENT;
}

/* `need` bytes from an offset behind a base on, NULL where they were not all captured. */
static const uint8_t *bytes_at(const struct context *context, uint32_t base, uint32_t offset,
                               uint32_t need, uint32_t end)
{
    if (base == PLT_ABSENT || base > end || end - base < offset + need)
        return NULL;
    return context->record->data + base + offset;
}

static bool field_value(const struct column_source *source, const struct context *context,
                        uint64_t *value)
{
    const struct field *field = source->field;
    bool network = source->layer == VIEW_IP || source->layer == VIEW_IP6;
    uint32_t end = network ? context->record->len : context->layers.ip_end;
    const uint8_t *bytes =
        bytes_at(context, base_of(context, source->layer), field->offset, field->width, end);
    if (!bytes)
        return false;
    uint32_t loaded = field->width == 1   ? *bytes
                      : field->width == 2 ? load_be16(bytes)
                                          : load_be32(bytes);
    loaded = loaded >> field->shift & field->mask;
    *value = field->is_flag ? loaded != 0 : loaded;
    return true;
}

/* The IP header's bytes, where those of IPv4 and of IPv6 are at different places. */
static const uint8_t *ip_bytes(const struct context *context, uint32_t offset4, uint32_t offset6,
                               uint32_t need)
{
    uint8_t version = context->layers.version;
    if (version == 0)
        return NULL;
    return bytes_at(context, context->layers.layer3, version == 4 ? offset4 : offset6, need,
                    context->record->len);
}

static struct plt_packet packet_of(const struct context *context)
{
    const struct plt_record *record = context->record;
    return (struct plt_packet){.data = record->data,
                               .len = record->len,
                               .layers = &context->layers,
                               .meta = &record->meta};
}

static bool port_value(const struct context *context, uint32_t offset, uint64_t *value)
{
    struct plt_packet packet = packet_of(context);
    const uint8_t *bytes =
        proto_has_ports(context->layers.proto) ? transport_bytes(&packet, offset, 2) : NULL;
    if (bytes)
        *value = load_be16(bytes);
    return bytes != NULL;
}

static bool payload_value(const struct context *context, uint64_t *value)
{
    struct plt_packet packet = packet_of(context);
    struct plt_payload payload;
    if (!packet_payload(&packet, &payload))
        return false;
    *value = payload.len;
    return true;
}

/* The value of a property, but for addresses; false where it is missing. */
static bool property_value(uint8_t property, const struct context *context, uint64_t *value)
{
    const struct plt_record *record = context->record;
    const struct plt_meta *meta = &record->meta;
    const uint8_t *bytes = NULL;
    double seconds = 0;
    switch ((enum property)property) {
    case TIME:
        if (meta->sec > INT64_MAX / 1000000000 - 1 || meta->sec < INT64_MIN / 1000000000 + 1)
            return false;
        *value = (uint64_t)(meta->sec * 1000000000 + meta->nsec);
        return true;
    case SECONDS:
        seconds = (double)meta->sec + meta->nsec * 1e-9;
        memcpy(value, &seconds, sizeof(*value));
        return true;
    case TS_SEC:
        *value = (uint64_t)meta->sec;
        return true;
    case ERF_TIME:
        *value = plt_erf_time(meta);
        return true;
    case WIRE_LEN:
        *value = meta->wire_len;
        return meta->wire_len <= UINT32_MAX;
    case CAPTURE_LEN:
        *value = meta->capture_len;
        return true;
    case LINKTYPE:
        *value = (uint64_t)context->layers.linktype;
        return true;
    case ETHERTYPE:
        *value = context->layers.ethertype;
        return true;
    case VLAN_ID:
        *value = context->layers.vlan_id;
        return true;
    case DIRECTION:
        *value = (uint64_t)plt_direction(record->data, record->len, meta);
        return true;
    case PROTO:
        *value = context->layers.proto;
        return true;
    case VERSION:
        *value = context->layers.version;
        return context->layers.version != 0;
    case TRAFFIC_CLASS:
        bytes = ip_bytes(context, 0, 0, 2);
        if (bytes)
            *value = context->layers.version == 4 ? bytes[1] : load_be16(bytes) >> 4 & 0xff;
        return bytes != NULL;
    case HOP_LIMIT:
        bytes = ip_bytes(context, 8, 7, 1);
        if (bytes)
            *value = bytes[0];
        return bytes != NULL;
    case HDR_LEN:
        bytes = context->layers.version == 4 ? ip_bytes(context, 0, 0, 1) : NULL;
        if (bytes)
            *value = bytes[0] & 0x0f;
        return bytes != NULL;
    case PKT_LEN:
        bytes = context->layers.version == 4 ? ip_bytes(context, 2, 0, 2) : NULL;
        if (bytes)
            *value = load_be16(bytes);
        return bytes != NULL;
    case SRC_PORT:
        return port_value(context, 0, value);
    case DST_PORT:
        return port_value(context, 2, value);
    case PAYLOAD_LEN:
        return payload_value(context, value);
    case SRC_PREFIX:
    case DST_PREFIX:
        break;
    }
    return false;
}

static const uint8_t *address_value(uint8_t property, const struct context *context, uint32_t size)
{
    return property == SRC_PREFIX ? ip_bytes(context, 12, 8, size)
                                  : ip_bytes(context, 16, 24, size);
}

void columns_append(const struct column_source *sources, struct batch *batch,
                    const struct plt_record *record)
{
    struct context context = {.record = record};
    bool decoded = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct column_data *data = batch->columns[i];
        const struct column_source *source = &sources[i];
        if (source->needs_layers && !decoded) {
            plt_decode(record->data, record->len, &record->meta, ROOT_LINK, 0, &context.layers);
            decoded = true;
        }
        if (data->kind == KIND_ADDRESS) {
            uint32_t size = context.layers.version == 4 ? 4 : 16;
            column_append_address(data, address_value(source->property, &context, size), size);
        } else {
            uint64_t value = 0;
            bool present = source->field ? field_value(source, &context, &value)
                                         : property_value(source->property, &context, &value);
            column_append(data, present, value);
        }
    }
    batch->rows++;
}
