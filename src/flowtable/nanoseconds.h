/* Sums and differences of times in nanoseconds.  Where 64 bits can't hold one it is the number
 * nearest to it that they can. */
#ifndef PLT_FLOWTABLE_NANOSECONDS_H
#define PLT_FLOWTABLE_NANOSECONDS_H

#include <stdint.h>

static inline int64_t nanoseconds_add(int64_t time, int64_t more)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(time, more, &sum))
        return more > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

static inline int64_t nanoseconds_sub(int64_t time, int64_t less)
{
    int64_t difference = 0;
    if (__builtin_sub_overflow(time, less, &difference))
        return less < 0 ? INT64_MAX : INT64_MIN;
    return difference;
}

#endif
