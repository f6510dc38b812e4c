/* From a packet to the DNS messages in it.
 *
 * A UDP datagram is a message.  In TCP each message has its length before it (RFC 1035 section
 * 4.2.2), and may begin anywhere and end segments later: of each direction is remembered where the
 * next begins.  Nothing is joined: a message is what its first segment has of it. */
#include "packet.h"

#include "ahead.h"
#include "payload.h"

#include <ldns/ldns.h>

#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/linktypes.h"
#include "packet/protocols.h"
#include "packet/straight.h"

#include <string.h>

enum {
    PREFIX = 2,
    FAR = 1 << 24 /* sequence numbers of one connection are never so far apart */
};

static bool has_port(const uint8_t ports[PLDNS_PORTS_SIZE], uint16_t port)
{
    return ports[port / 8] >> port % 8 & 1;
}

void pldns_packet_set_record(struct pldns_packet *packet, const struct plt_record *record)
{
    packet->data = record->data;
    packet->wire_len = record->meta.wire_len;
    packet->time = 0;
    packet->has_time = plt_time_ns(&record->meta, &packet->time);
}

/* An IPv4 address and the zeroes after it, written at once: all of them are read soon after. */
static inline void set_ip4(uint8_t address[16], const uint8_t *bytes)
{
    uint8_t whole[16] = {0};
    memcpy(whole, bytes, 4);
    memcpy(address, whole, sizeof(whole));
}

static void set_ends(struct pldns_packet *packet, const struct plt_layers *layers)
{
    const uint8_t *ip = packet->data + layers->layer3;
    const uint8_t *ports = packet->data + layers->transport;
    struct pldns_ends *ends = &packet->ends;
    ends->version = layers->version;
    ends->proto = layers->proto;
    ends->id = 0;
    ends->src_port = load_be16(ports);
    ends->dst_port = load_be16(ports + 2);
    if (layers->version == 4) {
        set_ip4(ends->src, ip + 12);
        set_ip4(ends->dst, ip + 16);
    } else {
        memcpy(ends->src, ip + 8, 16);
        memcpy(ends->dst, ip + 24, 16);
    }
}

static void open_udp(struct pldns_packet *packet, uint32_t transport, uint32_t there)
{
    if (there < UDP_HEADER)
        return;
    uint32_t length = load_be16(packet->data + transport + 4);
    packet->at = transport + UDP_HEADER;
    /* a fragmented datagram is longer than its first packet; 0 is offload or an IPv6 jumbogram */
    if (length >= UDP_HEADER)
        packet->end = transport + length;
    if (packet->captured > packet->end)
        packet->captured = packet->end;
    packet->open = packet->at < packet->end;
}

bool pldns_begins_message(const uint8_t *bytes, uint32_t captured, uint32_t size)
{
    uint32_t at = 0;
    uint32_t first = 0;
    while (captured >= at && captured - at >= PREFIX) {
        uint32_t length = load_be16(bytes + at);
        if (length < PLDNS_HEADER_SIZE)
            return false;
        first = first ? first : length;
        at += PREFIX + length;
    }
    if (at == size)
        return true;
    const uint8_t *wire = bytes + PREFIX;
    uint32_t there = captured > PREFIX ? captured - PREFIX : 0;
    struct pldns_question question;
    if (first == 0 || !pldns_question_read(wire, there < first ? there : first, &question))
        return false;
    uint16_t flags = load_be16(wire + 2);
    bool known_class =
        question.rr_class == LDNS_RR_CLASS_IN || question.rr_class == LDNS_RR_CLASS_CH ||
        question.rr_class == LDNS_RR_CLASS_HS || question.rr_class == LDNS_RR_CLASS_ANY;
    bool known_opcode = (flags >> 11 & 0xf) <= 6;
    bool reserved = flags & 0x40; /* RFC 1035 section 4.1.1: must be zero */
    return load_be16(wire + 4) == 1 && known_class && known_opcode && !reserved;
}

static bool begins_message(const struct pldns_packet *packet)
{
    uint32_t captured = packet->captured > packet->at ? packet->captured - packet->at : 0;
    return pldns_begins_message(packet->data + packet->at, captured, packet->end - packet->at);
}

/* Find where messages begin in a segment that does not begin where the last one ended.  False where
 * it has nothing new. */
static bool realign(struct pldns_packet *packet, uint32_t sequence)
{
    struct pldns_stream *stream = &packet->stream;
    uint32_t size = packet->end - packet->at;
    uint32_t ahead = sequence - stream->next;
    uint32_t again = stream->next - sequence;
    if (again < FAR) { /* so many bytes were sent before */
        if (again >= size)
            return false;
        packet->at += again;
    } else if (ahead < FAR && stream->synchronous && ahead <= stream->skip) {
        stream->skip = (uint16_t)(stream->skip - ahead); /* lost, but of no interest */
    } else {
        stream->synchronous = false;
    }
    return true;
}

/* Look up and bring up to date the stream of a segment; false when out of memory. */
static bool open_tcp(struct pldns_packet *packet, uint32_t transport, uint32_t there,
                     struct pldns_matcher *matcher)
{
    const uint8_t *header = packet->data + transport;
    if (there < TCP_HEADER)
        return true;
    uint32_t header_size = (header[12] >> 4) * 4U;
    uint32_t sequence = load_be32(header + 4);
    bool syn = header[13] & TCP_SYN;
    packet->at = transport + header_size;
    if (header_size < TCP_HEADER || (packet->at >= packet->end && !syn))
        return true;
    uint64_t hash = pldns_memory_hash(&matcher->streams, &packet->ends);
    struct pldns_entry *entry = pldns_memory_find(&matcher->streams, &packet->ends, hash);
    bool is_new = !entry;
    if (is_new)
        entry = pldns_memory_add(&matcher->streams, &packet->ends, hash, 0);
    if (!entry)
        return false;
    pldns_memory_touch(&matcher->streams, entry);
    packet->stream = entry->stream;
    if (syn)
        sequence++;
    if (syn || is_new)
        packet->stream = (struct pldns_stream){.next = sequence, .synchronous = syn};
    if (packet->at < packet->end) {
        uint32_t next = sequence + (packet->end - packet->at);
        if (!realign(packet, sequence))
            return true;
        packet->stream.next = next;
        packet->open = packet->stream.synchronous || begins_message(packet);
        bool is_assumed = matcher->ahead && is_new && !syn;
        if (is_assumed && !pldns_assume(matcher, &packet->ends, sequence, packet->open))
            return false;
        if (packet->open && !packet->stream.synchronous)
            packet->stream = (struct pldns_stream){.next = next, .synchronous = true};
    }
    entry->stream = packet->stream;
    return true;
}

bool pldns_has_port(const uint8_t *data, const struct plt_layers *layers,
                    const uint8_t ports[PLDNS_PORTS_SIZE])
{
    uint32_t transport = layers->transport;
    if (transport == PLT_ABSENT || (layers->version != 4 && layers->version != 6) ||
        (layers->proto != PROTO_UDP && layers->proto != PROTO_TCP) || transport >= layers->ip_end ||
        layers->ip_end - transport < 4)
        return false;
    /* both are looked at: which of them it is, is hard to foresee */
    unsigned src = has_port(ports, load_be16(data + transport));
    unsigned dst = has_port(ports, load_be16(data + transport + 2));
    return src | dst;
}

/* Inline: most layers come from the straight path, and need not be put together then. */
static inline bool open_record(struct pldns_packet *packet, const struct plt_record *record,
                               const struct plt_layers *layers,
                               const uint8_t ports[PLDNS_PORTS_SIZE], struct pldns_matcher *matcher)
{
    packet->open = false;
    if (!pldns_has_port(record->data, layers, ports))
        return true;
    uint32_t transport = layers->transport;
    pldns_packet_set_record(packet, record);
    set_ends(packet, layers);
    packet->captured = layers->ip_end;
    packet->end = layers->layer3 + layers->ip_len;
    if (layers->proto == PROTO_TCP)
        return open_tcp(packet, transport, layers->ip_end - transport, matcher);
    open_udp(packet, transport, layers->ip_end - transport);
    return true;
}

bool pldns_packet_open(struct pldns_packet *packet, const struct plt_record *record,
                       const struct plt_layers *layers, const uint8_t ports[PLDNS_PORTS_SIZE],
                       struct pldns_matcher *matcher)
{
    return open_record(packet, record, layers, ports, matcher);
}

/* The same of a record that the straight path does not know. */
static bool open_other(struct pldns_packet *packet, const struct plt_record *record,
                       const uint8_t ports[PLDNS_PORTS_SIZE], struct pldns_matcher *matcher)
{
    struct plt_layers layers;
    plt_decode_general(record->data, record->len, &record->meta, ROOT_LINK, 0, &layers);
    return open_record(packet, record, &layers, ports, matcher);
}

bool pldns_packet_decode(struct pldns_packet *packet, const struct plt_record *record,
                         const uint8_t ports[PLDNS_PORTS_SIZE], struct pldns_matcher *matcher)
{
    struct plt_layers straight; /* which stays in registers: little of it is used */
    if (record->layers)
        return pldns_packet_open(packet, record, record->layers, ports, matcher);
    if (decode_straight(record->data, record->len, &record->meta, &straight))
        return open_record(packet, record, &straight, ports, matcher);
    return open_other(packet, record, ports, matcher);
}

/* Read what there is of the next message's length prefix; false where the message does not begin in
 * this segment, or it is no longer known where. */
static bool read_prefix(struct pldns_packet *packet)
{
    struct pldns_stream *stream = &packet->stream;
    while (stream->held < PREFIX) {
        if (packet->at >= packet->end)
            return false;
        if (packet->at >= packet->captured) {
            stream->synchronous = false;
            return false;
        }
        stream->length = (uint16_t)(stream->length << 8 | packet->data[packet->at++]);
        stream->held++;
    }
    return packet->at < packet->end || stream->length == 0;
}

static bool next_in_stream(struct pldns_packet *packet, struct pldns_found *found)
{
    struct pldns_stream *stream = &packet->stream;
    uint32_t left = packet->end - packet->at;
    uint32_t skip = stream->skip < left ? stream->skip : left;
    packet->at += skip;
    stream->skip = (uint16_t)(stream->skip - skip);
    if (stream->skip > 0 || !read_prefix(packet))
        return false;
    uint32_t there = packet->captured > packet->at ? packet->captured - packet->at : 0;
    *found = (struct pldns_found){.wire = packet->data + packet->at,
                                  .size = there < stream->length ? there : stream->length,
                                  .length = stream->length};
    if (there == 0)
        found->wire = packet->data;
    stream->skip = stream->length;
    stream->length = 0;
    stream->held = 0;
    return true;
}

bool pldns_packet_next(struct pldns_packet *packet, struct pldns_matcher *matcher,
                       struct pldns_found *found)
{
    if (packet->ends.proto == PROTO_TCP) {
        packet->open = next_in_stream(packet, found);
        uint64_t hash = packet->open ? 0 : pldns_memory_hash(&matcher->streams, &packet->ends);
        struct pldns_entry *entry =
            packet->open ? NULL : pldns_memory_find(&matcher->streams, &packet->ends, hash);
        if (entry)
            entry->stream = packet->stream;
        return packet->open;
    }
    packet->open = false;
    uint32_t there = packet->captured > packet->at ? packet->captured - packet->at : 0;
    *found = (struct pldns_found){.wire = packet->data + (there ? packet->at : 0),
                                  .size = there,
                                  .length = packet->end - packet->at};
    return true;
}
