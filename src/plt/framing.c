/* The framing of libtrace's packets.
 *
 * That of int: and ring: is read here, where libtrace would trust lengths in it and end the process
 * on others than it knows; for the formats that only libtrace reads, it is asked. */
#include <Python.h>

#include "framing.h"

#include "packet/decode.h"
#include "packet/meta.h"

#include <string.h>
#include <time.h>

static void set_time(libtrace_packet_t *packet, struct plt_meta *meta)
{
    struct timespec time = trace_get_timespec(packet);
    meta->sec = time.tv_sec;
    meta->nsec = (uint32_t)time.tv_nsec;
}

#ifdef __linux__

#include <linux/if_packet.h>
#include <sys/socket.h>

/* Of a ring: packet, the kernel's (packet(7)). */
#ifdef LIBTRACE_4
typedef struct tpacket3_hdr ring_header;
#else
typedef struct tpacket2_hdr ring_header;
#endif

static void set_address(struct plt_meta *meta, const struct sockaddr_ll *address)
{
    meta->dlt = linktype_of_hardware(address->sll_hatype);
    meta->direction =
        address->sll_pkttype == PACKET_OUTGOING ? TRACE_DIR_OUTGOING : TRACE_DIR_INCOMING;
}

static void read_ring(const uint8_t *header, struct plt_record *record)
{
    ring_header ring;
    struct sockaddr_ll address;
    memcpy(&ring, header, sizeof(ring));
    memcpy(&address,
           header + (sizeof(ring) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT,
           sizeof(address));
    record->len = ring.tp_snaplen;
    record->meta.sec = ring.tp_sec;
    record->meta.nsec = ring.tp_nsec;
    record->meta.fine_clock = true;
    record->meta.wire_len = ring.tp_len;
    set_address(&record->meta, &address);
}

/* The header of an int: packet is libtrace's own, as measured: three clock words, the mode of the
 * time stamp, wire length, capture length, the kernel's address. */
static bool read_native(const uint8_t *header, struct plt_record *record)
{
    enum { WIRE = 20, CAPTURE = 24, ADDRESS = 28 };
    struct sockaddr_ll address;
    uint32_t lengths[2];
    memcpy(lengths, header + WIRE, sizeof(lengths));
    memcpy(&address, header + ADDRESS, sizeof(address));
    if (address.sll_family != AF_PACKET || lengths[1] > LIBTRACE_PACKET_BUFSIZE)
        return false; /* another layout than libtrace 3 and 4 have */
    record->len = lengths[1];
    record->meta.fine_clock = true;
    record->meta.wire_len = lengths[0];
    set_address(&record->meta, &address);
    return true;
}

/* Read what an interface of Linux gave; false for all else. */
static bool read_linux(libtrace_packet_t *packet, struct plt_record *record)
{
    if (packet->type == TRACE_RT_DATA_LINUX_RING) {
        read_ring(packet->header, record);
    } else if (packet->type == TRACE_RT_DATA_LINUX_NATIVE && read_native(packet->header, record)) {
        compat_set_cache(packet, record->len, record->len, LIBTRACE_TYPE_ETH);
        set_time(packet, &record->meta);
    } else {
        return false;
    }
    record->meta.capture_len = record->len;
    meta_set_wire_len(&record->meta, record->data, record->len, (uint32_t)record->meta.wire_len);
    return true;
}

#else

static bool read_linux(libtrace_packet_t *Py_UNUSED(packet), struct plt_record *Py_UNUSED(record))
{
    return false;
}

#endif

/* How to decode what formats have that only libtrace reads. */
static uint32_t dlt_of_linktype(libtrace_linktype_t linktype)
{
    switch (linktype) {
    case TRACE_TYPE_ETH:
        return LINKTYPE_ETHERNET;
    case TRACE_TYPE_NONE:
        return LINKTYPE_DLT_RAW;
    case TRACE_TYPE_ATM:
    case TRACE_TYPE_AAL5:
        return LINKTYPE_ERF_ATM;
    case TRACE_TYPE_POS:
    case TRACE_TYPE_HDLC_POS:
    case TRACE_TYPE_PPP:
        return LINKTYPE_ERF_HDLC;
    case TRACE_TYPE_LLCSNAP:
        return LINKTYPE_ATM_RFC1483;
    case TRACE_TYPE_LINUX_SLL:
        return LINKTYPE_LINUX_SLL;
    case TRACE_TYPE_80211:
        return LINKTYPE_IEEE802_11;
    case TRACE_TYPE_80211_RADIO:
        return LINKTYPE_IEEE802_11_RADIOTAP;
    default:
        return LINKTYPE_UNDECODED;
    }
}

/* Ask libtrace. */
static void read_other(libtrace_packet_t *packet, struct plt_record *record)
{
    uint32_t remaining = 0;
    libtrace_linktype_t linktype = TRACE_TYPE_UNKNOWN;
    record->data = trace_get_packet_buffer(packet, &linktype, &remaining);
    record->len = record->data ? remaining : 0;
    set_time(packet, &record->meta);
    record->meta.wire_len = trace_get_wire_length(packet);
    record->meta.capture_len = record->len;
    record->meta.linktype = (int16_t)linktype;
    record->meta.direction = (int8_t)trace_get_direction(packet);
    record->meta.dlt = dlt_of_linktype(linktype);
}

bool framing_is_message(const libtrace_packet_t *packet)
{
    return (int)packet->type > 0 && (int)packet->type < TRACE_RT_DATA_SIMPLE;
}

bool framing_is_end(const libtrace_packet_t *packet)
{
    return packet->type == TRACE_RT_END_DATA;
}

/* Packets of rt: follow each other at any address, but libtrace reads two words of a header at
 * once, which 32-bit ARM can only where they are aligned: it is given a copy. */
int framing_read(libtrace_packet_t *packet, struct plt_record *record)
{
    *record = (struct plt_record){.data = packet->payload,
                                  .meta = {.linktype = PLT_LINKTYPE_OF_DLT, .direction = -1}};
    if (!packet->header || !packet->payload) {
        PyErr_SetString(PyExc_OSError, "libtrace gave a packet without bytes");
        return -1;
    }
    uint64_t aligned[8];
    void *header = packet->header;
    ptrdiff_t len = (const uint8_t *)packet->payload - (const uint8_t *)header;
    if ((uintptr_t)header % sizeof(*aligned) != 0 && len > 0 && (size_t)len <= sizeof(aligned))
        packet->header = memcpy(aligned, header, (size_t)len);
    if (!read_linux(packet, record))
        read_other(packet, record);
    packet->header = header;
    return 0;
}
