/* Packets in the inputs of fuzzers, and a mutator that knows IP, fragments and TCP. */
#include "packets.h"

#include "packet/bytes.h"
#include "packet/linktypes.h"
#include "packet/meta.h"
#include "packet/protocols.h"

#define SECOND INT64_C(1000000000)

/* --- Reading --------------------------------------------------------------------------------- */

/* How much later than the one before a packet is: beside and across all timeouts. */
static const int64_t times[] = {0,
                                1,
                                1000,
                                1000000,
                                SECOND / 2,
                                SECOND,
                                5 * SECOND,
                                30 * SECOND,
                                60 * SECOND,
                                61 * SECOND,
                                600 * SECOND,
                                -1,
                                -SECOND,
                                -60 * SECOND,
                                -61 * SECOND,
                                INT64_C(1) << 60};

enum { TIMES = sizeof(times) / sizeof(times[0]) };

struct plt_record packet_record(uint8_t link, const uint8_t *data, size_t size, uint32_t more)
{
    size_t count = 0;
    const struct link_row *rows = link_rows(&count);
    uint32_t dlt = link == 0   ? LINKTYPE_ETHERNET
                   : link == 1 ? LINKTYPE_RAW
                               : rows[(size_t)(link - 2) % count].number;
    struct plt_record record = {.data = data,
                                .len = (uint32_t)size,
                                .meta = {.capture_len = (uint32_t)size,
                                         .dlt = dlt,
                                         .linktype = PLT_LINKTYPE_OF_DLT,
                                         .direction = -1,
                                         .fine_clock = true}};
    meta_set_wire_len(&record.meta, data, record.len, record.len + more);
    return record;
}

struct packet_reader packets_begin(const uint8_t *data, size_t size)
{
    return (struct packet_reader){.in = {data, size}, .time = SECOND << 30};
}

bool packets_next(struct packet_reader *reader, struct plt_record *record)
{
    packets_end(reader);
    if (reader->in.size < PACKET_HEAD)
        return false;
    int64_t step = times[take_byte(&reader->in) % TIMES];
    uint8_t link = take_byte(&reader->in);
    uint32_t length = take_le(&reader->in, 2);
    size_t size = length & (PACKET_CUT - 1);
    if (size > reader->in.size)
        size = reader->in.size;
    if (step > 0 ? reader->time < INT64_MAX - step : reader->time > INT64_MIN - step)
        reader->time += step;
    reader->copy = copy_of(reader->in.data, size);
    *record = packet_record(link, reader->copy, size, length & PACKET_CUT ? 1000 : 0);
    record->meta.sec = reader->time / SECOND - (reader->time % SECOND < 0);
    record->meta.nsec = (uint32_t)((reader->time % SECOND + SECOND) % SECOND);
    reader->in.data += size;
    reader->in.size -= size;
    return true;
}

void packets_end(struct packet_reader *reader)
{
    free(reader->copy);
    reader->copy = NULL;
}

/* --- Changing one packet ---------------------------------------------------------------------- */

static void set_checksum(uint8_t *header)
{
    uint32_t sum = 0;
    size_t size = (size_t)(header[0] & 0xf) * 4;
    store_be16(header + 10, 0);
    for (size_t i = 0; i < size; i += 2)
        sum += load_be16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    store_be16(header + 10, (uint16_t)~sum);
}

void mutate_checksum(uint8_t *data, size_t size, uint64_t *state)
{
    size_t start = chance(state, (uint32_t)size);
    for (size_t i = 0; i < size; i++) {
        size_t at = (start + i) % size;
        unsigned words = data[at] & 0xf;
        if (data[at] >> 4 != 4 || words < 5 || size - at < (size_t)words * 4)
            continue;
        if (chance(state, 2))
            store_be16(data + at + 2, (uint16_t)(size - at));
        set_checksum(data + at);
        return;
    }
}

/* A packet's IP header, as far as the mutator looks for one. */
struct headers {
    uint8_t *ip; /* NULL where there is none */
    uint8_t *tcp;
    size_t ip_size;
    size_t tcp_size;
};

static struct headers headers_of(uint8_t link, uint8_t *data, size_t size)
{
    struct headers out = {.ip = NULL};
    size_t skip = link == 0 ? ETHERNET_HEADER : 0;
    if (link > 1 || size < skip + IP_HEADER)
        return out;
    out.ip = data + skip;
    out.ip_size = size - skip;
    size_t header = *out.ip >> 4 == 4 ? (size_t)(*out.ip & 0xf) * 4 : IP6_HEADER;
    uint8_t proto = *out.ip >> 4 == 4 ? out.ip[9] : out.ip[6];
    if (proto == PROTO_TCP && header >= IP_HEADER && out.ip_size >= header + TCP_HEADER) {
        out.tcp = out.ip + header;
        out.tcp_size = out.ip_size - header;
    }
    return out;
}

static void swap_bytes(uint8_t *one, uint8_t *other, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t kept = one[i];
        one[i] = other[i];
        other[i] = kept;
    }
}

/* Let a packet go the other way. */
static void reverse(const struct headers *headers)
{
    if (*headers->ip >> 4 == 4)
        swap_bytes(headers->ip + 12, headers->ip + 16, 4);
    else if (headers->ip_size >= IP6_HEADER)
        swap_bytes(headers->ip + 8, headers->ip + 24, 16);
    if (headers->tcp)
        swap_bytes(headers->tcp, headers->tcp + 2, 2);
}

/* Sequence numbers, flags and window of a segment. */
static void change_tcp(const struct headers *headers, uint64_t *state)
{
    static const uint32_t steps[] = {1, 2, 4, 100, 1460, 65535, 1U << 20, 1U << 28, 1U << 31};
    static const uint8_t flags[] = {0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x01, 0x19, 0x00};
    uint8_t *tcp = headers->tcp;
    uint32_t step = steps[chance(state, sizeof(steps) / sizeof(steps[0]))];
    step = chance(state, 2) ? step : 0 - step;
    switch (chance(state, 5)) {
    case 0:
        store_be32(tcp + 4, load_be32(tcp + 4) + step);
        break;
    case 1:
        store_be32(tcp + 8, load_be32(tcp + 8) + step);
        break;
    case 2:
        tcp[13] = flags[chance(state, sizeof(flags))];
        break;
    case 3:
        store_be16(tcp + 14, (uint16_t)chance(state, 65536));
        break;
    default: /* the segment after this one */
        store_be32(tcp + 4, load_be32(tcp + 4) + (uint32_t)headers->tcp_size - TCP_HEADER);
        break;
    }
}

/* Make a packet a fragment, or none. */
static void change_fragment(const struct headers *headers, uint64_t *state)
{
    static const uint16_t words[] = {0, 0x2000, 0x2001, 0x0001, 0x0002, 0x2002, 0x3fff, 0x1fff};
    if (*headers->ip >> 4 == 4)
        store_be16(headers->ip + 6, words[chance(state, sizeof(words) / sizeof(words[0]))]);
}

static void change_headers(uint8_t link, uint8_t *data, size_t size, uint64_t *state)
{
    struct headers headers = headers_of(link, data, size);
    if (!headers.ip)
        return;
    switch (chance(state, 8)) {
    case 0:
        reverse(&headers);
        break;
    case 1:
        change_fragment(&headers, state);
        break;
    case 2:
        mutate_checksum(headers.ip, headers.ip_size, state);
        break;
    default:
        if (headers.tcp)
            change_tcp(&headers, state);
    }
    if (*headers.ip >> 4 == 4 && (*headers.ip & 0xf) == 5 && chance(state, 2)) {
        store_be16(headers.ip + 2, (uint16_t)headers.ip_size);
        set_checksum(headers.ip);
    }
}

/* --- Changing the sequence -------------------------------------------------------------------- */

enum { MOST_PACKETS = 256 };

/* Where the packets of an input are, their heads included. */
struct places {
    size_t at[MOST_PACKETS + 1]; /* the last is where they end */
    size_t count;
};

static void find_packets(const uint8_t *data, size_t size, size_t head, struct places *out)
{
    size_t at = head < size ? head : size;
    out->count = 0;
    while (size - at >= PACKET_HEAD && out->count < MOST_PACKETS) {
        size_t length = load_le16(data + at + 2) & (PACKET_CUT - 1);
        size_t left = size - at - PACKET_HEAD;
        out->at[out->count++] = at;
        at += PACKET_HEAD + (length < left ? length : left);
    }
    out->at[out->count] = at;
}

/* Put `put` bytes in the place of `cut` ones; the new size. */
static size_t splice(uint8_t *data, size_t size, size_t at, size_t cut, const uint8_t *bytes,
                     size_t put)
{
    memmove(data + at + put, data + at + cut, size - at - cut);
    memcpy(data + at, bytes, put);
    return size - cut + put;
}

/* Let libFuzzer change the bytes of a packet, whose length follows. */
static size_t change_bytes(uint8_t *data, size_t size, size_t room, size_t at, size_t length)
{
    size_t more = room - size < PACKET_CUT - 1 - length ? room - size : PACKET_CUT - 1 - length;
    uint8_t *copy = malloc(length + more + 1);
    if (!copy)
        return size;
    memcpy(copy, data + at + PACKET_HEAD, length);
    size_t changed = LLVMFuzzerMutate(copy, length, length + more);
    if (changed > length + more)
        changed = length;
    size = splice(data, size, at + PACKET_HEAD, length, copy, changed);
    unsigned word = (load_le16(data + at + 2) & PACKET_CUT) | (unsigned)changed;
    data[at + 2] = (uint8_t)word;
    data[at + 3] = (uint8_t)(word >> 8);
    free(copy);
    return size;
}

size_t mutate_packets(uint8_t *data, size_t size, size_t room, size_t head, unsigned seed)
{
    uint64_t state = seed;
    struct places places;
    find_packets(data, size, head, &places);
    uint32_t kind = chance(&state, 12);
    if (places.count == 0 || kind == 0)
        return LLVMFuzzerMutate(data, size, room);
    uint32_t n = chance(&state, (uint32_t)places.count);
    uint32_t other = chance(&state, (uint32_t)places.count);
    size_t at = places.at[n];
    size_t whole = places.at[n + 1] - at;
    uint8_t *copy = NULL;
    switch (kind) {
    case 1:
        return change_bytes(data, size, room, at, whole - PACKET_HEAD);
    case 2:
        return splice(data, size, at, whole, data, 0);
    case 3:
    case 4: /* once more, somewhere */
        if (size + whole > room)
            return splice(data, size, at, whole, data, 0);
        copy = copy_of(data + at, whole);
        size = splice(data, size, places.at[other], 0, copy, whole);
        if (kind == 4)
            change_headers(copy[1], data + places.at[other] + PACKET_HEAD, whole - PACKET_HEAD,
                           &state);
        break;
    case 5: /* somewhere else */
        copy = copy_of(data + at, whole);
        size = splice(data, size, at, whole, data, 0);
        find_packets(data, size, head, &places);
        size = splice(data, size, places.at[other < places.count ? other : places.count], 0, copy,
                      whole);
        break;
    case 6:
        data[at] = (uint8_t)chance(&state, TIMES);
        break;
    case 7:
        data[at + 3] ^= PACKET_CUT >> 8;
        break;
    default:
        change_headers(data[at + 1], data + at + PACKET_HEAD, whole - PACKET_HEAD, &state);
    }
    free(copy);
    return size;
}
