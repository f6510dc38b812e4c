/* Where a trace ends by itself.  Time is that of the packets in a file, counted from its first one;
 * of a live source it is that of the clock, for it ends also where no packet comes. */
#include "bounds.h"

#include "source.h"

#include "common/monotonic.h"

#include <math.h>

#define MOST_SECONDS 1e9

static int read_count(struct bounds *self, PyObject *count)
{
    Py_ssize_t number = PyNumber_AsSsize_t(count, PyExc_OverflowError);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < 0) {
        PyErr_SetString(PyExc_ValueError, "count must be 0 or more packets");
        return -1;
    }
    self->left = (uint64_t)number;
    return 0;
}

static int read_duration(struct bounds *self, PyObject *duration)
{
    double seconds = PyFloat_AsDouble(duration);
    if (seconds == -1 && PyErr_Occurred())
        return -1;
    if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
        PyErr_SetString(PyExc_ValueError, "duration must be more than 0 seconds, 10**9 at most");
        return -1;
    }
    self->duration = seconds;
    return 0;
}

int bounds_read(struct bounds *self, PyObject *count, PyObject *duration)
{
    *self = (struct bounds){.left = UINT64_MAX};
    if (count != Py_None && read_count(self, count) < 0)
        return -1;
    return duration != Py_None ? read_duration(self, duration) : 0;
}

void bounds_start(struct bounds *self, struct source *source)
{
    if (self->duration > 0 && !source->input.stream) {
        if (self->deadline == 0)
            self->deadline = monotonic_now() + self->duration;
        source->deadline = self->deadline;
    }
}

bool bounds_reached(const struct bounds *self)
{
    return self->left == 0 || self->over ||
           (self->deadline > 0 && monotonic_now() >= self->deadline);
}

bool bounds_in_time(struct bounds *self, const struct plt_meta *meta)
{
    if (self->duration == 0 || self->deadline > 0)
        return true;
    if (!self->begun) {
        double whole = floor(self->duration);
        uint64_t nsec = meta->nsec + (uint64_t)llround((self->duration - whole) * 1e9);
        self->begun = true;
        self->end_sec =
            (int64_t)((uint64_t)meta->sec + (uint64_t)whole + nsec / 1000000000); /* modulo 2**64 */
        self->end_nsec = (uint32_t)(nsec % 1000000000);
    }
    self->over =
        meta->sec > self->end_sec || (meta->sec == self->end_sec && meta->nsec >= self->end_nsec);
    return !self->over;
}
