/* The sockets that libtrace captures through, whose descriptors its API does not give. */
#ifndef PLT_SOCKETS_H
#define PLT_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the system has packet sockets (packet(7)), which int: and ring: need. */
bool sockets_are_there(void);
/* Whether this process may open such, where there are any. */
bool sockets_may_capture(void);
/* A socket to ask the system through, closed on exec; -1 where that fails. */
int sockets_open(void);
/* The number that the next descriptor of this process is likely to have. */
int sockets_next_descriptor(void);
/* Whether a descriptor is a packet socket of an interface. */
bool sockets_captures(int fd, int index);
/* Take the filter from a packet socket; false where that fails. */
bool sockets_stop_filtering(int fd);
/* How many packets a packet socket lost since it was asked last; 0 where it can't be asked. */
uint32_t sockets_drops(int fd);
/* Close what libtrace's rt: leaves open where it can't connect: a TCP socket without a peer, at the
 * number fd that was free before.  Only where no other thread can have opened that meanwhile. */
void sockets_close_unconnected(int fd);

#endif
