/* Changes records of a DNS message as records: counts and RDLENGTH stay right (RFC 1035 section 4).
 */
#include "mutate_dns.h"

#include "packet/bytes.h"

enum { DNS_HEADER = 12, QUESTION_FIXED = 4, RECORD_FIXED = 10, MOST_ITEMS = 128, SECTIONS = 4 };

struct item {
    size_t at;    /* of its name */
    size_t fixed; /* of its type */
    size_t end;
    int section;
};

struct message {
    struct item items[MOST_ITEMS];
    size_t count;
};

/* Where the name at a place ends; `size` where it does not. */
static size_t name_end(const uint8_t *data, size_t size, size_t at)
{
    while (at < size && data[at] != 0) {
        if (data[at] >= 0xc0)
            return at + 2 <= size ? at + 2 : size;
        at += (size_t)data[at] + 1;
    }
    return at < size ? at + 1 : size;
}

static void find_items(const uint8_t *data, size_t size, struct message *out)
{
    size_t at = DNS_HEADER;
    out->count = 0;
    for (int section = 0; section < SECTIONS && size >= DNS_HEADER; section++) {
        unsigned count = load_be16(data + 4 + 2 * section);
        for (unsigned i = 0; i < count && at < size && out->count < MOST_ITEMS; i++) {
            size_t fixed = name_end(data, size, at);
            size_t need = section == 0 ? QUESTION_FIXED : RECORD_FIXED;
            if (size - fixed < need)
                return;
            size_t end = fixed + need;
            if (section > 0) {
                size_t length = load_be16(data + fixed + 8);
                end += length < size - end ? length : size - end;
            }
            out->items[out->count++] = (struct item){at, fixed, end, section};
            at = end;
        }
    }
}

static size_t splice(uint8_t *data, size_t size, size_t at, size_t cut, const uint8_t *bytes,
                     size_t put)
{
    memmove(data + at + put, data + at + cut, size - at - cut);
    if (put)
        memcpy(data + at, bytes, put);
    return size - cut + put;
}

static void count(uint8_t *data, int section, int by)
{
    uint8_t *to = data + 4 + 2 * section;
    store_be16(to, (uint16_t)(load_be16(to) + by));
}

/* Let libFuzzer change the data of a record, whose length follows. */
static size_t change_data(uint8_t *data, size_t size, size_t room, const struct item *item)
{
    size_t start = item->fixed + RECORD_FIXED;
    size_t length = item->end - start;
    size_t more = room - size;
    uint8_t *copy = malloc(length + more + 1);
    if (!copy)
        return size;
    memcpy(copy, data + start, length);
    size_t changed = LLVMFuzzerMutate(copy, length, length + more);
    if (changed <= UINT16_MAX && changed <= length + more) {
        size = splice(data, size, start, length, copy, changed);
        store_be16(data + item->fixed + 8, (uint16_t)changed);
    }
    free(copy);
    return size;
}

/* A record once more, in its section or the next. */
static size_t repeat(uint8_t *data, size_t size, size_t room, const struct item *item)
{
    size_t whole = item->end - item->at;
    if (size + whole > room)
        return size;
    uint8_t *copy = copy_of(data + item->at, whole);
    size = splice(data, size, item->end, 0, copy, whole);
    count(data, item->section, 1);
    free(copy);
    return size;
}

size_t mutate_dns(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    /* types whose data has a form of its own */
    static const uint16_t types[] = {1,  2,  5,   6,   10,  11,  12,  13,  15,  16,  17,  18,
                                     24, 25, 28,  29,  33,  35,  37,  38,  41,  42,  43,  45,
                                     46, 47, 48,  50,  51,  52,  55,  60,  61,  62,  63,  64,
                                     65, 99, 104, 105, 108, 109, 249, 250, 255, 256, 257, 260};
    uint64_t state = seed;
    struct message message;
    find_items(data, size, &message);
    uint32_t kind = chance(&state, 8);
    if (message.count == 0 || kind == 0)
        return LLVMFuzzerMutate(data, size, room);
    const struct item *item = &message.items[chance(&state, (uint32_t)message.count)];
    switch (kind) {
    case 1:
        count(data, item->section, -1);
        return splice(data, size, item->at, item->end - item->at, data, 0);
    case 2:
        return repeat(data, size, room, item);
    case 3: /* a pointer to another name, or into it */
        if (item->fixed - item->at >= 2) {
            size_t to =
                message.items[chance(&state, (uint32_t)message.count)].at + chance(&state, 3);
            store_be16(data + item->fixed - 2, (uint16_t)(0xc000 | (to & 0x3fff)));
        }
        return size;
    case 4:
        store_be16(data + item->fixed, types[chance(&state, sizeof(types) / sizeof(types[0]))]);
        return size;
    case 5:
        data[2 + chance(&state, 2)] ^= (uint8_t)(1 << chance(&state, 8));
        return size;
    default:
        return item->section == 0 ? LLVMFuzzerMutate(data, size, room)
                                  : change_data(data, size, room, item);
    }
}
