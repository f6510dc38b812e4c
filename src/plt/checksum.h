/* The checksums of IP (RFC 791) and of TCP, UDP, ICMP and ICMPv6. */
#ifndef PLT_CHECKSUM_H
#define PLT_CHECKSUM_H

#include <stdbool.h>

struct frame;

enum checksum_state { CHECKSUM_NONE = -1, CHECKSUM_BAD = 0, CHECKSUM_GOOD = 1 };
enum checksum_state checksum_test_network(struct frame *frame);
enum checksum_state checksum_test_transport(struct frame *frame);
bool checksum_set_network(struct frame *frame);
bool checksum_set_transport(struct frame *frame);

#endif
