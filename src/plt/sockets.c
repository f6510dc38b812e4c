/* The sockets that libtrace captures through. */
#include <Python.h>

#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Packet sockets -------------------------------------------------------------------------- */

#ifdef __linux__

#include <linux/if_packet.h>

bool sockets_are_there(void)
{
    return true;
}

/* That needs CAP_NET_RAW; promiscuous mode, which is asked of these, needs no more. */
bool sockets_may_capture(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: receives nothing */
    if (fd < 0)
        return errno != EPERM && errno != EACCES;
    close(fd);
    return true;
}

bool sockets_captures(int fd, int index)
{
    struct sockaddr_ll address = {.sll_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    return fd >= 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           address.sll_family == AF_PACKET && address.sll_ifindex == index;
}

bool sockets_stop_filtering(int fd)
{
    int unused = 0;
    return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) == 0;
}

uint32_t sockets_drops(int fd)
{
    struct tpacket_stats stats = {0}; /* reading it resets it (packet(7)) */
    socklen_t size = sizeof(stats);
    return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 ? stats.tp_drops : 0;
}

#else

bool sockets_are_there(void)
{
    return false;
}

bool sockets_may_capture(void)
{
    return true;
}

bool sockets_captures(int Py_UNUSED(fd), int Py_UNUSED(index))
{
    return false;
}

bool sockets_stop_filtering(int Py_UNUSED(fd))
{
    return false;
}

uint32_t sockets_drops(int Py_UNUSED(fd))
{
    return 0;
}

#endif

/* --- Other sockets --------------------------------------------------------------------------- */

int sockets_open(void)
{
#ifdef SOCK_CLOEXEC
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
#endif
}

int sockets_next_descriptor(void)
{
    int fd = sockets_open();
    if (fd >= 0)
        close(fd);
    return fd;
}

void sockets_close_unconnected(int fd)
{
    PyThreadState *threads = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t own_size = sizeof(own);
    /* a thread, of this interpreter or another, may have opened one meanwhile */
    if (fd < 0 || PyThreadState_Next(threads) ||
        PyInterpreterState_Next(PyInterpreterState_Head()) || fd == sockets_next_descriptor())
        return;
    if (getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 && own.ss_family == AF_INET &&
        getpeername(fd, (struct sockaddr *)&peer, &size) < 0 && errno == ENOTCONN)
        close(fd);
}
