/* A clock that never goes back. */
#ifndef PLT_COMMON_MONOTONIC_H
#define PLT_COMMON_MONOTONIC_H

#include <time.h>

/* Its seconds. */
static inline double monotonic_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

#endif
