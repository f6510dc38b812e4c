/* What kinds of values columns hold.  No Python here. */
#ifndef PLT_PACKET_KIND_H
#define PLT_PACKET_KIND_H

#include <stdbool.h>
#include <stdint.h>

enum column_kind {
    KIND_TIME, /* int64, nanoseconds since the epoch */
    KIND_BOOL, /* a byte, 0 or 1 */
    KIND_INT8,
    KIND_INT16,
    KIND_INT64,
    KIND_UINT8,
    KIND_UINT16,
    KIND_UINT32,
    KIND_UINT64,
    KIND_FLOAT64,
    KIND_ADDRESS,      /* 16 bytes, an IPv4 address in the first 4; text in Arrow, bytes in NumPy */
    KIND_DURATION,     /* int64, nanoseconds */
    KIND_TEXT,         /* UTF-8: int32 offsets into it, one more than rows */
    KIND_ADDRESS_TEXT, /* the same, text in both */
    KIND_ADDRESS_BYTES, /* the same, bytes in both */
    KIND_INT8_LIST,     /* items one after another: int32 offsets into them, one more than rows */
    KIND_UINT32_LIST,
    KIND_DURATION_LIST, /* INT64_MIN is a missing item */
    KIND_COUNT
};

static inline bool kind_is_address(uint8_t kind)
{
    return kind == KIND_ADDRESS || kind == KIND_ADDRESS_TEXT || kind == KIND_ADDRESS_BYTES;
}

static inline bool kind_is_list(uint8_t kind)
{
    return kind >= KIND_INT8_LIST && kind <= KIND_DURATION_LIST;
}

/* What the items of lists are. */
static inline uint8_t kind_of_items(uint8_t kind)
{
    return kind == KIND_INT8_LIST     ? KIND_INT8
           : kind == KIND_UINT32_LIST ? KIND_UINT32
                                      : KIND_DURATION;
}

#endif
