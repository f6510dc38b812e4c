/* How fast nine columns can be filled: reads a pcap file of Ethernet, decodes each packet as far as
 * TCP or UDP, and writes what plt.columns() has for the same nine fields, in batches that are used
 * over and over. One path, no settings, no other link type.
 *
 * usage: nine_columns FILE
 */
#define _POSIX_C_SOURCE 200809L
#include "pcap_file.h"
#include "stopwatch.h"

enum { ROWS = 16384, ABSENT = 1 };
enum { ETHERNET_HEADER = 14, IPV6_HEADER = 40, FCS = 4 };
enum { IPV4_TYPE = 0x0800, IPV6_TYPE = 0x86dd, MPLS_TYPE = 0x8847 };
enum { HOP_BY_HOP = 0, TCP = 6, UDP = 17, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

/* A mask is ABSENT where a row has no value. */
struct columns {
    int64_t time[ROWS]; /* nanoseconds */
    uint32_t wire_len[ROWS];
    uint8_t src[ROWS][16], dst[ROWS][16], version[ROWS], proto[ROWS], no_internet[ROWS];
    uint16_t src_port[ROWS], dst_port[ROWS];
    uint8_t no_ports[ROWS];
    uint16_t flags[ROWS];
    uint8_t no_flags[ROWS];
};

struct sums {
    unsigned long packets, wire_len, proto, src_port, dst_port, flags;
};

static inline uint16_t be16(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline bool is_tag(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* Ports and flags, from where the transport header begins. */
static inline void fill_transport(struct columns *out, size_t row, uint8_t proto,
                                  const unsigned char *at, size_t left)
{
    if ((proto != TCP && proto != UDP) || left < 4)
        return;
    out->src_port[row] = be16(at);
    out->dst_port[row] = be16(at + 2);
    out->no_ports[row] = 0;
    if (proto == TCP && left >= 14) {
        out->flags[row] = be16(at + 12) & 0x1ff; /* NS and the eight below it */
        out->no_flags[row] = 0;
    }
}

static inline void fill_ipv4(struct columns *out, size_t row, const unsigned char *at, size_t left)
{
    size_t header = 4 * (size_t)(at[0] & 15);

    if (left < 20 || header < 20)
        return;
    out->version[row] = 4;
    out->proto[row] = at[9];
    out->no_internet[row] = 0;
    memcpy(out->src[row], at + 12, 4);
    memcpy(out->dst[row], at + 16, 4);
    memset(out->src[row] + 4, 0, 12);
    memset(out->dst[row] + 4, 0, 12);
    if ((be16(at + 6) & 0x1fff) == 0 && left > header)
        fill_transport(out, row, at[9], at + header, left - header);
}

static inline void fill_ipv6(struct columns *out, size_t row, const unsigned char *at, size_t left)
{
    if (left < IPV6_HEADER)
        return;
    out->version[row] = 6;
    out->no_internet[row] = 0;
    memcpy(out->src[row], at + 8, 16);
    memcpy(out->dst[row], at + 24, 16);
    uint8_t proto = at[6];
    bool first = true;
    at += IPV6_HEADER;
    left -= IPV6_HEADER;
    while ((proto == HOP_BY_HOP || proto == ROUTING || proto == DESTINATION || proto == FRAGMENT) &&
           left >= 8) {
        size_t length = proto == FRAGMENT ? 8 : 8 + 8 * (size_t)at[1];
        if (proto == FRAGMENT && be16(at + 2) >> 3)
            first = false;
        proto = at[0];
        if (length > left)
            length = left;
        at += length;
        left -= length;
    }
    out->proto[row] = proto;
    if (first)
        fill_transport(out, row, proto, at, left);
}

static inline void fill(struct columns *out, size_t row, const struct record *record,
                        const unsigned char *data, uint32_t ns_unit)
{
    size_t left = record->captured;

    out->time[row] = (int64_t)record->seconds * 1000000000 + (int64_t)record->fraction * ns_unit;
    out->wire_len[row] = record->wire + FCS;
    out->no_internet[row] = out->no_ports[row] = out->no_flags[row] = ABSENT;
    out->proto[row] = 0;
    out->src_port[row] = out->dst_port[row] = out->flags[row] = 0;
    if (left < ETHERNET_HEADER)
        return;
    uint16_t type = be16(data + 12);
    data += ETHERNET_HEADER;
    left -= ETHERNET_HEADER;
    while (is_tag(type) && left >= 4) {
        type = be16(data + 2);
        data += 4;
        left -= 4;
    }
    if (type == MPLS_TYPE) {
        bool bottom = false;
        while (!bottom && left >= 4) {
            bottom = data[2] & 1;
            data += 4;
            left -= 4;
        }
        if (left > 0)
            type = data[0] >> 4 == 6 ? IPV6_TYPE : IPV4_TYPE;
    }
    if (type == IPV4_TYPE)
        fill_ipv4(out, row, data, left);
    else if (type == IPV6_TYPE)
        fill_ipv6(out, row, data, left);
}

/* What other tools' columns are compared with: rows without a value have 0 there. */
static void add_up(const struct columns *columns, size_t rows, struct sums *sums)
{
    for (size_t row = 0; row < rows; row++) {
        sums->wire_len += columns->wire_len[row];
        sums->proto += columns->proto[row];
        sums->src_port += columns->src_port[row];
        sums->dst_port += columns->dst_port[row];
        sums->flags += columns->flags[row];
    }
    sums->packets += rows;
}

int main(int argc, char **argv)
{
    static struct pcap_file file;
    static struct columns columns;
    struct record record;
    struct sums sums = {0};
    const unsigned char *data = NULL;
    size_t row = 0;
    char result[300];

    if (argc != 2) {
        fprintf(stderr, "usage: nine_columns FILE\n");
        return 2;
    }
    struct stopwatch began = stopwatch_now();
    if (!pcap_open(&file, argv[1]))
        return 1;
    while ((data = pcap_next(&file, &record))) {
        fill(&columns, row++, &record, data, file.ns_unit);
        if (row == ROWS) {
            add_up(&columns, row, &sums);
            row = 0;
        }
    }
    if (!pcap_close(&file, argv[1]))
        return 1;
    add_up(&columns, row, &sums);
    snprintf(result, sizeof result,
             "{\"count\": %lu, \"wire_len\": %lu, \"proto\": %lu, \"src_port\": %lu, "
             "\"dst_port\": %lu, \"tcp.flags\": %lu}",
             sums.packets, sums.wire_len, sums.proto, sums.src_port, sums.dst_port, sums.flags);
    stopwatch_print(began, 1, result);
    return 0;
}
