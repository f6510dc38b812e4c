/* The floor that the benchmarks measure against: reads a trace with libtrace and does nothing else.
 *
 * usage: floor URI
 *
 * Prints the number of packets and the seconds from trace_start() to the end of the trace. */
#define _POSIX_C_SOURCE 200809L
#include <libtrace.h>
#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
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
    printf("%ld %.9f\n", packets, now() - began);
    trace_destroy_packet(packet);
    trace_destroy(trace);
    return 0;
}
