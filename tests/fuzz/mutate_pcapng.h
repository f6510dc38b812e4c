/* A mutator of pcapng files, which keeps blocks and options well-formed most of the time. */
#ifndef FUZZ_MUTATE_PCAPNG_H
#define FUZZ_MUTATE_PCAPNG_H

#include "fuzz.h"

size_t mutate_pcapng(uint8_t *data, size_t size, size_t room, unsigned seed);

#endif
