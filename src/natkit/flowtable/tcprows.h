/* The rows of a flow's fields that FlowTable(tcp=True) counts: see fieldrows.h. */
#ifndef NATKIT_FLOWTABLE_TCPROWS_H
#define NATKIT_FLOWTABLE_TCPROWS_H

#include "fieldrows.h"

enum flow_tcp_what {
    FIRST_TCP_WHAT = 64,
    RTT_COUNT = FIRST_TCP_WHAT,
    RTT_MIN,
    RTT_MEAN,
    RTT_MAX,
    RTT_STD,
    RESENT_SEGMENTS,
    RESENT_BYTES,
    UNIQUE_BYTES,
    OUT_OF_ORDER,
    DUP_ACKS,
    SACK_BLOCKS,
    DSACKS,
    ZERO_WINDOWS,
    WINDOW_MIN,
    WINDOW_MAX,
    WINDOW_SCALE,
    MSS,
    LONGEST_SILENCE,
    FIRST_PAYLOAD,
    SERVER_RTT,
    CLIENT_RTT,
    SACK,
    TIMESTAMPS,
    CLOSED_BY,
    CLOSED_HOW
};

/* A field of each direction. */
#define EACH_WAY(ROW, what, kind, missing, column, attribute, doc)                                 \
    ROW(what, FWD, kind, missing, "fwd_" column, "fwd_" attribute, doc)                            \
    ROW(what, REV, kind, missing, "rev_" column, "rev_" attribute,                                 \
        "The same of the other direction: see fwd_" attribute ".")

/* All are missing in a table without tcp=True, and of a flow that is not TCP. */
#define TCP_FIELD_ROWS(ROW)                                                                        \
    EACH_WAY(ROW, RTT_COUNT, KIND_UINT64, true, "rtt_count", "rtt_count",                          \
             "Round trips that were measured, of segments sent forward.\n\n"                       \
             "From a segment to the ACK that ends where it ends (RFC 6298 section 3). None of\n"   \
             "segments sent again (Karn's rule), or sent after the first missing one; up to 16\n"  \
             "each way are waited for at a time, more are not measured.")                          \
    EACH_WAY(ROW, RTT_MIN, KIND_DURATION, true, "rtt_min", "rtt_min_ns",                           \
             "The shortest of these round trips: nanoseconds, None without one.")                  \
    EACH_WAY(ROW, RTT_MEAN, KIND_DURATION, true, "rtt_mean", "rtt_mean_ns",                        \
             "Their mean: sum / count, in whole nanoseconds, None without one.")                   \
    EACH_WAY(ROW, RTT_MAX, KIND_DURATION, true, "rtt_max", "rtt_max_ns",                           \
             "The longest of them: nanoseconds, None without one.")                                \
    EACH_WAY(ROW, RTT_STD, KIND_DURATION, true, "rtt_std", "rtt_std_ns",                           \
             "Their standard deviation, sqrt((sum of squares - sum**2 / n) / (n - 1)).\n\n"        \
             "Nanoseconds, None with fewer than two.")                                             \
    EACH_WAY(                                                                                      \
        ROW, RESENT_SEGMENTS, KIND_UINT64, true, "resent_segments", "resent_segments",             \
        "Segments with sequence numbers that were seen before, forward.\n\n"                       \
        "Those of payload, SYN and FIN (RFC 9293 section 3.4). A keep-alive is none: a\n"          \
        "single byte that ends where the last one did. Of gaps the 8 latest are known; what\n"     \
        "fills an older one counts as sent again.")                                                \
    EACH_WAY(ROW, RESENT_BYTES, KIND_UINT64, true, "resent_bytes", "resent_bytes",                 \
             "Payload bytes that were seen before, forward.")                                      \
    EACH_WAY(                                                                                      \
        ROW, UNIQUE_BYTES, KIND_UINT64, true, "unique_bytes", "unique_bytes",                      \
        "Payload bytes that were seen for the first time, forward.\n\n"                            \
        "Not those of segments 2**28 or more from the others, unless two follow each other:\n"     \
        "these may be forged.")                                                                    \
    EACH_WAY(ROW, OUT_OF_ORDER, KIND_UINT64, true, "out_of_order", "out_of_order",                 \
             "Segments that came after later ones and have nothing that was seen, forward.\n\n"    \
             "They overtook each other, or were lost before the capture and sent again.")          \
    EACH_WAY(ROW, DUP_ACKS, KIND_UINT64, true, "dup_acks", "dup_acks",                             \
             "Duplicate ACKs sent forward: RFC 5681 section 2.\n\n"                                \
             "No payload, SYN or FIN, the ACK and window of the segment before, and some that\n"   \
             "was sent the other way is not acknowledged.")                                        \
    EACH_WAY(ROW, SACK_BLOCKS, KIND_UINT64, true, "sack_blocks", "sack_blocks",                    \
             "SACK blocks sent forward: RFC 2018 section 3.")                                      \
    EACH_WAY(ROW, DSACKS, KIND_UINT64, true, "dsacks", "dsacks",                                   \
             "Segments sent forward whose first SACK block is a D-SACK: RFC 2883 section 4.")      \
    EACH_WAY(ROW, ZERO_WINDOWS, KIND_UINT64, true, "zero_windows", "zero_windows",                 \
             "ACKs sent forward with a window of 0, without SYN, FIN and RST.")                    \
    EACH_WAY(ROW, WINDOW_MIN, KIND_UINT32, true, "window_min", "window_min",                       \
             "The smallest window in an ACK sent forward, without SYN and RST: bytes.\n\n"         \
             "Scaled (RFC 7323 section 2.2). None without one, and where the SYNs were not seen\n" \
             "that tell the scale.")                                                               \
    EACH_WAY(ROW, WINDOW_MAX, KIND_UINT32, true, "window_max", "window_max",                       \
             "The largest such window: bytes, None as in window_min.")                             \
    EACH_WAY(ROW, WINDOW_SCALE, KIND_UINT8, true, "window_scale", "window_scale",                  \
             "The window scale of the SYN sent forward, up to 14 (RFC 7323 section 2.3).\n\n"      \
             "None without one. It counts where the other SYN has one too.")                       \
    EACH_WAY(ROW, MSS, KIND_UINT16, true, "mss", "mss",                                            \
             "The MSS of the SYN sent forward: bytes (RFC 9293 section 3.7.1), or None.")          \
    EACH_WAY(ROW, LONGEST_SILENCE, KIND_DURATION, true, "longest_silence", "longest_silence_ns",   \
             "The longest time between two packets forward, one after the other.\n\n"              \
             "Nanoseconds; None with fewer than two.")                                             \
    EACH_WAY(ROW, FIRST_PAYLOAD, KIND_TIME, true, "first_payload_time", "first_payload_time_ns",   \
             "Arrival of the earliest packet forward with payload.\n\n"                            \
             "Nanoseconds since the epoch, None without one.")                                     \
    ROW(SERVER_RTT, BOTH, KIND_DURATION, true, "server_rtt", "server_rtt_ns",                      \
        "From the SYN to the SYN with ACK: to the server and back, nanoseconds.\n\n"               \
        "None if they were not seen or the SYN came twice (Karn's rule).")                         \
    ROW(CLIENT_RTT, BOTH, KIND_DURATION, true, "client_rtt", "client_rtt_ns",                      \
        "From the SYN with ACK to the ACK of it: to the client and back, nanoseconds.\n\n"         \
        "None if they were not seen or the SYN with ACK came twice.")                              \
    ROW(SACK, BOTH, KIND_BOOL, true, "sack", "sack",                                               \
        "Whether both SYNs permit SACK (RFC 2018 section 2); None if unknown.")                    \
    ROW(TIMESTAMPS, BOTH, KIND_BOOL, true, "timestamps", "timestamps",                             \
        "Whether both SYNs have timestamps (RFC 7323 section 3.2); None if unknown.")              \
    ROW(CLOSED_BY, BOTH, KIND_TEXT, true, "closed_by", "closed_by",                                \
        "The direction of the first FIN or RST: 'fwd', 'rev', or None.")                           \
    ROW(CLOSED_HOW, BOTH, KIND_TEXT, true, "closed_how", "closed_how",                             \
        "How it was closed: 'fin' (one each way), 'half' (a FIN one way alone), 'reset', or\n"     \
        "'fin_reset' (a RST after a FIN); None for neither.")

#endif
