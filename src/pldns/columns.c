/* The columns of DNS messages: their names, and their values. */
#include "columns.h"

#include "parse.h"
#include "plain.h"

#include "common/reader.h"

#include "packet/bytes.h"
#include "common/arrow.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a message can be without. */
enum {
    HAS_TIME = 1 << 0,
    HAS_WIRE_LEN = 1 << 1,
    HAS_ID = 1 << 2,
    HAS_HEADER = 1 << 3,
    HAS_QUESTION = 1 << 4,
    HAS_OPT = 1 << 5,
    HAS_QUERY = 1 << 6
};

/* How a field of pldns_message_row becomes a value. */
enum form {
    FORM_AS_IT_IS, /* as wide as the value */
    FORM_BITS,     /* some bits of 16 */
    FORM_NETWORK   /* the same, of the header: in network order */
};

/* The value of a column: where its field is in pldns_message_row, its form, how far its bits are
 * shifted down, and which of them count then. */
#define AT(field)                offsetof(struct pldns_message_row, field)
#define FIELD(field)             AT(field), FORM_AS_IT_IS, 0, 0
#define BITS(field, shift, mask) AT(field), FORM_BITS, shift, mask
#define HEADER(offset)           AT(header) + (offset), FORM_NETWORK, 0, UINT16_MAX
#define FLAGS(shift, mask)       AT(header) + 2, FORM_NETWORK, shift, mask
#define FLAG(shift)              FLAGS(shift, 1) /* RFC 1035 section 4.1.1, RFC 4035 */
#define NOT_MISSING              0

static const struct {
    const char *name;
    const char *doc;
    uint16_t at;
    uint8_t form;
    uint8_t shift;
    uint16_t mask;
    uint8_t kind;
    uint8_t has;
} rows[] = {
    {"time", "Arrival time of the packet.", FIELD(time), KIND_TIME, HAS_TIME},
    {"wire_len", "Length of the packet on the wire.", FIELD(wire_len), KIND_UINT32, HAS_WIRE_LEN},
    {"version", "IP version.", FIELD(ends.version), KIND_UINT8, NOT_MISSING},
    {"proto", "IP protocol: 17 for UDP, 6 for TCP.", FIELD(ends.proto), KIND_UINT8, NOT_MISSING},
    {"src_prefix", "Source address.", FIELD(ends.src), KIND_ADDRESS, NOT_MISSING},
    {"dst_prefix", "Destination address.", FIELD(ends.dst), KIND_ADDRESS, NOT_MISSING},
    {"src", "Source address, as src_prefix.", FIELD(ends.src), KIND_ADDRESS, NOT_MISSING},
    {"dst", "Destination address, as dst_prefix.", FIELD(ends.dst), KIND_ADDRESS, NOT_MISSING},
    {"src_port", "Source port.", FIELD(ends.src_port), KIND_UINT16, NOT_MISSING},
    {"dst_port", "Destination port.", FIELD(ends.dst_port), KIND_UINT16, NOT_MISSING},
    {"length", "Length of the message, by UDP's header or the prefix in TCP.", FIELD(length),
     KIND_UINT32, NOT_MISSING},
    {"id", "Identifier of the message.", HEADER(0), KIND_UINT16, HAS_ID},
    {"ident", "Identifier of the message, as id.", HEADER(0), KIND_UINT16, HAS_ID},
    {"qr", "True for a response, False for a query.", FLAG(15), KIND_BOOL, HAS_HEADER},
    {"is_response", "True for a response, as qr.", FLAG(15), KIND_BOOL, HAS_HEADER},
    {"opcode", "Kind of query.", FLAGS(11, 0xf), KIND_UINT8, HAS_HEADER},
    {"aa", "True for an authoritative answer.", FLAG(10), KIND_BOOL, HAS_HEADER},
    {"tc", "True where the message was truncated.", FLAG(9), KIND_BOOL, HAS_HEADER},
    {"rd", "True where recursion is desired.", FLAG(8), KIND_BOOL, HAS_HEADER},
    {"ra", "True where recursion is available.", FLAG(7), KIND_BOOL, HAS_HEADER},
    {"ad", "True where the data is authentic.", FLAG(5), KIND_BOOL, HAS_HEADER},
    {"cd", "True where checking is disabled.", FLAG(4), KIND_BOOL, HAS_HEADER},
    {"rcode", "Response code of the header, 0 to 15: its four bits of edns_rcode.", FLAGS(0, 0xf),
     KIND_UINT8, HAS_HEADER},
    {"qdcount", "Questions that the header announces.", HEADER(4), KIND_UINT16, HAS_HEADER},
    {"ancount", "Answer records that the header announces.", HEADER(6), KIND_UINT16, HAS_HEADER},
    {"nscount", "Authority records that the header announces.", HEADER(8), KIND_UINT16, HAS_HEADER},
    {"arcount", "Additional records that the header announces, OPT too.", HEADER(10), KIND_UINT16,
     HAS_HEADER},
    {"qname", "Name of the first question, as sent, as ldns prints it.", FIELD(text_end), KIND_TEXT,
     HAS_QUESTION},
    {"qtype", "Type of the first question.", FIELD(qtype), KIND_UINT16, HAS_QUESTION},
    {"qclass", "Class of the first question.", FIELD(qclass), KIND_UINT16, HAS_QUESTION},
    {"unicast_response", "True where mDNS wants a unicast response; the top bit of qclass.",
     BITS(qclass, 15, 1), KIND_BOOL, HAS_QUESTION},
    {"edns_udp_size", "UDP payload size that the sender takes; of OPT.", FIELD(edns_udp_size),
     KIND_UINT16, HAS_OPT},
    {"edns_do", "True where DNSSEC records are wanted; of OPT.", BITS(edns_flags, 15, 1), KIND_BOOL,
     HAS_OPT},
    {"edns_version", "EDNS version; of OPT.", FIELD(edns_version), KIND_UINT8, HAS_OPT},
    {"edns_rcode",
     "Extended response code, 0 to 4095; of OPT. RCODE_ constants above 15 compare with it.",
     FIELD(edns_rcode), KIND_UINT16, HAS_OPT},
    {"status", "ldns's status of reading all of the message, 0 where it is ok; see errorstr().",
     FIELD(status), KIND_UINT16, NOT_MISSING},
    {"response_time", "Of a response: time since its query.", FIELD(response_time), KIND_DURATION,
     HAS_QUERY},
    {"query_time", "Of a response: arrival time of its query.", FIELD(query_time), KIND_TIME,
     HAS_QUERY},
    /* not listed: for the matching of what was read ahead */
    {"_question", "Digest of the first question, 0 without.", FIELD(question), KIND_UINT64,
     NOT_MISSING},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void set_info(size_t row, struct column_info *info)
{
    *info = (struct column_info){.kind = rows[row].kind, .can_be_missing = rows[row].has != 0};
    snprintf(info->name, sizeof(info->name), "%s", rows[row].name);
}

static void want(struct pldns_wanted *wanted, size_t row)
{
    bool is_digest = rows[row].at == AT(question);
    wanted->text |= rows[row].kind == KIND_TEXT;
    wanted->query |= rows[row].has == HAS_QUERY;
    wanted->digest |= is_digest;
    wanted->question |= rows[row].has == HAS_QUESTION || is_digest || wanted->query;
    wanted->opt |= rows[row].has == HAS_OPT;
    wanted->status |= rows[row].at == AT(status);
}

bool pldns_wanted_add(struct pldns_wanted *wanted, size_t column, const char *name,
                      struct column_info *info)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            if (rows[i].kind == KIND_TEXT && wanted->text)
                return false; /* its text goes right into the column: there can be one */
            if (rows[i].kind == KIND_TEXT)
                wanted->text_column = (uint8_t)column;
            set_info(i, info);
            wanted->columns[column] = (uint8_t)i;
            want(wanted, i);
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
    switch (rows[i].at) {
    case AT(time):
    case AT(response_time):
    case AT(query_time):
        notes.unit = "ns";
        notes.source = "records of the trace";
        break;
    case AT(wire_len):
        notes.unit = "bytes";
        notes.source = "record of the trace";
        break;
    case AT(length):
        notes.unit = "bytes";
        notes.source = "UDP header (RFC 768) or prefix in TCP (RFC 1035 section 4.2.2)";
        break;
    case AT(ends.version):
    case AT(ends.proto):
    case AT(ends.src):
    case AT(ends.dst):
        notes.source = "IPv4 (RFC 791) or IPv6 (RFC 8200) header";
        break;
    case AT(ends.src_port):
    case AT(ends.dst_port):
        notes.source = "UDP (RFC 768) or TCP (RFC 9293) header";
        break;
    case AT(edns_udp_size):
        notes.unit = "bytes";
        notes.source = "OPT record (RFC 6891)";
        break;
    default:
        if (rows[i].has == HAS_OPT)
            notes.source = "OPT record (RFC 6891)";
        break;
    }
    return notes;
}

/* --- A message ------------------------------------------------------------------------------- */

static void read_packet(const struct pldns_packet *packet, struct pldns_message_row *row)
{
    bool has_wire_len = packet->wire_len <= UINT32_MAX;
    row->time = packet->time;
    row->ends = packet->ends;
    row->wire_len = has_wire_len ? (uint32_t)packet->wire_len : 0;
    row->has = (uint8_t)((packet->has_time ? HAS_TIME : 0) | (has_wire_len ? HAS_WIRE_LEN : 0));
}

static void read_header(const struct pldns_found *found, struct pldns_message_row *row)
{
    row->length = found->length;
    if (found->size >= PLDNS_HEADER_SIZE) {
        row->has |= HAS_ID | HAS_HEADER;
        memcpy(row->header, found->wire, PLDNS_HEADER_SIZE);
        return;
    }
    memset(row->header, 0, PLDNS_HEADER_SIZE);
    if (found->size >= PLDNS_ID_SIZE) {
        row->has |= HAS_ID;
        memcpy(row->header, found->wire, PLDNS_ID_SIZE);
    }
}

/* Put the name of a question, NULL without one, at the end of a column's text; false when out of
 * memory. */
static bool add_text(struct column_data *data, const struct pldns_question *question)
{
    if (!question)
        return true;
    if (data->text_room - data->text_len < PLDNS_TEXT_ROOM) {
        size_t room = data->text_room * 2 + PLDNS_TEXT_ROOM;
        char *more = realloc(data->text, room);
        if (!more)
            return false;
        data->text = more;
        data->text_room = room;
    }
    data->text_len += pldns_name_print(&question->name, data->text + data->text_len);
    return true;
}

static bool read_question(const struct pldns_wanted *wanted, struct column_data *text,
                          const struct pldns_found *found, const struct pldns_matcher *matcher,
                          struct pldns_message_row *row)
{
    struct pldns_question question;
    bool is_there = pldns_question_read(found->wire, found->size, &question);
    row->has |= is_there ? HAS_QUESTION : 0;
    row->qtype = is_there ? question.type : 0;
    row->qclass = is_there ? question.rr_class : 0;
    if (wanted->query || wanted->digest)
        row->question = pldns_question_digest(matcher, is_there ? &question : NULL);
    if (text && !add_text(text, is_there ? &question : NULL))
        return false;
    row->text_end = text ? (uint32_t)text->text_len : 0;
    return true;
}

static void read_opt(const struct pldns_found *found, struct pldns_message_row *row)
{
    struct pldns_opt opt = {0};
    bool is_there = pldns_opt_read(found->wire, found->size, &opt);
    row->has |= is_there ? HAS_OPT : 0;
    row->edns_udp_size = opt.udp_size;
    row->edns_flags = (uint16_t)opt.ttl;
    row->edns_version = (uint8_t)(opt.ttl >> 16);
    row->edns_rcode = is_there ? (uint16_t)(opt.ttl >> 24 << 4 | (row->header[3] & 0xf)) : 0;
}

/* Remember a query, find that of a response; false when out of memory. */
static bool read_query(const struct pldns_packet *packet, struct pldns_matcher *matcher,
                       struct pldns_message_row *row)
{
    bool has_query = false;
    int64_t query_time = 0;
    struct pldns_ends ends = packet->ends;
    ends.id = load_be16(row->header);
    row->query_time = row->response_time = 0;
    if (matcher->ahead || !(row->has & HAS_HEADER) || !(row->has & HAS_TIME))
        return true;
    if (!pldns_match(matcher, &ends, row->header[2] & 0x80, row->time, row->question, &has_query,
                     &query_time))
        return false;
    if (has_query) {
        row->has |= HAS_QUERY;
        row->query_time = query_time;
        row->response_time = (int64_t)((uint64_t)row->time - (uint64_t)query_time);
    }
    return true;
}

static bool read_status(const struct pldns_found *found, struct pldns_message_row *row)
{
    struct pldns_plain plain;
    struct pldns_sections sections;
    row->status = LDNS_STATUS_OK;
    if (pldns_plain_read(found->wire, found->size, &plain))
        return true;
    ldns_status status = pldns_parse(&sections, found->wire, found->size);
    pldns_clear(&sections);
    row->status = (uint16_t)status;
    return status != LDNS_STATUS_MEM_ERR;
}

/* --- Columns --------------------------------------------------------------------------------- */

/* Note which rows of a block have no value; missing values are zeroes already. */
static void mark(struct column_data *data, const struct pldns_block *block, uint8_t has,
                 uint8_t all_have)
{
    uint8_t *absent = data->absent ? data->absent + data->rows : NULL;
    data->rows += block->count;
    if (absent && (all_have & has)) {
        memset(absent, 0, block->count);
        return;
    }
    for (size_t i = 0; absent && i < block->count; i++) {
        absent[i] = !(block->rows[i].has & has);
        data->missing += absent[i];
    }
}

static void put_addresses(struct column_data *data, const struct pldns_block *block, uint16_t at)
{
    uint8_t *out = data->values + data->rows * 16;
    uint8_t *versions = data->versions + data->rows;
    for (size_t i = 0; i < block->count; i++) {
        memcpy(out + i * 16, (const uint8_t *)&block->rows[i] + at, 16);
        versions[i] = block->rows[i].ends.version;
    }
}

/* Fields that are values as they are: a loop for each width. */
static void put_fields(uint8_t *out, size_t width, const struct pldns_block *block, uint16_t at)
{
    const uint8_t *in = (const uint8_t *)block->rows + at;
    const size_t step = sizeof(block->rows[0]);
    const size_t count = block->count;
    for (size_t i = 0; width == 8 && i < count; i++)
        memcpy(out + i * 8, in + i * step, 8);
    for (size_t i = 0; width == 4 && i < count; i++)
        memcpy(out + i * 4, in + i * step, 4);
    for (size_t i = 0; width == 2 && i < count; i++)
        memcpy(out + i * 2, in + i * step, 2);
    for (size_t i = 0; width == 1 && i < count; i++)
        out[i] = in[i * step];
}

/* The two bytes of a field as a number; inline, for loops that know the form. */
static inline uint16_t load_field(const uint8_t *in, enum form form)
{
    uint16_t value = 0;
    if (form == FORM_NETWORK)
        return load_be16(in);
    memcpy(&value, in, 2);
    return value;
}

static inline void put_bits(uint8_t *out, size_t width, const struct pldns_block *block, size_t row,
                            enum form form)
{
    const uint8_t *in = (const uint8_t *)block->rows + rows[row].at;
    const size_t step = sizeof(block->rows[0]);
    const size_t count = block->count;
    const uint16_t mask = rows[row].mask;
    const uint8_t shift = rows[row].shift;
    for (size_t i = 0; width == 1 && i < count; i++)
        out[i] = (uint8_t)(load_field(in + i * step, form) >> shift & mask);
    for (size_t i = 0; width == 2 && i < count; i++) {
        uint16_t value = load_field(in + i * step, form); /* all of its bits count */
        memcpy(out + i * 2, &value, 2);
    }
}

/* The values of a column of a block. */
static void put(struct column_data *data, const struct pldns_block *block, size_t row)
{
    size_t width = column_width(data->kind);
    uint8_t *out = data->values + data->rows * width;
    if (data->kind == KIND_TEXT)
        out += width; /* of texts the ends are stored, after a 0 */
    switch ((enum form)rows[row].form) {
    case FORM_AS_IT_IS:
        put_fields(out, width, block, rows[row].at);
        break;
    case FORM_BITS:
        put_bits(out, width, block, row, FORM_BITS);
        break;
    case FORM_NETWORK:
        put_bits(out, width, block, row, FORM_NETWORK);
        break;
    }
}

bool pldns_block_end(const struct pldns_wanted *wanted, struct pldns_block *block,
                     struct batch *batch)
{
    uint8_t all_have = UINT8_MAX;
    while (batch->room - batch->rows < block->count)
        if (!batch_grow(batch))
            return false;
    for (size_t i = 0; i < block->count; i++)
        all_have &= block->rows[i].has;
    for (size_t i = 0; i < batch->count; i++) {
        struct column_data *data = batch->columns[i];
        size_t row = wanted->columns[i];
        if (kind_is_address(data->kind))
            put_addresses(data, block, rows[row].at);
        else
            put(data, block, row);
        mark(data, block, rows[row].has, all_have);
    }
    batch->rows += block->count;
    block->count = 0;
    return true;
}

bool pldns_block_add(const struct pldns_wanted *wanted, struct pldns_block *block,
                     struct batch *batch, const struct pldns_packet *packet,
                     const struct pldns_found *found, struct pldns_matcher *matcher)
{
    struct pldns_message_row *row = &block->rows[block->count];
    struct column_data *text = wanted->text ? batch->columns[wanted->text_column] : NULL;
    read_packet(packet, row);
    read_header(found, row);
    if (wanted->question && !read_question(wanted, text, found, matcher, row))
        return false;
    if (wanted->opt)
        read_opt(found, row);
    if (wanted->query && !read_query(packet, matcher, row))
        return false;
    if (wanted->status && !read_status(found, row))
        return false;
    block->count++;
    return block->count < PLDNS_BLOCK || pldns_block_end(wanted, block, batch);
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
