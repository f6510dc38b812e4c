/* Changes blocks of a pcapng file as blocks: both of a block's lengths stay right. */
#include "mutate_pcapng.h"

#include "packet/bytes.h"
#include "plt/pcapngfile.h"

enum { MOST_BLOCKS = 256, LEAST_BLOCK = BLOCK_HEADER + BLOCK_TRAILER };

struct blocks {
    size_t at[MOST_BLOCKS + 1]; /* the last is where they end */
    bool big_endian[MOST_BLOCKS];
    size_t count;
};

static uint32_t load(bool big_endian, const uint8_t *from)
{
    return big_endian ? load_be32(from) : load_le32(from);
}

static void store(bool big_endian, uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * (big_endian ? 3 - i : i));
}

static void store_half(bool big_endian, uint8_t *to, uint32_t value)
{
    to[big_endian] = (uint8_t)value;
    to[!big_endian] = (uint8_t)(value >> 8);
}

static void find_blocks(const uint8_t *data, size_t size, struct blocks *out)
{
    size_t at = 0;
    bool big_endian = false;
    out->count = 0;
    while (size - at >= LEAST_BLOCK && out->count < MOST_BLOCKS) {
        if (load_le32(data + at) == BLOCK_SECTION)
            big_endian = load_be32(data + at + 8) == PCAPNG_MAGIC;
        uint32_t length = load(big_endian, data + at + 4);
        if (length < LEAST_BLOCK || length > size - at)
            break;
        out->big_endian[out->count] = big_endian;
        out->at[out->count++] = at;
        at += length;
    }
    out->at[out->count] = at;
}

static size_t splice(uint8_t *data, size_t size, size_t at, size_t cut, const uint8_t *bytes,
                     size_t put)
{
    memmove(data + at + put, data + at + cut, size - at - cut);
    if (put)
        memcpy(data + at, bytes, put);
    return size - cut + put;
}

/* Put a body into the place of a block's, with lengths around it. */
static size_t replace_body(uint8_t *data, size_t size, size_t room, const struct blocks *blocks,
                           size_t n, const uint8_t *body, size_t body_size)
{
    size_t at = blocks->at[n];
    size_t old = blocks->at[n + 1] - at;
    size_t length = LEAST_BLOCK + ((body_size + 3) & ~(size_t)3);
    if (size - old + length > room)
        return size;
    uint8_t *block = calloc(1, length);
    if (!block)
        return size;
    memcpy(block, data + at, 4);
    store(blocks->big_endian[n], block + 4, (uint32_t)length);
    if (body_size)
        memcpy(block + BLOCK_HEADER, body, body_size);
    store(blocks->big_endian[n], block + length - BLOCK_TRAILER, (uint32_t)length);
    size = splice(data, size, at, old, block, length);
    free(block);
    return size;
}

/* Where a block's options begin in its body, by its type; `body_size` where there are none. */
static size_t options_of(uint32_t type, bool big_endian, const uint8_t *body, size_t body_size)
{
    size_t at = body_size;
    if (type == BLOCK_SECTION)
        at = 16;
    else if (type == BLOCK_INTERFACE)
        at = 8;
    else if (type == BLOCK_STATISTICS)
        at = 12;
    else if ((type == BLOCK_ENHANCED || type == BLOCK_PACKET) && body_size >= 20)
        at = 20 + (((size_t)load(big_endian, body + 12) + 3) & ~(size_t)3);
    return at < body_size ? at : body_size;
}

/* A copy of a block's body, with room for more behind it. */
static uint8_t *body_of(const uint8_t *data, const struct blocks *blocks, size_t n, size_t more,
                        size_t *size)
{
    *size = blocks->at[n + 1] - blocks->at[n] - LEAST_BLOCK;
    uint8_t *body = calloc(1, *size + more + 1);
    if (body)
        memcpy(body, data + blocks->at[n] + BLOCK_HEADER, *size);
    return body;
}

static size_t change_body(uint8_t *data, size_t size, size_t room, const struct blocks *blocks,
                          size_t n)
{
    size_t body_size = 0;
    size_t more = room - size;
    uint8_t *body = body_of(data, blocks, n, more, &body_size);
    if (!body)
        return size;
    body_size = LLVMFuzzerMutate(body, body_size, body_size + more);
    size = replace_body(data, size, room, blocks, n, body, body_size);
    free(body);
    return size;
}

/* One more option, of those that the reader knows. */
static size_t add_option(uint8_t *data, size_t size, size_t room, const struct blocks *blocks,
                         size_t n, uint64_t *state)
{
    static const uint8_t codes[] = {OPTION_COMMENT, IF_TSRESOL, IF_FCSLEN,
                                    IF_TSOFFSET,    ISB_IFDROP, ISB_OSDROP};
    enum { OPTION = 12 };
    bool big_endian = blocks->big_endian[n];
    size_t body_size = 0;
    uint8_t *body = body_of(data, blocks, n, OPTION, &body_size);
    if (!body)
        return size;
    size_t at = options_of(load(big_endian, data + blocks->at[n]), big_endian, body, body_size);
    uint8_t option[OPTION] = {0};
    store_half(big_endian, option, codes[chance(state, sizeof(codes))]);
    store_half(big_endian, option + 2, chance(state, 9));
    for (size_t i = 4; i < OPTION; i++)
        option[i] = chance(state, 3) ? 0 : (uint8_t)chance(state, 256);
    body_size = splice(body, body_size, at, 0, option, OPTION);
    size = replace_body(data, size, room, blocks, n, body, body_size);
    free(body);
    return size;
}

/* A packet block's captured length made what its body has. */
static void set_captured(uint8_t *data, const struct blocks *blocks, size_t n, uint64_t *state)
{
    size_t at = blocks->at[n];
    size_t length = blocks->at[n + 1] - at;
    bool big_endian = blocks->big_endian[n];
    uint32_t type = load(big_endian, data + at);
    if ((type != BLOCK_ENHANCED && type != BLOCK_PACKET) || length < LEAST_BLOCK + 20)
        return;
    uint32_t most = (uint32_t)(length - LEAST_BLOCK - 20);
    store(big_endian, data + at + BLOCK_HEADER + 12, chance(state, 2) ? most : chance(state, most));
}

size_t mutate_pcapng(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    static const uint32_t types[] = {
        BLOCK_SECTION,    BLOCK_INTERFACE, BLOCK_PACKET, BLOCK_SIMPLE, 4,
        BLOCK_STATISTICS, BLOCK_ENHANCED};
    uint64_t state = seed;
    struct blocks blocks;
    find_blocks(data, size, &blocks);
    uint32_t kind = chance(&state, 9);
    if (blocks.count == 0 || kind == 0)
        return LLVMFuzzerMutate(data, size, room);
    size_t n = chance(&state, (uint32_t)blocks.count);
    size_t at = blocks.at[n];
    size_t whole = blocks.at[n + 1] - at;
    switch (kind) {
    case 1:
        return splice(data, size, at, whole, data, 0);
    case 2: { /* once more, somewhere */
        if (size + whole > room)
            return size;
        uint8_t *copy = copy_of(data + at, whole);
        size_t place = blocks.at[chance(&state, (uint32_t)blocks.count + 1)];
        size = splice(data, size, place, 0, copy, whole);
        free(copy);
        return size;
    }
    case 3:
        store(blocks.big_endian[n], data + at,
              types[chance(&state, sizeof(types) / sizeof(types[0]))]);
        return size;
    case 4:
        set_captured(data, &blocks, n, &state);
        return size;
    case 5:
    case 6:
        return add_option(data, size, room, &blocks, n, &state);
    default:
        return change_body(data, size, room, &blocks, n);
    }
}
