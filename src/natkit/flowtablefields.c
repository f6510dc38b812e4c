/* What a flow answers for: one row a field, for the attributes of Flow and for the columns. */
#include "flowtabletype.h"

#include "ipflow/ipflow.h"

#include "packet/bytes.h"
#include "packet/protocols.h"

#include <stdio.h>
#include <string.h>

enum what {
    VERSION,
    PROTO,
    SRC_PREFIX,
    DST_PREFIX,
    SRC_PORT,
    DST_PORT,
    VLAN_ID,
    NUMBER,
    FIRST,
    LAST,
    DURATION,
    PACKETS,
    BYTES,
    IP_BYTES,
    PAYLOAD_BYTES,
    RETRANSMITS,
    TCP_FLAGS,
    RTT,
    STATE,
    END_REASON
};

enum { FWD, REV, BOTH };

/* ROW(what, whose packets, kind, can be missing, column, attribute, doc).  A time is a datetime64
 * in a column; an attribute is in nanoseconds, and its name says so. */
#define FIELDS(ROW)                                                                                \
    ROW(VERSION, BOTH, KIND_UINT8, false, "version", "version", "IP version: 4 or 6.")             \
    ROW(PROTO, BOTH, KIND_UINT8, false, "proto", "proto",                                          \
        "IP protocol, behind IPv6 extension headers.\n\n0 for IPv4 fragments whose first one was " \
        "not seen, as IPflow has it.")                                                             \
    ROW(SRC_PREFIX, BOTH, KIND_ADDRESS, false, "src_prefix", "src_prefix",                         \
        "Source address of the forward direction, without length.")                                \
    ROW(DST_PREFIX, BOTH, KIND_ADDRESS, false, "dst_prefix", "dst_prefix",                         \
        "Destination address of the forward direction, without length.")                           \
    ROW(SRC_PORT, BOTH, KIND_UINT16, false, "src_port", "src_port",                                \
        "Source port of the forward direction, 0 where there is none.")                            \
    ROW(DST_PORT, BOTH, KIND_UINT16, false, "dst_port", "dst_port",                                \
        "Destination port of the forward direction, 0 where there is none.")                       \
    ROW(VLAN_ID, BOTH, KIND_UINT16, false, "vlan_id", "vlan_id",                                   \
        "The outermost 802.1Q tag's VLAN in the first packet, 0 without a tag.\n\nThat of all "    \
        "packets where the table is by VLAN.")                                                     \
    ROW(NUMBER, BOTH, KIND_UINT64, false, "number", "number",                                      \
        "How many packets the table had read before the flow's first.")                            \
    ROW(FIRST, BOTH, KIND_TIME, true, "first_time", "first_time_ns",                               \
        "Arrival of the earliest packet: nanoseconds since the epoch.\n\nNone where 64 "           \
        "bits can't hold it; such times count as missing.")                                        \
    ROW(LAST, BOTH, KIND_TIME, true, "last_time", "last_time_ns",                                  \
        "Arrival of the latest packet: nanoseconds since the epoch, None as first_time_ns.")       \
    ROW(DURATION, BOTH, KIND_DURATION, true, "duration", "duration_ns",                            \
        "From the earliest packet to the latest: nanoseconds, None as first_time_ns.")             \
    ROW(PACKETS, BOTH, KIND_UINT64, false, "packets", "packets", "Packets, both directions.")      \
    ROW(BYTES, BOTH, KIND_UINT64, false, "bytes", "bytes",                                         \
        "Bytes on the wire, as wire_len counts them, both directions.")                            \
    ROW(IP_BYTES, BOTH, KIND_UINT64, false, "ip_bytes", "ip_bytes",                                \
        "Bytes of IP packets, by their headers' lengths, both directions.")                        \
    ROW(PAYLOAD_BYTES, BOTH, KIND_UINT64, false, "payload_bytes", "payload_bytes",                 \
        "Bytes that TCP or UDP carried, by the headers' lengths, both directions.")                \
    ROW(RETRANSMITS, BOTH, KIND_UINT64, true, "retransmits", "retransmits",                        \
        "TCP segments sent again, both directions: see fwd_retransmits.\n\nNone but for TCP.")     \
    ROW(PACKETS, FWD, KIND_UINT64, false, "fwd_packets", "fwd_packets", "Packets forward.")        \
    ROW(PACKETS, REV, KIND_UINT64, false, "rev_packets", "rev_packets", "Packets back.")           \
    ROW(BYTES, FWD, KIND_UINT64, false, "fwd_bytes", "fwd_bytes", "Bytes on the wire, forward.")   \
    ROW(BYTES, REV, KIND_UINT64, false, "rev_bytes", "rev_bytes", "Bytes on the wire, back.")      \
    ROW(IP_BYTES, FWD, KIND_UINT64, false, "fwd_ip_bytes", "fwd_ip_bytes",                         \
        "Bytes of IP packets, forward.")                                                           \
    ROW(IP_BYTES, REV, KIND_UINT64, false, "rev_ip_bytes", "rev_ip_bytes",                         \
        "Bytes of IP packets, back.")                                                              \
    ROW(PAYLOAD_BYTES, FWD, KIND_UINT64, false, "fwd_payload_bytes", "fwd_payload_bytes",          \
        "Bytes that TCP or UDP carried, forward.")                                                 \
    ROW(PAYLOAD_BYTES, REV, KIND_UINT64, false, "rev_payload_bytes", "rev_payload_bytes",          \
        "Bytes that TCP or UDP carried, back.")                                                    \
    ROW(FIRST, FWD, KIND_TIME, true, "fwd_first_time", "fwd_first_time_ns",                        \
        "Arrival of the earliest packet forward: nanoseconds, None without one.")                  \
    ROW(FIRST, REV, KIND_TIME, true, "rev_first_time", "rev_first_time_ns",                        \
        "Arrival of the earliest packet back: nanoseconds, None without one.")                     \
    ROW(LAST, FWD, KIND_TIME, true, "fwd_last_time", "fwd_last_time_ns",                           \
        "Arrival of the latest packet forward: nanoseconds, None without one.")                    \
    ROW(LAST, REV, KIND_TIME, true, "rev_last_time", "rev_last_time_ns",                           \
        "Arrival of the latest packet back: nanoseconds, None without one.")                       \
    ROW(TCP_FLAGS, FWD, KIND_UINT16, true, "fwd_tcp_flags", "fwd_tcp_flags",                       \
        "All TCP flags seen forward, 12 bits; None but for TCP.")                                  \
    ROW(TCP_FLAGS, REV, KIND_UINT16, true, "rev_tcp_flags", "rev_tcp_flags",                       \
        "All TCP flags seen back, 12 bits; None but for TCP.")                                     \
    ROW(RETRANSMITS, FWD, KIND_UINT32, true, "fwd_retransmits", "fwd_retransmits",                 \
        "TCP segments sent again, forward.\n\nThose with payload, SYN or FIN that end no further " \
        "than what was seen that way before\n(RFC 9293 section 3.4); a single byte is not "        \
        "counted: it may keep a connection alive or\nask for a window. What came out of order "    \
        "counts too. None but for TCP.")                                                           \
    ROW(RETRANSMITS, REV, KIND_UINT32, true, "rev_retransmits", "rev_retransmits",                 \
        "TCP segments sent again, back: see fwd_retransmits.")                                     \
    ROW(RTT, BOTH, KIND_DURATION, true, "rtt", "rtt_ns",                                           \
        "From the last SYN to the first SYN with ACK: nanoseconds.\n\nWhere a SYN was seen "       \
        "before it "                                                                               \
        "and the times agree; else None. Where fwd_retransmits tells that the\nSYN was sent "      \
        "again, "                                                                                  \
        "an answer to an earlier one may have been what came.")                                    \
    ROW(STATE, BOTH, KIND_TEXT, true, "state", "state",                                            \
        "The state of a TCP connection, in RFC 9293's words.\n\n'syn_sent', 'syn_received', "      \
        "'established', 'fin_wait' (a FIN one way), 'closing' (each way),\n'closed' (each with "   \
        "an ACK after it) or 'reset'; established, too, where its beginning was\nnot seen. None "  \
        "where TCP's flags were not, and but for TCP.")                                            \
    ROW(END_REASON, BOTH, KIND_UINT8, true, "end_reason", "end_reason",                            \
        "Why the flow ended: flowEndReason of RFC 5102 section 5.11.3.\n\n1 idle timeout, 2 "      \
        "active timeout, 3 end of flow (a FIN each way, RST, or another SYN), 4 forced "           \
        "by\nflush(); None for "                                                                   \
        "a flow that goes on. A flow of reason 3 may still be in the table.")

#define AS_FIELD(what_, whose_, kind_, missing, column, attribute, doc)                            \
    {.what = (what_),                                                                              \
     .whose = (whose_),                                                                            \
     .info = {.name = column, .kind = (kind_), .can_be_missing = (missing)}},

const struct flow_field flow_fields[] = {FIELDS(AS_FIELD)};

_Static_assert(sizeof(flow_fields) / sizeof(flow_fields[0]) == FLOW_FIELDS, "FLOW_FIELDS is wrong");

/* --- Values ----------------------------------------------------------------------------------- */

/* A counter of one direction or the sum of both. */
static uint64_t counted(const struct flow_field *field, const struct flow *flow)
{
    uint64_t sum = 0;

    for (unsigned i = FWD; i <= REV; i++) {
        const struct flow_way *way = flow_way_of(flow, flow_forward(flow) ^ i);
        if (field->whose != BOTH && field->whose != i)
            continue;
        switch ((enum what)field->what) {
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
        *time = first ? flow_first(flow) : flow_last(flow);
    else if (way->packets == 0)
        return false;
    else
        *time = first ? way->first : way->last;
    return *time != FLOW_NO_TIME;
}

bool flow_field_number(const struct flow_field *field, const struct flow_copy *copy,
                       uint64_t *value)
{
    const struct flow *flow = &copy->record.flow;
    struct flow_key key = flow_key_of(flow, copy->v6);
    bool is_tcp = flow_proto(flow, copy->v6) == PROTO_TCP;
    int64_t first = 0, last = 0, duration = 0;

    switch ((enum what)field->what) {
    case VERSION:
        *value = copy->v6 ? 6 : 4;
        return true;
    case PROTO:
        *value = flow_proto(flow, copy->v6);
        return true;
    case SRC_PORT:
    case DST_PORT: {
        bool lower = (field->what == SRC_PORT) != flow_forward(flow);
        uint64_t word = copy->v6 ? key.words[4] >> (lower ? 32 : 16) : key.words[!lower];
        *value = (copy->v6 || !lower ? word : word >> 16) & 0xffff;
        return true;
    }
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
    case SRC_PREFIX:
    case DST_PREFIX:
    case STATE:
        break;
    }
    return false;
}

const uint8_t *flow_field_address(const struct flow_field *field, const struct flow_copy *copy,
                                  struct natkit_key *out)
{
    struct flow_key key = flow_key_of(&copy->record.flow, copy->v6);

    *out = flow_key_to(&key, copy->v6, flow_forward(&copy->record.flow));
    return field->what == SRC_PREFIX ? natkit_key_src(out) : natkit_key_dst(out);
}

/* --- Attributes ------------------------------------------------------------------------------- */

static PyObject *field_get(PyObject *self_, void *closure)
{
    const struct flow_field *field = &flow_fields[(uintptr_t)closure];
    const struct flow_copy *copy = flow_object_copy(self_);
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    struct natkit_key key;
    uint64_t value = 0;

    if (!state)
        return NULL;
    if (field->info.kind == KIND_ADDRESS)
        return state->ipp_api->prefix_new(state->ipp_api, copy->v6 ? 6 : 4,
                                          flow_field_address(field, copy, &key), IPP_NO_LENGTH);
    if (field->info.kind == KIND_TEXT) {
        const char *text = flow_state(&copy->record.flow, copy->v6);
        return Py_BuildValue("z", text);
    }
    if (!flow_field_number(field, copy, &value))
        Py_RETURN_NONE;
    if (field->info.kind == KIND_TIME || field->info.kind == KIND_DURATION)
        return PyLong_FromLongLong((int64_t)value);
    return PyLong_FromUnsignedLongLong(value);
}

static PyObject *key_get(PyObject *self_, void *reversed)
{
    const struct flow_copy *copy = flow_object_copy(self_);
    struct flow_key key = flow_key_of(&copy->record.flow, copy->v6);
    unsigned way = flow_forward(&copy->record.flow) ^ (reversed != NULL);
    struct natkit_key bytes = flow_key_to(&key, copy->v6, way);

    return natkit_key_bytes(&bytes);
}

static PyObject *ipflow_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct flow_copy *copy = flow_object_copy(self_);
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    struct flow_key key = flow_key_of(&copy->record.flow, copy->v6);
    struct natkit_key bytes = flow_key_to(&key, copy->v6, flow_forward(&copy->record.flow));

    return state ? ipflow_new(state, &bytes, NO_HOME, NO_HOME) : NULL;
}

#define NUMBER_OF(what_, whose_, kind, missing, column, attribute_, doc) FIELD_##what_##_##whose_,

enum field_number { FIELDS(NUMBER_OF) };

#define AS_GETSET(what_, whose_, kind, missing, column, attribute_, text)                          \
    {.name = (attribute_),                                                                         \
     .get = field_get,                                                                             \
     .doc = (text),                                                                                \
     .closure = (void *)(uintptr_t)FIELD_##what_##_##whose_},

PyGetSetDef flow_object_getset[] = {
    FIELDS(AS_GETSET){.name = "fwd_key",
                      .get = key_get,
                      .doc =
                          "The key of the forward direction, as IPflow's fwd_key: 14 or 38 bytes."},
    {.name = "rev_key",
     .get = key_get,
     .doc = "The key of the other direction: fwd_key with source and destination swapped.",
     .closure = (void *)1},
    {.name = "ipflow", .get = ipflow_get, .doc = "The IPflow whose fwd_key is the flow's."},
    {.name = NULL}};
