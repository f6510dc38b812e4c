/* What a C program of the benchmarks measures of itself, printed as bench/job.py prints it: one
 * line of JSON. */
#ifndef STOPWATCH_H
#define STOPWATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct stopwatch {
    double wall, user, system; /* seconds */
};

static inline double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

static inline struct stopwatch stopwatch_now(void)
{
    struct timespec wall = {0};
    struct rusage usage = {0};

    clock_gettime(CLOCK_MONOTONIC, &wall);
    getrusage(RUSAGE_SELF, &usage);
    return (struct stopwatch){(double)wall.tv_sec + 1e-9 * (double)wall.tv_nsec,
                              seconds_of(usage.ru_utime), seconds_of(usage.ru_stime)};
}

/* In bytes. Not ru_maxrss: a process begins with that of its parent there. */
static inline long peak_memory(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (status)
        fclose(status);
    return 1024 * kib;
}

/* What was taken since `began` for so many turns, of which each found `result`, JSON too. */
static inline void stopwatch_print(struct stopwatch began, long turns, const char *result)
{
    struct stopwatch now = stopwatch_now();

    printf("{\"seconds\": %.9f, \"user\": %.6f, \"system\": %.6f, \"start\": 0, \"peak\": %ld, "
           "\"turns\": %ld, \"notes\": {}, \"result\": %s}\n",
           now.wall - began.wall, now.user - began.user, now.system - began.system, peak_memory(),
           turns, result);
}

#endif
