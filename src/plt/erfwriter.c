/* The writer of ERF files, Endace's extensible record format. */
#include "writer.h"

#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/erfrecord.h"
#include "packet/protocols.h"

#include "frame.h"
#include "sink.h"

#include <string.h>

enum { ETH_PAD = 2 }; /* bytes before an Ethernet frame */

/* How a packet goes into a record: its type, and the bytes of a header that it has no place for. */
struct placed {
    int type; /* -1 where there is none for the packet */
    uint32_t strip;
};

/* IP in Linux cooked packets: without their header, as libtrace writes it too. */
static struct placed place_cooked(const uint8_t *data, uint32_t len, uint32_t protocol_at,
                                  uint32_t size)
{
    uint16_t protocol = len >= size ? load_be16(data + protocol_at) : 0;
    if (protocol == ETHERTYPE_IP)
        return (struct placed){ERF_IPV4, size};
    if (protocol == ETHERTYPE_IP6)
        return (struct placed){ERF_IPV6, size};
    return (struct placed){.type = -1};
}

static struct placed place(const struct frame *frame)
{
    const uint8_t *data = frame->data;
    uint32_t len = frame->len;
    uint8_t first = len > 0 ? data[0] : 0;
    switch (frame->meta.dlt) {
    case LINKTYPE_ETHERNET:
        return (struct placed){.type = ERF_ETH};
    case LINKTYPE_DLT_RAW: /* IP, of either version */
    case LINKTYPE_DLT_RAW_OPENBSD:
    case LINKTYPE_RAW:
        return (struct placed){.type = first >> 4 == 6 ? ERF_IPV6 : ERF_IPV4};
    case LINKTYPE_IPV4:
        return (struct placed){.type = ERF_IPV4};
    case LINKTYPE_IPV6:
        return (struct placed){.type = ERF_IPV6};
    case LINKTYPE_C_HDLC:
    case LINKTYPE_ERF_HDLC:
    case LINKTYPE_LEGACY_POS:
        return (struct placed){.type = ERF_HDLC_POS};
    case LINKTYPE_PPP: /* with address and control (RFC 1662 section 3.1), for readers see by these
                        */
    case LINKTYPE_PPP_HDLC:
        if (first == 0xff ||
            (frame->meta.dlt == LINKTYPE_PPP_HDLC && (first == 0x0f || first == 0x8f)))
            return (struct placed){.type = ERF_HDLC_POS};
        break;
    case LINKTYPE_LINUX_SLL:
        return place_cooked(data, len, 14, 16);
    case LINKTYPE_LINUX_SLL2:
        return place_cooked(data, len, 0, 20);
    case LINKTYPE_ERF_ATM:
    case LINKTYPE_LEGACY_ATM:
        return (struct placed){.type =
                                   frame->meta.linktype == LIBTRACE_TYPE_AAL5 ? ERF_AAL5 : ERF_ATM};
    case LINKTYPE_UNDECODED:
        if (frame->meta.linktype == LIBTRACE_TYPE_METADATA)
            return (struct placed){.type = ERF_META};
        break;
    default:
        break;
    }
    return (struct placed){.type = -1};
}

/* What a field of 16 bits has no room for: OSError, -1. */
static int too_large(const char *what, unsigned long long size, unsigned long long most)
{
    PyErr_Format(PyExc_OSError, "ERF records have no room for %s of %llu bytes, but of %llu", what,
                 size, most);
    return -1;
}

/* The wire length of a record of len bytes of a packet.  Readers take no more of a record than
 * that, and an Ethernet frame to end four bytes before it: ERF counts the FCS, also where the
 * source has counted another (draft-ietf-opsawg-pcapng section 4.2, if_fcslen), or fewer bytes than
 * it has. */
static uint64_t wire_length(const struct plt_meta *meta, struct placed placed, uint32_t len)
{
    uint64_t wire_len = meta->wire_len > placed.strip ? meta->wire_len - placed.strip : 0;
    if (placed.type == ERF_ETH && wire_len < len)
        return (uint64_t)len + ETHERNET_FCS;
    if (placed.type == ERF_ETH && meta->fcs_counted && wire_len >= meta->fcs)
        wire_len = wire_len - meta->fcs + ETHERNET_FCS;
    return wire_len < len ? len : wire_len;
}

static int erf_write(struct writer *self, const struct frame *frame)
{
    const struct plt_meta *meta = &frame->meta;
    struct placed placed = place(frame);
    if (placed.type < 0) {
        PyErr_Format(PyExc_OSError, "ERF has no record type for this packet of link type %u",
                     meta->dlt);
        return -1;
    }
    uint32_t pad = placed.type == ERF_ETH ? ETH_PAD : 0;
    uint32_t len = frame->len - placed.strip;
    uint64_t wire_len = wire_length(meta, placed, len);
    if (len > UINT16_MAX - ERF_HEADER - pad)
        return too_large("a packet", len, UINT16_MAX - ERF_HEADER - pad);
    if (wire_len > UINT16_MAX)
        return too_large("a length on the wire", wire_len, UINT16_MAX);
    if (meta->sec < 0 || meta->sec > UINT32_MAX) {
        PyErr_SetString(PyExc_OSError, "ERF records have no room for the packet's time");
        return -1;
    }
    uint8_t *record = sink_record(self->sink, ERF_HEADER + pad + (size_t)len);
    if (!record)
        return -1;
    int direction = plt_direction(frame->data, frame->len, meta);
    store_le64(record, plt_erf_time(meta));
    record[8] = (uint8_t)placed.type;
    record[9] = direction < 0 ? 1 : (uint8_t)direction & 3; /* unknown is 1, as libtrace has it */
    store_be16(record + 10, (uint16_t)(ERF_HEADER + pad + len));
    store_be16(record + 12, 0); /* packets lost: the capture's count is not a packet's */
    store_be16(record + 14, (uint16_t)wire_len);
    memset(record + ERF_HEADER, 0, pad);
    memcpy(record + ERF_HEADER + pad, frame->data + placed.strip, len);
    return 0;
}

struct writer *erf_writer_new(struct sink *sink, const uint8_t *Py_UNUSED(header),
                              size_t Py_UNUSED(header_len))
{
    return writer_new(sizeof(struct writer), sink, erf_write);
}
