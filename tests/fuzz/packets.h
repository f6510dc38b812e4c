/* Packets in the inputs of fuzzers, one after another, and their mutator.
 *
 * Of each packet an input has 4 bytes, then those of the packet: what its time is after that of the
 * packet before it (a row of times), its link type (0 is Ethernet, 1 IP, then the rows of
 * packet/linktypes.h), and in little endian how many bytes it has, with PACKET_CUT where more were
 * on the wire. */
#ifndef FUZZ_PACKETS_H
#define FUZZ_PACKETS_H

#include "fuzz.h"

#include "packet/packet.h"

enum { PACKET_HEAD = 4, PACKET_CUT = 0x8000 };

struct packet_reader {
    struct bytes in;
    int64_t time;  /* nanoseconds since the epoch */
    uint8_t *copy; /* owned: the bytes of the last packet */
};

struct packet_reader packets_begin(const uint8_t *data, size_t size);
/* The next packet, valid until the next call; false after the last, when nothing is owned. */
bool packets_next(struct packet_reader *reader, struct plt_record *record);
void packets_end(struct packet_reader *reader);

/* A packet of a link type, whose bytes are borrowed: `link` as above, `more` bytes on the wire. */
struct plt_record packet_record(uint8_t link, const uint8_t *data, size_t size, uint32_t more);

/* Change a packet or its place, or any bytes; the first `head` bytes are no packets. */
size_t mutate_packets(uint8_t *data, size_t size, size_t room, size_t head, unsigned seed);
/* Make the checksum of an IPv4 header right that is somewhere in the bytes. */
void mutate_checksum(uint8_t *data, size_t size, uint64_t *state);

#endif
