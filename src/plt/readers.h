/* The readers of file formats, a pair of functions each: a new reader, whose input is still to be
 * opened (NULL with MemoryError), and whether a file of which head holds the first len bytes begins
 * as the format's do. */
#ifndef PLT_READERS_H
#define PLT_READERS_H

#include "packet/bytes.h"
#include "source.h"

#define READER(id)                                                                                 \
    struct source *id##_source_new(void);                                                          \
    bool id##_recognise(const uint8_t *head, size_t len)

READER(pcap);
READER(pcapng);
READER(erf);
/* In fixed.c. */
READER(tsh);
READER(legacyatm);
READER(legacyeth);
READER(legacypos);
READER(duck);

/* Integers of a file that is of either byte order. */
static inline uint16_t load16(bool big_endian, const uint8_t *bytes)
{
    return big_endian ? load_be16(bytes) : load_le16(bytes);
}

static inline uint32_t load32(bool big_endian, const uint8_t *bytes)
{
    return big_endian ? load_be32(bytes) : load_le32(bytes);
}

static inline uint64_t load64(bool big_endian, const uint8_t *bytes)
{
    return big_endian ? load_be64(bytes) : load_le64(bytes);
}

/* Whether a time is of the years from which there are traces: 1990 to 2100. */
static inline bool is_plausible_time(uint32_t seconds)
{
    return seconds > 631152000 && seconds < 4102444800;
}

#endif
