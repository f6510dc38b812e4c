/* Where a trace ends by itself: after so many packets, or so long a time. */
#ifndef PLT_BOUNDS_H
#define PLT_BOUNDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"

struct source;

struct bounds {
    uint64_t left;   /* packets that may still be accepted */
    double duration; /* seconds, 0 without */
    double deadline; /* of a live source, on the clock of monotonic_now(); 0 without */
    bool begun;      /* of a file: end is set */
    bool over;       /* of a file: a packet came later than that */
    int64_t end_sec; /* the time of the first packet, and the duration */
    uint32_t end_nsec;
};

/* Read count and duration, None for none; 0, or -1 with TypeError or ValueError. */
int bounds_read(struct bounds *self, PyObject *count, PyObject *duration);
static inline bool bounds_are_set(const struct bounds *self)
{
    return self->left != UINT64_MAX || self->duration > 0;
}
/* The trace is started, with a source that may be live, which then waits no longer than that. */
void bounds_start(struct bounds *self, struct source *source);
/* Whether no more is to be read.  None of these needs the GIL. */
bool bounds_reached(const struct bounds *self);
/* A packet was accepted. */
static inline void bounds_count(struct bounds *self)
{
    if (self->left != UINT64_MAX)
        self->left--;
}
/* It is not taken, after all. */
static inline void bounds_uncount(struct bounds *self)
{
    if (self->left != UINT64_MAX)
        self->left++;
}
/* Whether a record comes in time; where not, the end is reached. */
bool bounds_in_time(struct bounds *self, const struct plt_meta *meta);

#endif
