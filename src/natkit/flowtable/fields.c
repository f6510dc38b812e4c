/* The fields of a flow: their values, and finding them by name. */
#include "fields.h"

#include "fieldrows.h"
#include "key.h"
#include "statisticsfields.h"
#include "statisticsrows.h"
#include "tcpfields.h"
#include "tcprows.h"

#include "natkit/ipflow/attributes.h"

#include "packet/protocols.h"
#include "packet/tunnel.h"

#include <string.h>

#define AS_FIELD(what_, whose_, kind_, missing, column, attribute, doc)                            \
    {.what = (what_),                                                                              \
     .whose = (whose_),                                                                            \
     .info = {.name = column, .kind = (kind_), .can_be_missing = (missing)}},

const struct flow_field flow_fields[] = {
    FLOW_FIELD_ROWS(AS_FIELD) TCP_FIELD_ROWS(AS_FIELD) TUNNEL_FIELD_ROWS(AS_FIELD)
        STATISTICS_FIELD_ROWS(AS_FIELD) FIRST_FIELD_ROWS(AS_FIELD) NAMED_FIELD_ROWS(AS_FIELD)};

_Static_assert(sizeof(flow_fields) / sizeof(flow_fields[0]) == ALL_FLOW_FIELDS,
               "FLOW_FIELDS is wrong");

/* --- Values ---------------------------------------------------------------------------------- */

/* A counter of one direction or the sum of both. */
static uint64_t counted(const struct flow_field *field, const struct flow *flow)
{
    uint64_t sum = 0;
    for (unsigned i = FWD; i <= REV; i++) {
        const struct flow_way *way = flow_way_of(flow, flow_forward(flow) ^ i);
        if (field->whose != BOTH && field->whose != i)
            continue;
        switch ((enum flow_what)field->what) {
        case PACKETS:
            sum += way->packets;
            break;
        case BYTES:
            sum += way->bytes;
            break;
        case IP_BYTES:
            sum += way->ip_bytes;
            break;
        case PAYLOAD_BYTES:
            sum += way->payload_bytes;
            break;
        default:
            sum += way->retransmits;
        }
    }
    return sum;
}

/* The earliest or latest time; false without one. */
static bool time_value(const struct flow *flow, uint8_t whose, bool first, int64_t *time)
{
    const struct flow_way *way = flow_way_of(flow, flow_forward(flow) ^ (whose == REV));
    if (whose == BOTH)
        *time = first ? flow_first_time(flow) : flow_last_time(flow);
    else if (way->packets == 0)
        return false;
    else
        *time = first ? way->first : way->last;
    return *time != FLOW_NO_TIME;
}

bool flow_field_number(const struct flow_field *field, const struct flow_copy *copy,
                       uint64_t *value)
{
    const struct flow *flow = &copy->of.flow;
    struct flow_key key = flow_key_of(flow, copy->v6);
    struct flow_tuple tuple = flow_key_to_tuple(&key, copy->v6, flow_forward(flow));
    bool is_tcp = flow_proto(flow, copy->v6) == PROTO_TCP;
    int64_t first = 0, last = 0, duration = 0;
    if (field->what >= FIRST_STATISTICS_WHAT)
        return flow_statistics_number(field->what, field->whose, copy, value);
    if (field->what >= FIRST_TCP_WHAT)
        return flow_tcp_number(field->what, field->whose, copy, value);
    switch ((enum flow_what)field->what) {
    case VERSION:
        *value = copy->v6 ? 6 : 4;
        return true;
    case PROTO:
        *value = flow_proto(flow, copy->v6);
        return true;
    case SRC_PORT:
    case DST_PORT:
        *value = field->what == SRC_PORT ? tuple.src.port : tuple.dst.port;
        return true;
    case VLAN_ID:
        *value = flow->vlan;
        return true;
    case NUMBER:
        *value = flow->number;
        return true;
    case FIRST:
    case LAST:
        if (!time_value(flow, field->whose, field->what == FIRST, &first))
            return false;
        *value = (uint64_t)first;
        return true;
    case DURATION:
        if (!time_value(flow, BOTH, true, &first) || !time_value(flow, BOTH, false, &last) ||
            __builtin_sub_overflow(last, first, &duration))
            return false;
        *value = (uint64_t)duration;
        return true;
    case PACKETS:
    case BYTES:
    case IP_BYTES:
    case PAYLOAD_BYTES:
        *value = counted(field, flow);
        return true;
    case RETRANSMITS:
        *value = counted(field, flow);
        return is_tcp;
    case TCP_FLAGS:
        *value = flow->tcp_flags[flow_forward(flow) ^ field->whose];
        return is_tcp;
    case RTT:
        *value = (uint64_t)flow->handshake;
        return flow->handshake_kind == HANDSHAKE_RTT && flow->handshake >= 0;
    case END_REASON:
        *value = flow->end_reason;
        if (flow->end_reason == END_NONE && flow_is_closed(flow))
            *value = END_OF_FLOW;
        return *value != END_NONE;
    case TUNNEL_NUMBER:
        *value = copy->tunnel & UINT32_MAX;
        return copy->tunnel & FLOW_TUNNEL_HAS_ID;
    case SRC_PREFIX:
    case DST_PREFIX:
    case STATE:
    case TUNNEL_KIND_NAME:
    case COMMUNITY_ID:
        break;
    }
    return false;
}

const char *flow_field_text(const struct flow_field *field, const struct flow_copy *copy,
                            char room[COMMUNITY_ID_ROOM])
{
    struct natkit_key key;
    switch (field->what) {
    case TUNNEL_KIND_NAME:
        return copy->tunnel ? tunnel_kind_name((enum tunnel_kind)(copy->tunnel >> FLOW_TUNNEL_KIND))
                            : NULL;
    case COMMUNITY_ID:
        key = flow_forward_key(copy);
        return natkit_key_community_id(&key, NULL, 0, room) ? room : NULL;
    case STATE:
        return flow_tcp_state(&copy->of.flow, copy->v6);
    default:
        return flow_tcp_text(field->what, copy);
    }
}

const uint8_t *flow_field_address(const struct flow_field *field, const struct flow_copy *copy,
                                  struct natkit_key *out)
{
    *out = flow_forward_key(copy);
    return field->what == SRC_PREFIX ? natkit_key_src(out) : natkit_key_dst(out);
}

/* --- What a table counts --------------------------------------------------------------------- */

/* What a table must count for a field, EXTRA_*. */
static unsigned extras_of(int field)
{
    static const struct {
        int fields;
        unsigned extra;
    } runs[] = {{FLOW_FIELDS, 0},
                {TCP_FIELDS, EXTRA_TCP},
                {TUNNEL_FIELDS, EXTRA_TUNNELS},
                {STATISTICS_FIELDS, EXTRA_STATISTICS},
                {FIRST_FIELDS, EXTRA_FIRST}};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        if (field < runs[i].fields)
            return runs[i].extra;
        field -= runs[i].fields;
    }
    return EXTRA_NAMED;
}

/* The argument of FlowTable that has it counted. */
static const char *argument_of(unsigned extra)
{
    return extra == EXTRA_TCP          ? "tcp=True"
           : extra == EXTRA_TUNNELS    ? "decap=True"
           : extra == EXTRA_STATISTICS ? "statistics=True"
                                       : "first=20";
}

size_t flow_field_count(unsigned extras)
{
    size_t count = 0;
    for (int i = 0; i < ALL_FLOW_FIELDS; i++)
        count += (extras_of(i) & ~extras) == 0;
    return count;
}

const struct flow_field *flow_field_nth(size_t n, unsigned extras)
{
    int i = 0;
    for (; i < ALL_FLOW_FIELDS - 1; i++)
        if ((extras_of(i) & ~extras) == 0 && n-- == 0)
            break;
    return &flow_fields[i];
}

/* --- Names ----------------------------------------------------------------------------------- */

/* The number of a column by its name or its attribute's, in which times end in _ns: -1 where it is
 * unknown. */
static int find_column(const char *name)
{
    for (int i = 0; i < ALL_FLOW_FIELDS; i++) {
        const struct column_info *info = &flow_fields[i].info;
        size_t length = strlen(info->name);
        bool is_time = info->kind == KIND_TIME || info->kind == KIND_DURATION ||
                       info->kind == KIND_DURATION_LIST;
        if (strncmp(info->name, name, length) == 0 &&
            (!name[length] || (is_time && strcmp(name + length, "_ns") == 0)))
            return i;
    }
    return -1;
}

static void raise_unknown(PyObject *name, unsigned extras)
{
    Py_ssize_t count = (Py_ssize_t)flow_field_count(extras);
    PyObject *module = PyImport_ImportModule("plt._near");
    PyObject *known = module ? PyList_New(count) : NULL;
    PyObject *near = NULL, *blank = NULL, *names = NULL;
    const char *which = "near";
    for (Py_ssize_t i = 0; known && i < count; i++) {
        PyObject *text = PyUnicode_FromString(flow_field_nth((size_t)i, extras)->info.name);
        if (!text)
            Py_CLEAR(known);
        else
            PyList_SET_ITEM(known, i, text);
    }
    if (known)
        near = PyObject_CallMethod(module, "near_names", "OO", name, known);
    if (near && PyList_Check(near) && PyList_GET_SIZE(near) == 0) {
        Py_DECREF(near);
        near = known;
        Py_INCREF(known);
        which = "there are";
    }
    blank = near ? PyUnicode_FromString(", ") : NULL;
    names = blank ? PyUnicode_Join(blank, near) : NULL;
    if (names)
        PyErr_Format(PyExc_ValueError, "a flow has no %R; %s: %U", name, which, names);
    Py_XDECREF(names);
    Py_XDECREF(blank);
    Py_XDECREF(near);
    Py_XDECREF(known);
    Py_XDECREF(module);
}

int flow_field_find(PyObject *name, unsigned extras)
{
    const char *utf8 = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!utf8) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "the name of a column is a str, not %.100s",
                         Py_TYPE(name)->tp_name);
        return -1;
    }
    int found = find_column(utf8);
    if (found < 0) {
        raise_unknown(name, extras);
    } else if (extras_of(found) & ~(extras | EXTRA_NAMED)) {
        PyErr_Format(PyExc_ValueError, "%R is counted by FlowTable(%s)", name,
                     argument_of(extras_of(found)));
        return -1;
    }
    return found;
}

int flow_field_find_order(PyObject *name, unsigned extras)
{
    int found = flow_field_find(name, extras);
    if (found >= 0 &&
        (flow_fields[found].info.kind == KIND_ADDRESS ||
         flow_fields[found].info.kind == KIND_TEXT || kind_is_list(flow_fields[found].info.kind))) {
        PyErr_Format(PyExc_ValueError, "%U is no number to order flows by", name);
        return -1;
    }
    return found;
}

uint64_t flow_field_order(int field, const struct flow_copy *copy)
{
    const uint64_t sign = (uint64_t)1 << 63;
    uint8_t kind = flow_fields[field].info.kind;
    uint64_t value = 0;
    if (!flow_field_number(&flow_fields[field], copy, &value))
        return 0;
    return kind == KIND_TIME || kind == KIND_DURATION ? value ^ sign : value;
}
