/* Whether the interface that is captured from is still there, and up. */
#include "watch.h"

#include "sockets.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void watch_open(struct watch *watch, const char *name)
{
    *watch = (struct watch){.index = (int)if_nametoindex(name), .fd = -1};
    snprintf(watch->name, sizeof(watch->name), "%s", name);
    if (watch->index > 0)
        watch->fd = sockets_open();
}

void watch_close(struct watch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

void watch_look(struct watch *watch)
{
    struct ifreq request = {.ifr_name = ""};
    if (watch->fd < 0)
        return;
    if (!if_indextoname((unsigned)watch->index, request.ifr_name) ||
        ioctl(watch->fd, SIOCGIFFLAGS, &request) < 0) {
        if (errno != ENODEV && errno != ENXIO) /* it can't be asked, out of descriptors for one */
            return;
        watch->gone = true;
    } else if (request.ifr_flags & IFF_UP) {
        return;
    }
    watch->ended = true;
}

void watch_socket(struct watch *watch, int fd)
{
    struct pollfd descriptor = {.fd = fd, .events = POLLIN};
    int error = 0;
    socklen_t size = sizeof(error);
    if (watch->fd < 0 || fd < 0 || poll(&descriptor, 1, 0) <= 0 ||
        !(descriptor.revents & POLLERR) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return;
    if (error == ENETDOWN || error == ENODEV || error == ENXIO)
        watch_look(watch); /* it may be up again since */
}

int watch_raise(struct watch *watch)
{
    watch_look(watch);
    if (!watch->ended)
        return 0;
    PyErr_Format(PyExc_OSError, "the interface %s is %s", watch->name,
                 watch->gone ? "gone" : "down");
    watch->ended = false; /* it may be up again when it is read from the next time */
    return -1;
}
