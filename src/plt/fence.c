/* Packets of ours in the form that libtrace takes, for what it does to packets: to write them.  All
 * that it would compute from a framing header is set beforehand, so that it meets no header, length
 * or link type on which it would end the process (doc/robustness.md). */
#include "libtrace_compat.h"

int fence_packet_init(struct fence_packet *self)
{
    self->trace = trace_create_dead("pcapfile");
    self->packet = self->trace ? trace_create_packet() : NULL;
    if (self->packet)
        return 0;
    fence_packet_clear(self);
    PyErr_NoMemory();
    return -1;
}

void fence_packet_clear(struct fence_packet *self)
{
    if (self->packet) {
        self->packet->buf_control = TRACE_CTRL_EXTERNAL; /* the bytes are not its own */
        self->packet->buffer = NULL;
        self->packet->trace = NULL;
        trace_destroy_packet(self->packet);
    }
    if (self->trace)
        trace_destroy_dead(self->trace);
    self->packet = NULL;
    self->trace = NULL;
}

int fence_dlt(const struct plt_meta *meta)
{
    switch (meta->dlt) {
    case TRACE_DLT_EN10MB:
    case TRACE_DLT_PPP:
    case TRACE_DLT_PPP_SERIAL:
    case TRACE_DLT_C_HDLC:
    case TRACE_DLT_IEEE802_11:
    case TRACE_DLT_LINUX_SLL:
    case TRACE_DLT_PFLOG:
    case TRACE_DLT_IEEE802_11_RADIO:
    case TRACE_DLT_OPENBSD_LOOP:
        return (int)meta->dlt;
    case LINKTYPE_ATM_RFC1483:
    case TRACE_DLT_ATM_RFC1483:
        return TRACE_DLT_ATM_RFC1483;
    case LINKTYPE_DLT_RAW_OPENBSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
    case TRACE_DLT_LINKTYPE_RAW:
    case TRACE_DLT_RAW:
        return TRACE_DLT_RAW;
    default:
        return TRACE_DLT_ERROR;
    }
}

static int linktype_of(int dlt)
{
    switch (dlt) {
    case TRACE_DLT_PPP_SERIAL:
    case TRACE_DLT_C_HDLC:
        return TRACE_TYPE_POS;
    default:
        return plt_linktype_of_dlt((uint32_t)dlt);
    }
}

void fence_packet_set(struct fence_packet *self, uint8_t *data, uint32_t len, int dlt,
                      const struct plt_meta *meta)
{
    libtrace_packet_t *packet = self->packet;
    uint32_t extra = plt_wire_extra(data, len, meta);
    uint64_t wire_len = meta->wire_len < UINT32_MAX ? meta->wire_len : UINT32_MAX;
    self->header[0] = (uint32_t)meta->sec;
    self->header[1] = meta->nsec / 1000;
    self->header[2] = len;
    self->header[3] = (uint32_t)(wire_len > extra ? wire_len - extra : 0);
    packet->trace = self->trace;
    packet->header = self->header;
    packet->payload = data;
    packet->buffer = NULL;
    packet->buf_control = TRACE_CTRL_EXTERNAL;
    packet->type = (libtrace_rt_types_t)((int)TRACE_RT_DATA_DLT + dlt);
    /* libtrace asserts that these two are less than its buffer's size, the header's are free */
    compat_set_cache(packet, len < FENCE_MAX_LENGTH ? len : FENCE_MAX_LENGTH,
                     wire_len < FENCE_MAX_LENGTH ? (uint32_t)wire_len : FENCE_MAX_LENGTH,
                     linktype_of(dlt));
}
