/* The compiled form of a condition: what the parser writes and the evaluation reads. */
#ifndef PLT_WHERE_PROGRAM_H
#define PLT_WHERE_PROGRAM_H

#include "where.h"

/* Numbers are compared as keys: unsigned, and in the order of the values of their kind. */
struct number_range {
    uint64_t low, high; /* keys, both within */
};

/* Addresses of IPv6, the upper half first. */
struct address_range {
    uint64_t low[2], high[2];
};

enum test_kind {
    TEST_NUMBER,  /* the value's key is in one of the ranges */
    TEST_ADDRESS, /* the address is in one of the ranges of its version */
    TEST_HEADER,  /* the header is there */
    TEST_NUMBERS, /* two numbers compare */
    TEST_ADDRESSES
};

enum comparison { SAME, DIFFERENT, LESS, LESS_OR_SAME, MORE, MORE_OR_SAME };

/* Where a test leads; the ends of the program stand above all tests. */
enum { WHERE_NO = UINT32_MAX - 1, WHERE_YES = UINT32_MAX };

struct test {
    struct where_name name;
    struct where_name other; /* of TEST_NUMBERS and TEST_ADDRESSES */
    uint64_t mask;           /* of the value, before it becomes a key */
    uint32_t first, count;   /* of ranges, sorted: IPv4's or a number's */
    uint32_t first6, count6; /* of address_ranges, sorted */
    uint32_t next[2];        /* the test that follows where this one fails, where it holds */
    uint8_t kind;            /* enum test_kind */
    uint8_t comparison;      /* enum comparison, of two values */
    bool outside;            /* holds where the value is in none of the ranges */
};

struct where {
    struct test *tests;            /* owned, in text order: tests lead forward only */
    struct number_range *ranges;   /* owned */
    struct address_range *ranges6; /* owned */
    uint32_t count, room;          /* of tests */
    uint32_t ranges_count, ranges_room;
    uint32_t ranges6_count, ranges6_room;
    bool needs_layers;
    bool needs_tunnel;
};

/* The key of a value as a column of its kind holds it. */
uint64_t where_key(uint8_t kind, uint64_t value);

#endif
