/* The rows of a flow's fields that FlowTable(statistics=True) and FlowTable(first=20) count: see
 * fieldrows.h. */
#ifndef NATKIT_FLOWTABLE_STATISTICSROWS_H
#define NATKIT_FLOWTABLE_STATISTICSROWS_H

#include "fieldrows.h"

enum flow_statistics_what {
    FIRST_STATISTICS_WHAT = 128,
    SIZES_MIN = FIRST_STATISTICS_WHAT,
    SIZES_MEAN,
    SIZES_STD,
    SIZES_MAX,
    GAPS_MIN,
    GAPS_MEAN,
    GAPS_STD,
    GAPS_MAX,
    FIN_PACKETS, /* those of flags in the order of their bits */
    SYN_PACKETS,
    RST_PACKETS,
    PSH_PACKETS,
    ACK_PACKETS,
    URG_PACKETS,
    ECE_PACKETS,
    CWR_PACKETS,
    FIRST_WAYS,
    FIRST_SIZES,
    FIRST_GAPS
};

/* A field of both directions and of each. */
#define EVERY_WAY(ROW, what, kind, column, attribute, of, doc)                                     \
    ROW(what, BOTH, kind, true, column, attribute, of ", both directions" doc)                     \
    ROW(what, FWD, kind, true, "fwd_" column, "fwd_" attribute,                                    \
        of ", forward: see " attribute ".")                                                        \
    ROW(what, REV, kind, true, "rev_" column, "rev_" attribute, of ", back: see " attribute ".")

#define EVERY_FLAG(ROW, what, name, flag)                                                          \
    EVERY_WAY(ROW, what, KIND_UINT64, name "_packets", name "_packets",                            \
              "Packets with the TCP flag " flag, ".\n\nNone if not TCP.")

/* All are missing in a table without statistics=True. */
#define STATISTICS_FIELD_ROWS(ROW)                                                                 \
    EVERY_WAY(ROW, SIZES_MIN, KIND_UINT32, "size_min", "size_min", "The smallest packet",          \
              ": bytes.\n\n"                                                                       \
              "A packet's size is that of its IP packet by the header, as in ip_bytes. None\n"     \
              "without a packet.")                                                                 \
    EVERY_WAY(ROW, SIZES_MEAN, KIND_FLOAT64, "size_mean", "size_mean", "The mean size of packets", \
              ": bytes.\n\nip_bytes / packets, None without a packet.")                            \
    EVERY_WAY(ROW, SIZES_STD, KIND_FLOAT64, "size_std", "size_std",                                \
              "The standard deviation of sizes",                                                   \
              ": bytes.\n\n"                                                                       \
              "sqrt((sum of squares - sum**2 / n) / (n - 1)), None with fewer than two packets.")  \
    EVERY_WAY(ROW, SIZES_MAX, KIND_UINT32, "size_max", "size_max", "The largest packet",           \
              ": bytes, as in size_min.")                                                          \
    EVERY_WAY(                                                                                     \
        ROW, GAPS_MIN, KIND_DURATION, "gap_min", "gap_min_ns",                                     \
        "The shortest time from a packet to the next",                                             \
        ": nanoseconds.\n\n"                                                                       \
        "From one to the next that the table was given, of packets that have a time; below\n"      \
        "0 where the next was earlier. None with fewer than two.")                                 \
    EVERY_WAY(ROW, GAPS_MEAN, KIND_DURATION, "gap_mean", "gap_mean_ns",                            \
              "The mean time from a packet to the next",                                           \
              ": nanoseconds.\n\n"                                                                 \
              "Sum / count, in whole nanoseconds towards 0. None with fewer than two packets.")    \
    EVERY_WAY(                                                                                     \
        ROW, GAPS_STD, KIND_DURATION, "gap_std", "gap_std_ns",                                     \
        "The standard deviation of times from a packet to the next",                               \
        ": nanoseconds.\n\n"                                                                       \
        "sqrt((sum of squares - sum**2 / n) / (n - 1)), rounded down. None with fewer than\n"      \
        "three packets.")                                                                          \
    EVERY_WAY(ROW, GAPS_MAX, KIND_DURATION, "gap_max", "gap_max_ns",                               \
              "The longest time from a packet to the next", ": nanoseconds, as in gap_min_ns.")    \
    EVERY_FLAG(ROW, FIN_PACKETS, "fin", "FIN")                                                     \
    EVERY_FLAG(ROW, SYN_PACKETS, "syn", "SYN")                                                     \
    EVERY_FLAG(ROW, RST_PACKETS, "rst", "RST")                                                     \
    EVERY_FLAG(ROW, PSH_PACKETS, "psh", "PSH")                                                     \
    EVERY_FLAG(ROW, ACK_PACKETS, "ack", "ACK")                                                     \
    EVERY_FLAG(ROW, URG_PACKETS, "urg", "URG")                                                     \
    EVERY_FLAG(ROW, ECE_PACKETS, "ece", "ECE")                                                     \
    EVERY_FLAG(ROW, CWR_PACKETS, "cwr", "CWR")

/* Those of FlowTable(first=20). */
#define FIRST_FIELD_ROWS(ROW)                                                                      \
    ROW(FIRST_WAYS, BOTH, KIND_INT8_LIST, false, "first_ways", "first_ways",                       \
        "The directions of the first packets: 1 forward, -1 back.\n\n"                             \
        "The first are those that the table was given first. None in a table without first.")      \
    ROW(FIRST_SIZES, BOTH, KIND_UINT32_LIST, false, "first_sizes", "first_sizes",                  \
        "The sizes of the first packets: bytes of the IP packet by its header, as in ip_bytes.")   \
    ROW(FIRST_GAPS, BOTH, KIND_DURATION_LIST, false, "first_gaps", "first_gaps_ns",                \
        "The time to each of the first packets from the one before: nanoseconds.\n\n"              \
        "0 for the first, below 0 where a packet is earlier than the one before it, None for\n"    \
        "one without a time, which is passed over.")

#endif
