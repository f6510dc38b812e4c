/* Waiting for a packet: a descriptor, signals, the timeout and the interface. */
#ifndef PLT_WAIT_H
#define PLT_WAIT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct plt_state;
struct watch;

/* Seconds on a clock that never goes back. */
double wait_now(void);
/* Wait for a descriptor, or for seconds where fd is -1, no longer than until the next look for
 * signals and at the interface; 0, or -1 with an exception, LibtraceError after timeout seconds. */
int wait_for(const struct plt_state *state, struct watch *watch, int fd, double seconds,
             double started, double timeout);

#endif
