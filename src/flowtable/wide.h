/* Sums of 128 bits: two words, the lower one first. */
#ifndef PLT_FLOWTABLE_WIDE_H
#define PLT_FLOWTABLE_WIDE_H

#include <stdint.h>

static inline void wide_add(uint64_t sum[2], uint64_t low, uint64_t high)
{
    sum[0] += low;
    sum[1] += high + (sum[0] < low);
}

/* The product of two words. */
static inline void wide_product(uint64_t one, uint64_t other, uint64_t product[2])
{
    uint64_t low = one & UINT32_MAX, high = one >> 32;
    uint64_t other_low = other & UINT32_MAX, other_high = other >> 32;
    uint64_t cross = low * other_high, other_cross = high * other_low;
    product[0] = low * other_low;
    product[1] = high * other_high;
    wide_add(product, cross << 32, cross >> 32);
    wide_add(product, other_cross << 32, other_cross >> 32);
}

/* Add a square. */
static inline void wide_add_square(uint64_t sum[2], uint64_t value)
{
    uint64_t square[2] = {value * value, 0};
    if (value > UINT32_MAX)
        wide_product(value, value, square);
    wide_add(sum, square[0], square[1]);
}

/* The same, but that the sum ends at its greatest value. */
static inline void wide_add_up(uint64_t sum[2], uint64_t low, uint64_t high)
{
    uint64_t before = sum[1];
    uint64_t carry = 0;
    sum[0] += low;
    carry = sum[0] < low;
    sum[1] += high;
    if (sum[1] < before || (carry && sum[1] == UINT64_MAX)) {
        sum[0] = sum[1] = UINT64_MAX;
        return;
    }
    sum[1] += carry;
}

#endif
