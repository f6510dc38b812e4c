/* What the fuzzers share: libFuzzer's functions, the bytes of an input, and claims. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- libFuzzer's (https://llvm.org/docs/LibFuzzer.html) --------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(const int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
/* Change some bytes in place; the new size, which is `room` at the most, or 1. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* --- Claims ---------------------------------------------------------------------------------- */

/* What has to be true whatever the input is.  It stays where assert() would be compiled out. */
#define CLAIM(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what);                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- Inputs ---------------------------------------------------------------------------------- */

/* What is left of an input. */
struct bytes {
    const uint8_t *data; /* borrowed */
    size_t size;
};

/* The next byte, 0 at the end. */
static inline uint8_t take_byte(struct bytes *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static inline uint32_t take_le(struct bytes *in, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)take_byte(in) << 8 * i;
    return value;
}

/* A copy of bytes that AddressSanitizer knows both ends of; to be freed. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = calloc(1, size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    return copy;
}

/* Read every byte, so that a sanitizer sees where they are. */
static inline void touch(const void *data, size_t size)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
}

/* --- Chance, by the seed that libFuzzer gives --------------------------------------------------
 */

static inline uint32_t chance(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
    return below ? (uint32_t)(*state >> 33) % below : 0;
}

#endif
