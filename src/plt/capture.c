/* Why live capture does not start. */
#include "capture.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whether this process may open packet sockets, which needs CAP_NET_RAW (packet(7)); promiscuous
 * mode, which is asked of these, needs no more. */
static bool may_capture(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: receives nothing */
    if (fd < 0)
        return errno != EPERM && errno != EACCES;
    close(fd);
    return true;
}

int capture_raise(const char *text)
{
    if (may_capture())
        PyErr_SetString(PyExc_OSError, text);
    else
        PyErr_Format(PyExc_OSError, "%s: capturing needs the capability CAP_NET_RAW", text);
    return -1;
}
