/* The rows of a flow's fields: what it is, the column and the attribute that it makes, and their
 * documentation. */
#ifndef NATKIT_FLOWTABLE_FIELDROWS_H
#define NATKIT_FLOWTABLE_FIELDROWS_H

#include "packet/kind.h"

enum flow_what {
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
    END_REASON,
    TUNNEL_KIND_NAME,
    TUNNEL_NUMBER,
    COMMUNITY_ID
};

enum flow_whose { FWD, REV, BOTH };

/* ROW(what, whose packets, kind, can be missing, column, attribute, doc).  A time is a datetime64
 * in a column; an attribute is in nanoseconds, and its name says so. */
#define FLOW_FIELD_ROWS(ROW)                                                                       \
    ROW(VERSION, BOTH, KIND_UINT8, false, "version", "version", "IP version: 4 or 6.")             \
    ROW(PROTO, BOTH, KIND_UINT8, false, "proto", "proto",                                          \
        "IP protocol, after IPv6 extension headers.\n\n"                                           \
        "0 for IPv4 fragments whose first one was not seen, as in IPflow.")                        \
    ROW(SRC_PREFIX, BOTH, KIND_ADDRESS, false, "src_prefix", "src_prefix",                         \
        "Source address of the forward direction, without length.")                                \
    ROW(DST_PREFIX, BOTH, KIND_ADDRESS, false, "dst_prefix", "dst_prefix",                         \
        "Destination address of the forward direction, without length.")                           \
    ROW(SRC_PORT, BOTH, KIND_UINT16, false, "src_port", "src_port",                                \
        "Source port of the forward direction, 0 where there is none.")                            \
    ROW(DST_PORT, BOTH, KIND_UINT16, false, "dst_port", "dst_port",                                \
        "Destination port of the forward direction, 0 where there is none.")                       \
    ROW(VLAN_ID, BOTH, KIND_UINT16, false, "vlan_id", "vlan_id",                                   \
        "The outermost 802.1Q tag's VLAN in the first packet, 0 without a tag.\n\n"                \
        "All packets have it if the table is by VLAN.")                                            \
    ROW(NUMBER, BOTH, KIND_UINT64, false, "number", "number",                                      \
        "How many packets the table had read before the flow's first.")                            \
    ROW(FIRST, BOTH, KIND_TIME, true, "first_time", "first_time_ns",                               \
        "Arrival of the earliest packet: nanoseconds since the epoch.\n\n"                         \
        "None if 64 bits can't hold it; such times count as missing.")                             \
    ROW(LAST, BOTH, KIND_TIME, true, "last_time", "last_time_ns",                                  \
        "Arrival of the latest packet: nanoseconds since the epoch, None as in first_time_ns.")    \
    ROW(DURATION, BOTH, KIND_DURATION, true, "duration", "duration_ns",                            \
        "From the earliest packet to the latest: nanoseconds, None as in first_time_ns.")          \
    ROW(PACKETS, BOTH, KIND_UINT64, false, "packets", "packets", "Packets, both directions.")      \
    ROW(BYTES, BOTH, KIND_UINT64, false, "bytes", "bytes",                                         \
        "Bytes on the wire, as wire_len counts them, both directions.")                            \
    ROW(IP_BYTES, BOTH, KIND_UINT64, false, "ip_bytes", "ip_bytes",                                \
        "Bytes of IP packets, by their headers' lengths, both directions.")                        \
    ROW(PAYLOAD_BYTES, BOTH, KIND_UINT64, false, "payload_bytes", "payload_bytes",                 \
        "Bytes that TCP or UDP carried, by the headers' lengths, both directions.")                \
    ROW(RETRANSMITS, BOTH, KIND_UINT64, true, "retransmits", "retransmits",                        \
        "TCP segments sent again, both directions: see fwd_retransmits.\n\nNone if not TCP.")      \
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
        "All TCP flags seen forward, 12 bits; None if not TCP.")                                   \
    ROW(TCP_FLAGS, REV, KIND_UINT16, true, "rev_tcp_flags", "rev_tcp_flags",                       \
        "All TCP flags seen back, 12 bits; None if not TCP.")                                      \
    ROW(RETRANSMITS, FWD, KIND_UINT32, true, "fwd_retransmits", "fwd_retransmits",                 \
        "TCP segments sent again, forward.\n\n"                                                    \
        "Those with payload, SYN or FIN that end no further than what was seen that way\n"         \
        "before (RFC 9293 section 3.4). A single byte is not counted: it may keep a\n"             \
        "connection alive or ask for a window. Segments out of order count too. None if not\n"     \
        "TCP.")                                                                                    \
    ROW(RETRANSMITS, REV, KIND_UINT32, true, "rev_retransmits", "rev_retransmits",                 \
        "TCP segments sent again, back: see fwd_retransmits.")                                     \
    ROW(RTT, BOTH, KIND_DURATION, true, "rtt", "rtt_ns",                                           \
        "From the last SYN to the first SYN with ACK: nanoseconds.\n\n"                            \
        "None if no SYN was seen before, or if the times contradict. If fwd_retransmits\n"         \
        "says that the SYN was sent again, the answer may be one to an earlier SYN.")              \
    ROW(STATE, BOTH, KIND_TEXT, true, "state", "state",                                            \
        "The state of a TCP connection, in RFC 9293's words.\n\n"                                  \
        "'syn_sent', 'syn_received', 'established', 'fin_wait' (a FIN one way), 'closing'\n"       \
        "(each way), 'closed' (each with an ACK after it) or 'reset'. A connection whose\n"        \
        "beginning was not seen is established. None if no TCP flags were seen, and if not\n"      \
        "TCP.")                                                                                    \
    ROW(END_REASON, BOTH, KIND_UINT8, true, "end_reason", "end_reason",                            \
        "Why the flow ended: flowEndReason of RFC 5102 section 5.11.3.\n\n"                        \
        "1 idle timeout, 2 active timeout, 3 end of flow (a FIN each way, RST, or another\n"       \
        "SYN), 4 forced by flush(); None for a flow that goes on. A flow of reason 3 may\n"        \
        "still be in the table.")

/* Those of FlowTable(decap=True). */
#define TUNNEL_FIELD_ROWS(ROW)                                                                     \
    ROW(TUNNEL_KIND_NAME, BOTH, KIND_TEXT, true, "tunnel_kind", "tunnel_kind",                     \
        "The kind of tunnel that the packets were in, as plt.Tunnel's kind.\n\n"                   \
        "None outside tunnels, and in a table without decap.")                                     \
    ROW(TUNNEL_NUMBER, BOTH, KIND_UINT32, true, "tunnel_id", "tunnel_id",                          \
        "The id of the tunnel that the first packet was in, None where that has none.\n\n"         \
        "All packets have it where the id is the same in both directions: see FlowTable.")

/* Those of any table that columns have only where they are named. */
#define NAMED_FIELD_ROWS(ROW)                                                                      \
    ROW(COMMUNITY_ID, BOTH, KIND_TEXT, true, "community_id", "community_id",                       \
        "The flow's Community ID, version 1 with a seed of 0.\n\n"                                 \
        "Columns have it only where it is asked for by name. None without ports, where the\n"      \
        "protocol has some, and for ICMP: its types make several IDs of what is one flow\n"        \
        "here.")

#endif
