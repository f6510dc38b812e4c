/* A packet in C: its bytes, what its source states about it, and where its layers are.  No Python
 * here. */
#ifndef PLT_PACKET_PACKET_H
#define PLT_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a source states about a packet besides its bytes. */
struct plt_meta {
    int64_t sec;          /* arrival time, seconds since the epoch */
    uint32_t nsec;        /* below 10**9 */
    uint32_t capture_len; /* as libtrace defines it; a legacy format's is its record size */
    uint64_t erf_time;    /* 32.32 fixed point; 0 where the source's clock is no ERF clock */
    uint64_t wire_len;    /* as libtrace defines it: with the FCS for Ethernet */
    uint32_t dlt;         /* enum linktype: the number in files */
    int16_t linktype; /* TRACE_TYPE_* where dlt does not determine it, else PLT_LINKTYPE_OF_DLT */
    int8_t direction; /* TRACE_DIR_*, -1 where the source has none */
    bool fine_clock;  /* the clock has more than microseconds */
    bool is_untimed;  /* the source states no time, and sec is 0 */
    uint8_t fcs;      /* bytes of wire_len that are the frame check sequence */
    bool fcs_counted; /* the source's length field includes the FCS, which was captured */
    uint32_t snaplen; /* of the capture, as a file states it; 0 where none is stated */
    uint64_t number;  /* in its trace, from 1 on; 0 for a packet of no trace */
};

#define PLT_LINKTYPE_OF_DLT INT16_MIN

/* The arrival time in nanoseconds; false where there is none, or 64 bits can't hold it. */
static inline bool plt_time_ns(const struct plt_meta *meta, int64_t *time)
{
    if (meta->is_untimed || meta->sec > INT64_MAX / 1000000000 - 1 ||
        meta->sec < INT64_MIN / 1000000000 + 1)
        return false;
    *time = meta->sec * 1000000000 + meta->nsec;
    return true;
}

/* Set the arrival time from ERF's 32.32 fixed point, to the nearest nanosecond. */
static inline void meta_set_erf_time(struct plt_meta *meta, uint64_t time)
{
    uint64_t nsec = ((time & 0xffffffff) * 1000000000 + (1U << 31)) >> 32;
    meta->erf_time = time;
    meta->fine_clock = true;
    meta->sec = (int64_t)(time >> 32) + (nsec == 1000000000);
    meta->nsec = (uint32_t)(nsec % 1000000000);
}

struct plt_layers;

/* One packet as a source hands it over; data is valid until the source is asked again. */
struct plt_record {
    const uint8_t *data;
    uint32_t len; /* bytes at data */
    struct plt_meta meta;
    const struct plt_layers *layers; /* borrowed, where a filter has found them; else NULL */
    const char *comment; /* the packet's, in UTF-8 or damaged; set only where there is one */
    uint32_t comment_len;
};

/* How many bytes of a packet to capture at most; 0 and -1 mean that no snap length is set. */
static inline uint32_t plt_snaplen(int snaplen)
{
    return snaplen > 0 ? (uint32_t)snaplen : UINT32_MAX;
}

/* Cut a record at snaplen bytes; after filtering, as libtrace does. */
static inline void plt_record_cut(struct plt_record *record, uint32_t snaplen)
{
    if (record->len > snaplen) {
        record->len = snaplen;
        record->layers = NULL;
    }
    if (record->meta.capture_len > snaplen)
        record->meta.capture_len = snaplen;
}

#define PLT_ABSENT UINT32_MAX

/* Where the layers of a packet are: offsets from its first byte, PLT_ABSENT where there is none,
 * never past len.  A layer that is there may be cut anywhere; of the transport nothing at all may
 * have been captured. */
struct plt_layers {
    uint32_t layer2;
    uint32_t layer3;
    uint32_t transport; /* after the IP header and extension headers; absent in later fragments */
    uint32_t payload;   /* what the IP header carries: after it and its extension headers */
    uint32_t ip_end;    /* where the IP packet ends, or what was captured of it */
    uint32_t ip_len;    /* the IP packet's length in bytes from its header on, 0 where unknown */
    int16_t linktype;   /* TRACE_TYPE_* of layer 2, -1 where libtrace has no name for it */
    uint16_t ethertype; /* of layer 3, 0 where unknown */
    uint16_t vlan_id;   /* of the outermost 802.1Q tag, 0 without */
    uint16_t vlan_tags[2]; /* the tag control information of the outermost and of the next one */
    uint8_t vlans;         /* how many of these there are */
    uint8_t version;       /* 4 or 6 where layer 3 is IP, else 0 */
    uint8_t proto;         /* what transport is, 0 where unknown */
    uint8_t tags;          /* passed on the way to layer 3 */
    uint8_t depth;         /* encapsulations entered */
    bool fragment;         /* not the first fragment of its packet */
    bool more_fragments;
    bool told_len; /* ip_len is the IP header's, not what the wire length leaves */
    /* The outermost encapsulation before layer 3 that may be taken for a tunnel. */
    uint8_t below;     /* enum tunnel_kind: MPLS with Ethernet, PPPoE or NSH, else TUNNEL_NONE */
    uint8_t below_dlt; /* enum linktype of what it carries */
    uint32_t below_at; /* where that begins */
    uint32_t below_id;
    /* The fields of 2 bytes before layer 3 that say how long what follows them is, 0 without: the
     * innermost IEEE 802.3 length, the innermost PPPoE length. */
    uint16_t length_at;
    uint16_t pppoe_length_at;
    uint16_t nsh_at;      /* the outermost network service header before layer 3, 0 without */
    uint16_t subframe_at; /* the first subframe of an 802.11 A-MSDU, in which layer 3 is; or 0 */
};

struct tunnel;

/* A packet whose layers are known.  All is borrowed: from an object, as long as no Python code
 * runs, or from a source until it is asked again. */
struct plt_packet {
    const uint8_t *data; /* the bytes that the offsets of layers count in */
    uint32_t len;
    const struct plt_layers *layers;
    const struct plt_meta *meta; /* of the packet that the object came from, NULL without one */
    const struct tunnel *tunnel; /* that it is in, as far as was looked for, else NULL */
    unsigned depth;              /* tunnels that it is in */
    uint16_t community_seed;     /* of its Community ID */
};

#endif
