/* A pcapng file: its sections, interfaces, packets, statistics and options, read at once and piece
 * by piece.
 *
 * An input is a file. */
#include "mutate_pcapng.h"
#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size);
    pcapng_recognise(copy, size);
    read_both_ways(pcapng_source_new, copy, size, size % 61 + 1, true);
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return mutate_pcapng(data, size, room, seed);
}
