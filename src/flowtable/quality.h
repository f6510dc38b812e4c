/* The quality of a TCP connection: what tcptrace and tshark tell of it, counted as its packets
 * come.
 *
 * A quality is what is told; a track is a quality and what is remembered to count on.  A track is
 * of one size, whatever is sent: HOLES ranges of sequence numbers that were passed over and may
 * come late, TIMED segments each way whose ACKs are waited for. */
#ifndef PLT_FLOWTABLE_QUALITY_H
#define PLT_FLOWTABLE_QUALITY_H

#include "flow.h"
#include "packet.h"

#include "common/prefetch.h"

/* What most packets change, and what their ACKs tell, is in its first 64 bytes, a cache line. */
struct tcp_quality_way {
    uint64_t unique_bytes;
    int64_t longest_silence; /* nanoseconds, as all times here; FLOW_NO_TIME for none */
    uint16_t window_min;     /* as they are in headers; the least is more than the most for none */
    uint16_t window_max;
    uint32_t rtt_count; /* samples of segments that went this way, up to UINT32_MAX */
    uint64_t rtt_sum;
    uint64_t rtt_min;
    uint64_t rtt_max;
    uint64_t rtt_squares[2]; /* the sum of their squares, its lower half first */
    int64_t first_payload;   /* a time, FLOW_NO_TIME for none */
    uint16_t mss;
    uint8_t scale;
    uint8_t options; /* SEGMENT_* of its SYN */
    uint32_t unused;
    uint64_t resent_segments;
    uint64_t resent_bytes;
    uint64_t out_of_order;
    uint64_t dup_acks;
    uint64_t sack_blocks;
    uint32_t dsacks;
    uint32_t zero_windows;
};

/* Who was first to close, 0 where none did: CLOSED_FIN or CLOSED_RST, and CLOSED_WAY1. */
enum { CLOSED_FIN = 1, CLOSED_RST = 2, CLOSED_WAY1 = 4 };

struct tcp_quality {
    struct tcp_quality_way ways[2];
    int64_t server_rtt; /* of the handshake; FLOW_NO_TIME for none */
    int64_t client_rtt;
    uint8_t closed;
    uint8_t unused[7];
};

enum { HOLES = 8, TIMED = 16 };

struct tcp_range {
    uint32_t start;
    uint32_t end;
};

/* What is known of a way. */
enum {
    TRACK_SEQ = 1,      /* highest */
    TRACK_OUTLIER = 2,  /* outlier */
    TRACK_ACK = 4,      /* ack and window */
    TRACK_OPEN = 8,     /* it sent something but a SYN */
    TRACK_SHAKES = 16,  /* it is the client's, and the SYN with ACK has come */
    TRACK_PAYLOAD = 32, /* it had payload, */
    TRACK_BACK = 64,    /* and its time went back: payload may have come earlier than the first */
    TRACK_MARKS = 127
};

/* A segment that waits for its ACK. */
struct tcp_timed {
    uint32_t end;
    uint32_t time[2]; /* its lower half first, so that a segment takes 12 bytes */
};

/* Five cache lines, of which most packets need the first. */
struct tcp_way_track {
    int64_t last_time;
    uint32_t highest; /* the number after the highest that was sent */
    uint32_t outlier; /* where a segment ended that was too far away */
    uint32_t ack;     /* the highest */
    uint16_t window;  /* the latest */
    uint8_t marks;
    uint8_t hole_count;
    uint8_t timed_first; /* of segments that wait for their ACK: a ring */
    uint8_t timed_count;
    uint8_t unused[6];
    struct tcp_timed timed[TIMED];
    struct tcp_range holes[HOLES]; /* in their order */
    uint8_t padding[32];
};

enum { SHAKE_NONE, SHAKE_SYN, SHAKE_SYN_ACK, SHAKE_DONE };

struct tcp_track {
    struct tcp_way_track ways[2];
    struct tcp_quality quality;
    int64_t syn_time; /* of the handshake's last step; FLOW_NO_TIME where it was repeated */
    uint32_t syn_ack_end;
    uint8_t handshake;  /* SHAKE_* */
    uint8_t client_way; /* way of the SYN */
    uint8_t unused[26];
};

_Static_assert(sizeof(struct tcp_way_track) % 64 == 0 && sizeof(struct tcp_quality_way) % 64 == 0 &&
                   sizeof(struct tcp_track) % 64 == 0,
               "a track is not aligned to cache lines");

/* Have the memory ready that a packet of a way needs. */
static inline void tcp_track_prefetch(const struct tcp_track *track, unsigned way)
{
    prefetch(&track->ways[way]);
    prefetch(&track->ways[!way]);
    prefetch(&track->quality.ways[way]);
    prefetch(&track->quality.ways[!way]);
}

/* A new track, zeroed before. */
void tcp_track_begin(struct tcp_track *track);
/* Count a packet whose TCP header was read. */
void tcp_track_count(struct tcp_track *track, const struct flow_packet *packet);
/* Add a later part, whose state the track then has; exact but for what one part alone can't tell.
 */
void tcp_track_join(struct tcp_track *track, const struct tcp_track *later);
/* Whether bytes that are not trusted are a quality, or a track. */
bool tcp_quality_is_sound(const struct tcp_quality *quality);
bool tcp_track_is_sound(const struct tcp_track *track);

/* The mean of the round trips, false without samples; and their standard deviation (n - 1), false
 * with fewer than two.  Nanoseconds. */
bool tcp_rtt_mean(const struct tcp_quality_way *way, uint64_t *mean);
bool tcp_rtt_deviation(const struct tcp_quality_way *way, uint64_t *deviation);
/* By how much windows of a way are scaled; false where that is not known. */
bool tcp_window_scale(const struct tcp_quality *quality, unsigned way, uint8_t *scale);
/* Whether both ends offered an option of SEGMENT_*; false where that is not known. */
bool tcp_agreed(const struct tcp_quality *quality, uint8_t option, bool *agreed);

#endif
