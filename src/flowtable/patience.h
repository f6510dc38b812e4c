/* How long a caller waits for what takes long. */
#ifndef PLT_FLOWTABLE_PATIENCE_H
#define PLT_FLOWTABLE_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Asked again and again, until it says no: then the work is given up. */
struct flow_patience {
    bool (*lasts)(void *context);
    void *context; /* borrowed */
};

/* In a long loop, of which this is the n-th time. */
static inline bool flow_patience_lasts(const struct flow_patience *patience, size_t n)
{
    return (n + 1) % ((size_t)1 << 16) != 0 || patience->lasts(patience->context);
}

#endif
