/* The physical floor that the benchmarks measure against: reads pcap files, and hops from record
 * header to record header. What reads packets one after another, by read(), can hardly be faster.
 *
 * usage: hop FILE...
 *
 * Small files are read over and over, so that the clock's resolution does not count. */
#define _POSIX_C_SOURCE 200809L
#include "pcap_file.h"
#include "stopwatch.h"

static const double ENOUGH = 0.2; /* seconds */

struct found {
    unsigned long packets, octets;
};

static bool hop(struct pcap_file *file, const char *path, struct found *found)
{
    struct record record;

    if (!pcap_open(file, path))
        return false;
    while (pcap_next(file, &record)) {
        found->packets++;
        found->octets += record.wire;
    }
    return pcap_close(file, path);
}

int main(int argc, char **argv)
{
    static struct pcap_file file;
    struct found found = {0};
    char result[100];
    long turns = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: hop FILE...\n");
        return 2;
    }
    struct stopwatch began = stopwatch_now();
    do {
        found = (struct found){0};
        for (int at = 1; at < argc; at++)
            if (!hop(&file, argv[at], &found))
                return 1;
        turns++;
    } while (stopwatch_now().wall - began.wall < ENOUGH);
    /* the frame check of Ethernet is counted with the packet, as libtrace does */
    snprintf(result, sizeof result, "{\"count\": %lu, \"bytes\": %lu}", found.packets,
             found.octets + 4 * found.packets);
    stopwatch_print(began, turns, result);
    return 0;
}
