/* What libtrace's own reader takes: reads a trace with it and does nothing else.
 *
 * usage: libtrace URI
 */
#define _POSIX_C_SOURCE 200809L
#include "stopwatch.h"
#include <libtrace.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: libtrace URI\n");
        return 2;
    }
    libtrace_t *trace = trace_create(argv[1]);
    libtrace_packet_t *packet = trace_create_packet();
    unsigned long packets = 0;
    char result[50];
    struct stopwatch began = stopwatch_now();

    if (!packet || trace_is_err(trace) || trace_start(trace) < 0) {
        trace_perror(trace, "%s", argv[1]);
        return 1;
    }
    while (trace_read_packet(trace, packet) > 0)
        packets++;
    snprintf(result, sizeof result, "{\"count\": %lu}", packets);
    stopwatch_print(began, 1, result);
    trace_destroy_packet(packet);
    trace_destroy(trace);
    return 0;
}
