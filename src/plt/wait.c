/* Waiting for a packet: a descriptor, signals, the timeout and the interface. */
#include "wait.h"

#include "state.h"
#include "watch.h"

#include <poll.h>
#include <time.h>

/* Ctrl-C is looked for this often while a read waits. */
#define POLL_MS 100

double wait_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int wait_for(const struct plt_state *state, struct watch *watch, int fd, double seconds,
             double started, double timeout)
{
    struct pollfd descriptor = {.fd = fd, .events = POLLIN};
    double left = seconds * 1000;
    int milliseconds = left < POLL_MS ? (int)left + 1 : POLL_MS;
    Py_BEGIN_ALLOW_THREADS
    poll(&descriptor, fd < 0 ? 0 : 1, milliseconds);
    Py_END_ALLOW_THREADS
    if (PyErr_CheckSignals() < 0)
        return -1;
    watch_socket(watch, fd);
    watch_look(watch);
    if (timeout > 0 && wait_now() - started > timeout) {
        PyErr_SetString(state->error, "timeout in trace read()");
        return -1;
    }
    return 0;
}
