/* The ranges that a test's values are in. */
#ifndef PLT_WHERE_RANGES_H
#define PLT_WHERE_RANGES_H

#include "program.h"
#include "scan.h"

/* A number, address, prefix or text of a condition. */
struct value {
    struct token token;
    bool is_negative; /* of a number: nothing else has a sign */
};

/* These append to the ranges of the test that is being compiled.  False with the scanner's error
 * set where a value is not of the name's kind, and when out of memory.
 *
 * The values that compare with one as asked; those of DIFFERENT are outside of the ranges. */
bool ranges_add(struct where *where, struct scanner *scanner, const struct where_name *name,
                enum comparison comparison, const struct value *value);
/* The values from one to another, both within; of prefixes, all of them. */
bool ranges_add_span(struct where *where, struct scanner *scanner, const struct where_name *name,
                     const struct value *from, const struct value *to);
/* 0 alone. */
bool ranges_add_zero(struct where *where, struct scanner *scanner, const struct where_name *name);

/* End a test's ranges: count those that were appended since test->first and first6, sort them, and
 * merge those that overlap. */
void ranges_settle(struct where *where, struct test *test);

/* Room for one more item of an array; false when out of memory. */
bool where_grow(void **items, size_t size, uint32_t count, uint32_t *room);

#endif
