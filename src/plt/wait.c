/* Waiting: for a descriptor, and for a packet. */
#include "wait.h"

#include "source.h"
#include "state.h"
#include "watch.h"

#include "common/monotonic.h"

#include <poll.h>

/* Ctrl-C is looked for this often. */
#define POLL_MS 100

bool wait_is_over(const struct source *source)
{
    return source->deadline > 0 && monotonic_now() >= source->deadline;
}

int wait_for_descriptor(int fd, short events, double seconds)
{
    struct pollfd descriptor = {.fd = fd, .events = events};
    double left = seconds * 1000;
    int milliseconds = left < POLL_MS ? (int)left + 1 : POLL_MS;
    int events_found = 0;
    Py_BEGIN_ALLOW_THREADS
    events_found = poll(&descriptor, fd < 0 ? 0 : 1, milliseconds);
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals() < 0 ? -1 : events_found > 0;
}

int wait_for_packet(const struct plt_state *state, struct watch *watch, int fd, double seconds,
                    double started, double timeout)
{
    if (wait_for_descriptor(fd, POLLIN, seconds) < 0)
        return -1;
    watch_socket(watch, fd);
    watch_look(watch);
    if (timeout > 0 && monotonic_now() - started > timeout) {
        PyErr_SetString(state->error, "timeout in trace read()");
        return -1;
    }
    return 0;
}
