/* A trace's bytes read by one of plt's readers of file formats, in one piece and in many. */
#ifndef FUZZ_READING_H
#define FUZZ_READING_H

#include "fuzz.h"

#include "plt/readers.h"

/* Read all records; both ways give the same ones, and end alike, where they are `same`.  `step` is
 * how many bytes come at a time, 1 or more. */
void read_both_ways(struct source *(*reader)(void), const uint8_t *data, size_t size, size_t step,
                    bool same);

#endif
