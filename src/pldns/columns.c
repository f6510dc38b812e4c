/* The columns of DNS messages: their names, and their values. */
#include "columns.h"

#include "mdns.h"
#include "parse.h"

#include "common/reader.h"

#include "packet/bytes.h"
#include "common/arrow.h"

#include <stdio.h>
#include <string.h>

enum property {
    TIME,
    WIRE_LEN,
    VERSION,
    PROTO,
    SRC_PREFIX,
    DST_PREFIX,
    SRC_PORT,
    DST_PORT,
    LENGTH,
    ID,
    FLAG, /* RFC 1035 section 4.1.1, RFC 4035 section 3.1.6 */
    OPCODE,
    RCODE,
    COUNT, /* of a section */
    QNAME,
    QTYPE,
    QCLASS,
    UNICAST_RESPONSE, /* RFC 6762 section 5.4 */
    QUESTION,         /* a digest of all of it */
    EDNS_UDP_SIZE,
    EDNS_DO,
    EDNS_VERSION,
    EDNS_RCODE,
    STATUS,
    RESPONSE_TIME,
    QUERY_TIME
};

static const struct {
    const char *name;
    const char *doc;
    uint8_t property;
    uint8_t kind;
    bool can_be_missing;
    uint16_t detail; /* the mask of a flag, the offset of a count */
} rows[] = {
    {"time", "Arrival time of the packet.", TIME, KIND_TIME, true, 0},
    {"wire_len", "Length of the packet on the wire.", WIRE_LEN, KIND_UINT32, true, 0},
    {"version", "IP version.", VERSION, KIND_UINT8, false, 0},
    {"proto", "IP protocol: 17 for UDP, 6 for TCP.", PROTO, KIND_UINT8, false, 0},
    {"src_prefix", "Source address.", SRC_PREFIX, KIND_ADDRESS, false, 0},
    {"dst_prefix", "Destination address.", DST_PREFIX, KIND_ADDRESS, false, 0},
    {"src", "Source address, as src_prefix.", SRC_PREFIX, KIND_ADDRESS, false, 0},
    {"dst", "Destination address, as dst_prefix.", DST_PREFIX, KIND_ADDRESS, false, 0},
    {"src_port", "Source port.", SRC_PORT, KIND_UINT16, false, 0},
    {"dst_port", "Destination port.", DST_PORT, KIND_UINT16, false, 0},
    {"length", "Length of the message, by UDP's header or the prefix in TCP.", LENGTH, KIND_UINT32,
     false, 0},
    {"id", "Identifier of the message.", ID, KIND_UINT16, true, 0},
    {"ident", "Identifier of the message, as id.", ID, KIND_UINT16, true, 0},
    {"qr", "True for a response, False for a query.", FLAG, KIND_BOOL, true, 0x8000},
    {"is_response", "True for a response, as qr.", FLAG, KIND_BOOL, true, 0x8000},
    {"opcode", "Kind of query.", OPCODE, KIND_UINT8, true, 0},
    {"aa", "True for an authoritative answer.", FLAG, KIND_BOOL, true, 0x0400},
    {"tc", "True where the message was truncated.", FLAG, KIND_BOOL, true, 0x0200},
    {"rd", "True where recursion is desired.", FLAG, KIND_BOOL, true, 0x0100},
    {"ra", "True where recursion is available.", FLAG, KIND_BOOL, true, 0x0080},
    {"ad", "True where the data is authentic.", FLAG, KIND_BOOL, true, 0x0020},
    {"cd", "True where checking is disabled.", FLAG, KIND_BOOL, true, 0x0010},
    {"rcode", "Response code of the header, 0 to 15: its four bits of edns_rcode.", RCODE,
     KIND_UINT8, true, 0},
    {"qdcount", "Questions that the header announces.", COUNT, KIND_UINT16, true, 4},
    {"ancount", "Answer records that the header announces.", COUNT, KIND_UINT16, true, 6},
    {"nscount", "Authority records that the header announces.", COUNT, KIND_UINT16, true, 8},
    {"arcount", "Additional records that the header announces, OPT too.", COUNT, KIND_UINT16, true,
     10},
    {"qname", "Name of the first question, as sent, as ldns prints it.", QNAME, KIND_TEXT, true, 0},
    {"qtype", "Type of the first question.", QTYPE, KIND_UINT16, true, 0},
    {"qclass", "Class of the first question.", QCLASS, KIND_UINT16, true, 0},
    {"unicast_response", "True where mDNS wants a unicast response; the top bit of qclass.",
     UNICAST_RESPONSE, KIND_BOOL, true, 0},
    {"edns_udp_size", "UDP payload size that the sender takes; of OPT.", EDNS_UDP_SIZE, KIND_UINT16,
     true, 0},
    {"edns_do", "True where DNSSEC records are wanted; of OPT.", EDNS_DO, KIND_BOOL, true, 0},
    {"edns_version", "EDNS version; of OPT.", EDNS_VERSION, KIND_UINT8, true, 0},
    {"edns_rcode",
     "Extended response code, 0 to 4095; of OPT. RCODE_ constants above 15 compare with it.",
     EDNS_RCODE, KIND_UINT16, true, 0},
    {"status", "ldns's status of reading all of the message, 0 where it is ok; see errorstr().",
     STATUS, KIND_UINT16, false, 0},
    {"response_time", "Of a response: time since its query.", RESPONSE_TIME, KIND_DURATION, true,
     0},
    {"query_time", "Of a response: arrival time of its query.", QUERY_TIME, KIND_TIME, true, 0},
    /* not listed: for the matching of what was read ahead */
    {"_question", "Digest of the first question, 0 without.", QUESTION, KIND_UINT64, false, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void set_info(size_t row, struct column_info *info)
{
    *info =
        (struct column_info){.kind = rows[row].kind, .can_be_missing = rows[row].can_be_missing};
    snprintf(info->name, sizeof(info->name), "%s", rows[row].name);
}

static void want(struct pldns_wanted *wanted, uint8_t property)
{
    wanted->query |= property == RESPONSE_TIME || property == QUERY_TIME;
    wanted->question |= (property >= QNAME && property <= QUESTION) || wanted->query;
    wanted->opt |= property >= EDNS_UDP_SIZE && property <= EDNS_RCODE;
    wanted->status |= property == STATUS;
}

bool pldns_wanted_add(struct pldns_wanted *wanted, size_t column, const char *name,
                      struct column_info *info)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            set_info(i, info);
            wanted->columns[column] = (uint8_t)i;
            want(wanted, rows[i].property);
            return true;
        }
    }
    return false;
}

struct column_notes column_notes_of(const char *name)
{
    size_t i = 0;
    while (i < ROWS && strcmp(rows[i].name, name) != 0)
        i++;
    if (i == ROWS)
        return (struct column_notes){.doc = NULL};
    struct column_notes notes = {.doc = rows[i].doc, .source = "DNS message (RFC 1035)"};
    switch (rows[i].property) {
    case TIME:
    case RESPONSE_TIME:
    case QUERY_TIME:
        notes.unit = "ns";
        notes.source = "records of the trace";
        break;
    case WIRE_LEN:
        notes.unit = "bytes";
        notes.source = "record of the trace";
        break;
    case LENGTH:
        notes.unit = "bytes";
        notes.source = "UDP header (RFC 768) or prefix in TCP (RFC 1035 section 4.2.2)";
        break;
    case VERSION:
    case PROTO:
    case SRC_PREFIX:
    case DST_PREFIX:
        notes.source = "IPv4 (RFC 791) or IPv6 (RFC 8200) header";
        break;
    case SRC_PORT:
    case DST_PORT:
        notes.source = "UDP (RFC 768) or TCP (RFC 9293) header";
        break;
    case EDNS_UDP_SIZE:
        notes.unit = "bytes";
        notes.source = "OPT record (RFC 6891)";
        break;
    case EDNS_DO:
    case EDNS_VERSION:
    case EDNS_RCODE:
        notes.source = "OPT record (RFC 6891)";
        break;
    default:
        break;
    }
    return notes;
}

/* --- Values ---------------------------------------------------------------------------------- */

/* A message with what its columns need to know of it. */
struct context {
    const struct pldns_packet *packet;
    const struct pldns_found *found;
    const struct pldns_matcher *matcher;
    bool has_header;
    uint16_t flags;
    bool has_question;
    struct pldns_question question;
    bool has_opt;
    struct pldns_opt opt;
    ldns_status status;
    bool has_query;
    int64_t query_time;
};

static bool status_read(struct context *context)
{
    struct pldns_sections sections;
    context->status = pldns_parse(&sections, context->found->wire, context->found->size);
    pldns_clear(&sections);
    return context->status != LDNS_STATUS_MEM_ERR;
}

static uint64_t question_digest(const struct context *context)
{
    return pldns_question_digest(context->matcher,
                                 context->has_question ? &context->question : NULL);
}

/* Remember a query, find that of a response; false when out of memory. */
static bool query_read(struct context *context, struct pldns_matcher *matcher)
{
    struct pldns_ends ends = context->packet->ends;
    ends.id = load_be16(context->found->wire);
    return pldns_match(matcher, &ends, context->flags & 0x8000, context->packet->time,
                       question_digest(context), &context->has_query, &context->query_time);
}

static bool packet_value(uint8_t property, const struct context *context, uint64_t *value)
{
    const struct pldns_packet *packet = context->packet;
    switch ((enum property)property) {
    case TIME:
        *value = (uint64_t)packet->time;
        return packet->has_time;
    case WIRE_LEN:
        *value = packet->record.meta.wire_len;
        return packet->record.meta.wire_len <= UINT32_MAX;
    case VERSION:
        *value = packet->ends.version;
        return true;
    case PROTO:
        *value = packet->ends.proto;
        return true;
    case SRC_PORT:
        *value = packet->ends.src_port;
        return true;
    case DST_PORT:
        *value = packet->ends.dst_port;
        return true;
    default: /* LENGTH */
        *value = context->found->length;
        return true;
    }
}

static bool message_value(uint8_t column, const struct context *context, uint64_t *value)
{
    const uint8_t *wire = context->found->wire;
    switch ((enum property)rows[column].property) {
    case ID:
        *value = context->found->size >= PLDNS_ID_SIZE ? load_be16(wire) : 0;
        return context->found->size >= PLDNS_ID_SIZE;
    case FLAG:
        *value = (context->flags & rows[column].detail) != 0;
        return context->has_header;
    case OPCODE:
        *value = context->flags >> 11 & 0xf;
        return context->has_header;
    case RCODE:
        *value = context->flags & 0xf;
        return context->has_header;
    case COUNT:
        *value = context->has_header ? load_be16(wire + rows[column].detail) : 0;
        return context->has_header;
    case QTYPE:
        *value = context->question.type;
        return context->has_question;
    case QCLASS:
        *value = context->question.rr_class;
        return context->has_question;
    case UNICAST_RESPONSE:
        *value = (context->question.rr_class & PLDNS_CLASS_MDNS) != 0;
        return context->has_question;
    case QUESTION:
        *value = question_digest(context);
        return true;
    case EDNS_UDP_SIZE:
        *value = context->opt.udp_size;
        return context->has_opt;
    case EDNS_DO:
        *value = context->opt.ttl >> 15 & 1;
        return context->has_opt;
    case EDNS_VERSION:
        *value = context->opt.ttl >> 16 & 0xff;
        return context->has_opt;
    case EDNS_RCODE:
        *value = context->opt.ttl >> 24 << 4 | (context->flags & 0xf);
        return context->has_opt;
    case STATUS:
        *value = (uint64_t)context->status;
        return true;
    case RESPONSE_TIME:
        *value = (uint64_t)context->packet->time - (uint64_t)context->query_time;
        return context->has_query;
    case QUERY_TIME:
        *value = (uint64_t)context->query_time;
        return context->has_query;
    default:
        return packet_value(rows[column].property, context, value);
    }
}

static bool append_value(uint8_t column, struct column_data *data, const struct context *context)
{
    const struct pldns_ends *ends = &context->packet->ends;
    uint64_t value = 0;
    if (kind_is_address(data->kind)) {
        const uint8_t *address = rows[column].property == SRC_PREFIX ? ends->src : ends->dst;
        column_append_address(data, address, ends->version == 4 ? 4 : 16);
    } else if (data->kind == KIND_TEXT) {
        char text[PLDNS_TEXT_SIZE];
        size_t size = context->has_question ? pldns_question_text(&context->question, text) : 0;
        return column_append_text(data, context->has_question ? text : NULL, size);
    } else {
        bool present = message_value(column, context, &value);
        column_append(data, present, value);
    }
    return true;
}

bool pldns_columns_append(const struct pldns_wanted *wanted, struct batch *batch,
                          const struct pldns_packet *packet, const struct pldns_found *found,
                          struct pldns_matcher *matcher)
{
    struct context context;
    context.packet = packet;
    context.found = found;
    context.matcher = matcher;
    context.question.type = context.question.rr_class = 0; /* its name needs no zeroes */
    context.opt = (struct pldns_opt){0};
    context.status = LDNS_STATUS_OK;
    context.query_time = 0;
    context.has_header = found->size >= PLDNS_HEADER_SIZE;
    context.flags = context.has_header ? load_be16(found->wire + 2) : 0;
    context.has_question =
        wanted->question && pldns_question_read(found->wire, found->size, &context.question);
    context.has_opt = wanted->opt && pldns_opt_read(found->wire, found->size, &context.opt);
    context.has_query = false;
    bool is_matched = wanted->query && !matcher->ahead && context.has_header && packet->has_time;
    if (is_matched && !query_read(&context, matcher))
        return false;
    if (wanted->status && !status_read(&context))
        return false;
    for (size_t i = 0; i < batch->count; i++)
        if (!append_value(wanted->columns[i], batch->columns[i], &context))
            return false;
    batch->rows++;
    return true;
}

PyObject *pldns_column_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < ROWS; i++) {
        struct column_info info;
        set_info(i, &info);
        if (info.name[0] != '_' && column_list_add(list, &info, rows[i].doc) < 0)
            Py_CLEAR(list);
    }
    return list;
}
