/* A packet of any link type, anonymised: its layers stay where they are, the checksum of an IPv4
 * header stays as right or wrong as it was, an address comes back.
 *
 * An input: link type (packets.h), what to replace and clear, then the packet. */
#include "packets.h"

#include "natkit/anonymise/cryptopan.h"
#include "natkit/anonymise/layers.h"
#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/property.h"

enum {
    HEAD = 2,
    NOT_SRC = 1,
    NOT_DST = 2,
    NOT_SIGNALLING = 4,
    ZERO_UNKNOWN = 8,
    ZERO_PAYLOAD = 16,
    DROP_PAYLOAD = 32
};

static struct cryptopan *pan;

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
    uint8_t key[CRYPTOPAN_KEY_SIZE];
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < CRYPTOPAN_KEY_SIZE; i++)
        key[i] = (uint8_t)(i * 7 + 1);
    pan = cryptopan_new(key);
    if (!pan)
        abort();
    return 0;
}

/* The one's complement sum of the IPv4 header, modulo 2**16 - 1; whether all of it is there. */
static bool header_sum(const struct plt_layers *layers, const uint8_t *data, uint32_t len,
                       uint32_t *sum)
{
    if (layers->version != 4 || len - layers->layer3 < 20)
        return false;
    const uint8_t *header = data + layers->layer3;
    uint32_t size = (uint32_t)(header[0] & 0xf) * 4;
    if (size < 20 || size > len - layers->layer3)
        return false;
    *sum = 0;
    for (uint32_t i = 0; i < size; i += 2)
        *sum = (*sum + load_be16(header + i)) % 0xffff;
    return true;
}

/* The addresses of a packet's header, as far as they are there, mapped back. */
static void check_addresses(const struct plt_packet *packet, const uint8_t *before, uint8_t flags)
{
    static const enum property_id ids[] = {PROPERTY_SRC_PREFIX, PROPERTY_DST_PREFIX};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t size = 0;
        uint8_t address[16];
        const uint8_t *found = property_address(ids[i], packet, &size);
        if (!found)
            continue;
        memcpy(address, found, size);
        if (!(flags & (i == 0 ? NOT_SRC : NOT_DST)))
            cryptopan_deanonymise(pan, size == 4 ? 4 : 6, address);
        CLAIM(memcmp(address, before + (found - packet->data), size) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct plt_layers layers;
    struct plt_layers after;
    uint8_t link = take_byte(&in);
    uint8_t flags = take_byte(&in);
    uint32_t sum = 0;
    uint32_t sum_after = 0;
    uint8_t *copy = copy_of(in.data, in.size);
    struct plt_record record = packet_record(link, copy, in.size, 0);
    record_layers(&record, &layers);
    /* a header may go on into a frame check sequence, which is no part of it */
    uint32_t end = layers.ip_end < record.len ? layers.ip_end : record.len;
    bool has_sum = header_sum(&layers, copy, end, &sum);
    struct stretch frame = {.data = copy, .len = record.len};
    struct anonymising work = {.pan = pan,
                               .src = !(flags & NOT_SRC),
                               .dst = !(flags & NOT_DST),
                               .signalling = !(flags & NOT_SIGNALLING),
                               .zero_unknown = flags & ZERO_UNKNOWN,
                               .zero_payload = flags & ZERO_PAYLOAD,
                               .drop_payload = flags & DROP_PAYLOAD};
    natkit_anonymise(&work, &frame, &layers, record.meta.dlt);
    CLAIM(!cryptopan_failed(pan));
    CLAIM(work.unknowns <= MAX_UNKNOWN);
    for (unsigned i = 0; i < work.unknowns; i++)
        touch(work.unknown[i].what, strlen(work.unknown[i].what));
    if (work.payload)
        CLAIM(work.payload >= copy && work.payload <= copy + record.len);
    /* too many headers within each other, or a malformed subframe: what is in it is told */
    bool is_left = work.unknowns > 0 && (layers.nsh_at != 0 || layers.subframe_at != 0);
    /* some link types are guessed from what follows, addresses among it */
    if (link <= 1 && layers.version != 0 && !is_left && !(flags & ZERO_UNKNOWN)) {
        record_layers(&record, &after);
        CLAIM(after.layer3 == layers.layer3 && after.version == layers.version);
        struct plt_packet packet = {
            .data = copy, .len = record.len, .layers = &after, .meta = &record.meta};
        check_addresses(&packet, in.data, flags);
    }
    if (has_sum && !is_left) {
        header_sum(&layers, copy, end, &sum_after);
        CLAIM(sum == sum_after);
    }
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    uint64_t state = seed;
    size = LLVMFuzzerMutate(data, size, room);
    if (size > HEAD && chance(&state, 3) == 0)
        mutate_checksum(data + HEAD, size - HEAD, &state);
    return size;
}
