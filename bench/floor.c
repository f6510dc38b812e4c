/* The floor that the benchmarks measure against: reads a trace with libtrace and does nothing else.
 *
 * usage: floor URI
 *
 * Prints the number of packets, the seconds from trace_start() to the end of the trace, and the
 * most memory that the process had, in KiB. */
#define _POSIX_C_SOURCE 200809L
#include <libtrace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Not ru_maxrss: a process begins with that of its parent there. */
static long peak(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (status)
        fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: floor URI\n");
        return 2;
    }
    libtrace_t *trace = trace_create(argv[1]);
    libtrace_packet_t *packet = trace_create_packet();
    long packets = 0;
    double began = now();

    if (!packet || trace_is_err(trace) || trace_start(trace) < 0) {
        trace_perror(trace, "%s", argv[1]);
        return 1;
    }
    while (trace_read_packet(trace, packet) > 0)
        packets++;
    printf("%ld %.9f %ld\n", packets, now() - began, peak());
    trace_destroy_packet(packet);
    trace_destroy(trace);
    return 0;
}
