/* Waiting: for a descriptor, and for a packet, with an eye on signals, the timeout and the
 * interface. */
#ifndef PLT_WAIT_H
#define PLT_WAIT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

struct plt_state;
struct source;
struct watch;

/* Whether a live source has waited long enough: its next() then answers SOURCE_MORE. */
bool wait_is_over(const struct source *source);
/* Wait for events (poll(2)) of a descriptor, or only for seconds where fd is -1, no longer than
 * until the next look for signals.  1 where there is one, 0, or -1 with an exception. */
int wait_for_descriptor(int fd, short events, double seconds);
/* The same for a packet that can be read, and look at the interface; LibtraceError after timeout
 * seconds since started, unless that is 0. */
int wait_for_packet(const struct plt_state *state, struct watch *watch, int fd, double seconds,
                    double started, double timeout);

#endif
