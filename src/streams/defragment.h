/* Fragments of IP packets put together (RFC 791 section 3.2, RFC 8200 section 4.5).  No Python
 * here.
 *
 * Fragments of a packet that overlap are not put together (RFC 5722, here for IPv4 too); one that
 * comes again as it was does not count.  What can't be completed is given back as it came. */
#ifndef PLT_STREAMS_DEFRAGMENT_H
#define PLT_STREAMS_DEFRAGMENT_H

#include "packet/packet.h"

#include <stddef.h>

struct datagram;
struct fragment_part;

struct defragmenter {
    struct datagram **buckets; /* owned; NULL until the first fragment */
    struct datagram *oldest;   /* owned, with all that are newer */
    struct datagram *newest;
    struct fragment_part *released; /* owned, with all after it: those to give back */
    struct fragment_part *released_last;
    struct fragment_part *given; /* owned: the last that was given back */
    uint8_t *whole;              /* owned: the last packet that was put together */
    size_t memory;               /* bytes of the fragments in hand */
    size_t most_memory;
    uint64_t seed[2];
    int64_t timeout; /* nanoseconds since the first fragment of a packet */
    int64_t clock;   /* the latest time */
    bool has_clock;
    bool keeps_comments; /* of records: else these need not be set */
};

enum {
    DEFRAGMENT_MEMORY = 1 << 24,
    DEFRAGMENT_SECONDS = 60 /* RFC 8200 section 4.5 */
};

void defragment_init(struct defragmenter *all, const uint64_t seed[2], size_t memory,
                     int64_t timeout);
void defragment_clear(struct defragmenter *all);

enum defragment_result {
    DEFRAGMENT_PASS,  /* the packet is as it was: no fragment, or one that can't be put together */
    DEFRAGMENT_HELD,  /* it waits for others */
    DEFRAGMENT_WHOLE, /* the record became that of the whole packet, valid until the next call */
    DEFRAGMENT_NO_MEMORY
};

/* Look at a record and its layers, which both change where a packet becomes whole. */
enum defragment_result defragment_add(struct defragmenter *all, struct plt_record *record,
                                      struct plt_layers *layers);
/* The next fragment that waits no longer, or of all; false when there is none.  To be asked until
 * there is none after each record.  It is valid until the next call. */
bool defragment_next(struct defragmenter *all, bool rest, struct plt_record *out);

#endif
