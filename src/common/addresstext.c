/* The addresses of a column as texts: a hash finds the distinct ones, each is formatted once. */
#define _DEFAULT_SOURCE /* for getentropy() */
#include "addresstext.h"

#include "iptext.h"
#include "multilinear.h"
#include "prefetch.h"

#include <stdlib.h>
#include <unistd.h>

/* A table of what was found, open addressing: 32 bits of the hash, and 1 more than the number of
 * the text; 0 where there is none. */
struct finder {
    const struct column_data *data; /* borrowed */
    uint64_t begin[2];              /* of the hashes of IPv4 and of IPv6: random, as are */
    uint64_t words[2][2];           /* those of each word of an address */
    uint64_t *slots;                /* owned */
    size_t mask;
    uint32_t *rows; /* owned: where each text's address first is */
    size_t room;    /* of texts */
    size_t text_len;
    size_t text_room;
};

enum { FIRST_SLOTS = 1 << 10, BLOCK = 64 };

/* The upper half of the sum: no two addresses are likely to have the same. */
static uint32_t hash_of(const struct finder *finder, size_t row)
{
    uint64_t address[2] = {0};
    memcpy(address, finder->data->values + row * 16, sizeof(address));
    uint64_t sum = finder->begin[finder->data->versions[row] == 6];
    for (size_t i = 0; i < 2; i++)
        sum += multilinear(finder->words[i], address[i]);
    return (uint32_t)(sum >> 32);
}

static bool same(const struct column_data *data, size_t one, size_t other)
{
    return data->versions[one] == data->versions[other] &&
           memcmp(data->values + one * 16, data->values + other * 16, 16) == 0;
}

/* Four times the slots. */
static bool grow_slots(struct finder *finder)
{
    size_t mask = finder->mask * 4 + 3;
    uint64_t *slots = calloc(mask + 1, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i <= finder->mask; i++) {
        size_t at = (size_t)(finder->slots[i] >> 32) & mask;
        while (finder->slots[i] && slots[at])
            at = (at + 1) & mask;
        if (finder->slots[i])
            slots[at] = finder->slots[i];
    }
    free(finder->slots);
    finder->slots = slots;
    finder->mask = mask;
    return true;
}

static bool grow_texts(struct finder *finder, struct address_texts *texts)
{
    if ((size_t)texts->count == finder->room) {
        size_t room = finder->room * 2;
        uint32_t *rows = realloc(finder->rows, room * sizeof(*rows));
        if (rows)
            finder->rows = rows;
        int32_t *offsets = rows ? realloc(texts->offsets, (room + 1) * sizeof(*offsets)) : NULL;
        if (!offsets)
            return false;
        texts->offsets = offsets;
        finder->room = room;
    }
    if (finder->text_room - finder->text_len < ADDRESS_TEXT_SIZE) {
        size_t room = finder->text_room * 2;
        char *text = realloc(texts->text, room);
        if (!text)
            return false;
        texts->text = text;
        finder->text_room = room;
    }
    return finder->text_len <= INT32_MAX - ADDRESS_TEXT_SIZE;
}

static bool add_text(struct finder *finder, size_t row, struct address_texts *texts)
{
    if (!grow_texts(finder, texts))
        return false;
    const uint8_t *address = finder->data->values + row * 16;
    char *start = texts->text + finder->text_len;
    char *end =
        finder->data->versions[row] == 4 ? put_ipv4(start, address) : put_ipv6(start, address);
    finder->text_len += (size_t)(end - start);
    finder->rows[texts->count++] = (uint32_t)row;
    texts->offsets[texts->count] = (int32_t)finder->text_len;
    return true;
}

/* The number of a row's text by its hash; -1 when out of memory. */
static int32_t find(struct finder *finder, size_t row, uint32_t hash, struct address_texts *texts)
{
    size_t at = hash & finder->mask;
    for (; finder->slots[at]; at = (at + 1) & finder->mask) {
        uint32_t n = (uint32_t)finder->slots[at] - 1;
        if (finder->slots[at] >> 32 == hash && same(finder->data, finder->rows[n], row))
            return (int32_t)n;
    }
    int32_t number = texts->count;
    if (!add_text(finder, row, texts))
        return -1;
    finder->slots[at] = (uint64_t)hash << 32 | ((uint32_t)number + 1);
    if ((size_t)texts->count * 2 > finder->mask && !grow_slots(finder))
        return -1;
    return number;
}

/* The numbers of the texts of some rows, whose slots are asked for before they are needed. */
static bool find_block(struct finder *finder, size_t start, size_t end, struct address_texts *texts)
{
    const struct column_data *data = finder->data;
    uint32_t hashes[BLOCK];
    for (size_t row = start; row < end; row++) {
        hashes[row - start] = hash_of(finder, row);
        prefetch(&finder->slots[hashes[row - start] & finder->mask]);
    }
    for (size_t row = start; row < end; row++) {
        int32_t number = 0;
        if (row > 0 && same(data, row - 1, row))
            number = texts->indices[row - 1];
        else if (data->versions[row])
            number = find(finder, row, hashes[row - start], texts);
        if (number < 0)
            return false;
        texts->indices[row] = number;
    }
    return true;
}

static bool fill(struct finder *finder, struct address_texts *texts)
{
    size_t rows = finder->data->rows;
    bool enough = true;
    for (size_t start = 0; start < rows && enough; start += BLOCK)
        enough = find_block(finder, start, start + BLOCK < rows ? start + BLOCK : rows, texts);
    return enough;
}

/* Words that a sender of packets does not know. */
static bool make_random(struct finder *finder)
{
    return getentropy(finder->begin, sizeof(finder->begin)) == 0 &&
           getentropy(finder->words, sizeof(finder->words)) == 0;
}

bool address_texts_make(const struct column_data *data, struct address_texts *texts)
{
    struct finder finder = {.data = data,
                            .slots = calloc(FIRST_SLOTS, sizeof(*finder.slots)),
                            .mask = FIRST_SLOTS - 1,
                            .rows = malloc(FIRST_SLOTS * sizeof(*finder.rows)),
                            .room = FIRST_SLOTS,
                            .text_room = (size_t)FIRST_SLOTS * ADDRESS_TEXT_SIZE};
    *texts = (struct address_texts){.indices = malloc((data->rows + 1) * sizeof(int32_t)),
                                    .offsets = calloc(FIRST_SLOTS + 1, sizeof(int32_t)),
                                    .text = malloc(finder.text_room)};
    bool made = finder.slots && finder.rows && texts->indices && texts->offsets && texts->text &&
                data->rows <= INT32_MAX && make_random(&finder) && fill(&finder, texts);
    free(finder.slots);
    free(finder.rows);
    if (!made)
        address_texts_free(texts);
    return made;
}

void address_texts_free(struct address_texts *texts)
{
    free(texts->indices);
    free(texts->offsets);
    free(texts->text);
    *texts = (struct address_texts){.count = 0};
}
