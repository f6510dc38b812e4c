/* A mutator of DNS messages, which keeps names, records and counts well-formed most of the time. */
#ifndef FUZZ_MUTATE_DNS_H
#define FUZZ_MUTATE_DNS_H

#include "fuzz.h"

size_t mutate_dns(uint8_t *data, size_t size, size_t room, unsigned seed);

#endif
