/* The bytes that one end of a TCP connection sent, put in order.  No Python here.
 *
 * A position counts bytes from a fixed sequence number on, and does not wrap.  Bytes are kept in
 * pages by position, so that a gap takes no memory and nothing is moved when it is filled.  Of two
 * copies of a byte the first is kept. */
#ifndef PLT_STREAMS_WAY_H
#define PLT_STREAMS_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAY_NO_POSITION UINT64_MAX

/* Bytes in a row that came at one time. */
struct way_piece {
    uint64_t at;
    uint64_t end;
    int64_t time; /* nanoseconds since the epoch */
};

/* Pieces in order, as many as are moved at once when one is put between them. */
struct way_block {
    uint32_t count;
    uint32_t room;
    struct way_piece pieces[];
};

/* A piece of a way. */
struct way_place {
    size_t block;
    uint32_t piece;
};

struct stream_way {
    uint8_t **pages; /* owned, each of them too; NULL where nothing came */
    size_t page_room;
    size_t short_page; /* the only one that is not whole: a short stream takes little */
    uint32_t short_size;
    struct way_block **blocks; /* owned, each of them too; none is empty */
    size_t block_count;
    size_t block_room;
    size_t memory; /* bytes that all this takes */

    uint32_t origin;    /* the sequence number of position 0 */
    uint32_t awaited;   /* while it is not begun, with `told`: that of what it will send next */
    uint64_t start;     /* of the first byte */
    uint64_t forgotten; /* what is before is no longer kept */
    uint64_t next;      /* all from the start to here came */
    uint64_t high;      /* after the last byte that was sent, as far as is known */
    uint64_t settled;   /* what is missing before is lost: it was received, or sent in what came */
    uint64_t fin;       /* of the FIN, or WAY_NO_POSITION */
    uint64_t refused;   /* after the last segment that was too far ahead, or WAY_NO_POSITION */
    uint64_t dropped;   /* bytes that came, and were not kept */
    bool begun;         /* the origin is known */
    bool syn;           /* by a SYN */
    bool told;          /* `awaited` is known */
};

struct way_limits {
    uint64_t size;   /* bytes that are kept, from the first on, or from what was forgotten on */
    uint64_t window; /* how far a segment may be ahead of all before it */
};

/* What a segment carries. */
struct way_segment {
    const uint8_t *data; /* borrowed */
    uint32_t there;      /* bytes at data */
    uint32_t len;        /* bytes sent: what was not captured is a gap */
    uint32_t seq;        /* of the first of them */
    int64_t time;
};

void way_clear(struct stream_way *way);
/* Begin a way at the sequence number after that of its SYN. */
void way_begin(struct stream_way *way, uint32_t seq);
/* Whether a SYN, whose next sequence number is given, may be that of the way; it is then. */
bool way_accepts_syn(struct stream_way *way, uint32_t seq);
/* Add a segment; false when out of memory: then some of it may be missing. */
bool way_add(struct stream_way *way, const struct way_limits *limits,
             const struct way_segment *segment);
/* Note a FIN, before which all bytes have lower sequence numbers. */
void way_finish(struct stream_way *way, const struct way_limits *limits, uint32_t seq);
/* Note where a way that sent nothing so far will go on, as its own ACKs tell. */
void way_await(struct stream_way *way, uint32_t seq);
/* Note that all before a sequence number was received. */
void way_acknowledge(struct stream_way *way, const struct way_limits *limits, uint32_t seq);
/* Whether the first bytes that are missing were lost, and some that were sent after them came. */
bool way_has_lost(const struct stream_way *way);
/* Whether its FIN was received, and so all that was sent before. */
bool way_is_over(const struct stream_way *way);
/* Whether a sequence number is near those that are expected. */
bool way_is_near(const struct stream_way *way, const struct way_limits *limits, uint32_t seq);

/* Where what is kept ends: at the end of all, unless that is more than the limit. */
uint64_t way_end(const struct stream_way *way, const struct way_limits *limits);
/* The first piece that ends after a position; NULL where there is none. */
const struct way_piece *way_find(const struct stream_way *way, uint64_t position,
                                 struct way_place *place);
/* The piece after one that was found; NULL after the last. */
const struct way_piece *way_following(const struct stream_way *way, struct way_place *place);
/* When the last of the bytes from a position to another came, in nanoseconds since the epoch;
 * INT64_MIN where none did. */
int64_t way_last_time(const struct stream_way *way, uint64_t position, uint64_t end);
/* Copy what is kept from a position on, with zeros in gaps. */
void way_copy(const struct stream_way *way, uint64_t position, uint64_t size, uint8_t *out);
/* Keep nothing before a position. */
void way_forget(struct stream_way *way, uint64_t position);

#endif
