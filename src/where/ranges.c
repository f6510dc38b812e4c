/* The ranges that a test's values are in: of the keys of numbers, and of addresses. */
#include "ranges.h"

#include "packet/tunnel.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

bool where_grow(void **items, size_t size, uint32_t count, uint32_t *room)
{
    if (count < *room)
        return true;
    uint32_t more = *room == 0 ? FIRST_ROOM : *room * 2;
    void *moved = realloc(*items, more * size);
    if (!moved)
        return false;
    *items = moved;
    *room = more;
    return true;
}

/* --- Ranges ---------------------------------------------------------------------------------- */

static bool add_range(struct where *where, struct scanner *scanner, uint64_t low, uint64_t high)
{
    if (!where_grow((void **)&where->ranges, sizeof(*where->ranges), where->ranges_count,
                    &where->ranges_room)) {
        scanner->error->out_of_memory = true;
        return false;
    }
    where->ranges[where->ranges_count++] = (struct number_range){.low = low, .high = high};
    return true;
}

static bool add_range6(struct where *where, struct scanner *scanner,
                       const struct address_range *range)
{
    if (!where_grow((void **)&where->ranges6, sizeof(*where->ranges6), where->ranges6_count,
                    &where->ranges6_room)) {
        scanner->error->out_of_memory = true;
        return false;
    }
    where->ranges6[where->ranges6_count++] = *range;
    return true;
}

static int by_low(const void *a_, const void *b_)
{
    const struct number_range *a = a_;
    const struct number_range *b = b_;
    return (a->low > b->low) - (a->low < b->low);
}

static int order6(const uint64_t a[2], const uint64_t b[2])
{
    size_t half = a[0] == b[0];
    return (a[half] > b[half]) - (a[half] < b[half]);
}

static int by_low6(const void *a_, const void *b_)
{
    const struct address_range *a = a_;
    const struct address_range *b = b_;
    return order6(a->low, b->low);
}

static void settle_numbers(struct where *where, struct test *test)
{
    uint32_t count = 0;
    test->count = where->ranges_count - test->first;
    if (test->count == 0)
        return;
    struct number_range *ranges = where->ranges + test->first;
    qsort(ranges, test->count, sizeof(*ranges), by_low);
    for (uint32_t i = 0; i < test->count; i++) {
        if (count > 0 && ranges[i].low <= ranges[count - 1].high) {
            if (ranges[i].high > ranges[count - 1].high)
                ranges[count - 1].high = ranges[i].high;
        } else {
            ranges[count++] = ranges[i];
        }
    }
    test->count = count;
}

static void settle_addresses(struct where *where, struct test *test)
{
    uint32_t count = 0;
    test->count6 = where->ranges6_count - test->first6;
    if (test->count6 == 0)
        return;
    struct address_range *ranges = where->ranges6 + test->first6;
    qsort(ranges, test->count6, sizeof(*ranges), by_low6);
    for (uint32_t i = 0; i < test->count6; i++) {
        if (count > 0 && order6(ranges[i].low, ranges[count - 1].high) <= 0) {
            if (order6(ranges[i].high, ranges[count - 1].high) > 0)
                memcpy(ranges[count - 1].high, ranges[i].high, sizeof(ranges[i].high));
        } else {
            ranges[count++] = ranges[i];
        }
    }
    test->count6 = count;
}

/* --- Values ---------------------------------------------------------------------------------- */

/* Where a value stands among those that a kind can have. */
enum place { BELOW_ALL, AMONG, ABOVE_ALL };

/* Of the kinds of integers. */
static bool is_signed(uint8_t kind)
{
    return where_key(kind, 0) != 0;
}

/* The key of a kind of tunnel; false with the error set where the text is no such name. */
static bool kind_key(struct scanner *scanner, const struct token *token, uint64_t *key)
{
    char name[16];
    size_t len = token->kind == TOKEN_TEXT ? token->len - 2 : 0;
    if (len > 0 && len < sizeof(name)) {
        memcpy(name, scanner->text + token->at + 1, len);
        name[len] = 0;
        *key = tunnel_kind_of_name(name);
        if (*key != TUNNEL_NONE)
            return true;
    }
    return scan_fail(scanner, token, "this is no kind of tunnel, as \"vxlan\" is one");
}

/* The key of a number; false with the error set where the name holds no such. */
static bool number_key(struct scanner *scanner, const struct where_name *name,
                       const struct value *value, enum place *place, uint64_t *key)
{
    const struct token *token = &value->token;
    uint8_t kind = name->kind;
    *place = AMONG;
    if (token->kind == TOKEN_TEXT && kind == KIND_TIME) {
        int64_t time = 0;
        if (!scan_time(scanner->text + token->at + 1, token->len - 2, &time)) {
            return scan_fail(scanner, token,
                             "this is no time with its zone, as 2026-01-31T12:00:00Z is one");
        }
        *key = where_key(kind, (uint64_t)time);
        return true;
    }
    if (name->is_mac) {
        *key = token->number;
        return token->kind == TOKEN_MAC ||
               (token->kind == TOKEN_TEXT &&
                scan_mac(scanner->text + token->at + 1, token->len - 2, key)) ||
               scan_fail(scanner, token, "a MAC address is compared here");
    }
    if (name->is_tunnel_kind)
        return kind_key(scanner, token, key);
    if (token->kind != TOKEN_NUMBER && token->kind != TOKEN_REAL)
        return scan_fail(scanner, token, "a number is compared here");
    if (kind == KIND_FLOAT64) {
        double real = token->kind == TOKEN_REAL ? token->real : (double)token->number;
        uint64_t bits = 0;
        real = value->is_negative ? -real : real;
        memcpy(&bits, &real, sizeof(bits));
        *key = where_key(kind, bits);
        return true;
    }
    if (token->kind == TOKEN_REAL)
        return scan_fail(scanner, token, "an integer is compared here");
    uint64_t number = token->number;
    uint64_t most = is_signed(kind) ? INT64_MAX : UINT64_MAX;
    if (value->is_negative && number > 0) {
        bool fits = is_signed(kind) && number <= most + 1;
        *place = fits ? AMONG : BELOW_ALL;
        number = ~number + 1;
    } else if (number > most) {
        *place = ABOVE_ALL;
    }
    *key = where_key(kind, number);
    return true;
}

/* The keys that compare with one as asked, as a range; false where none does. */
static bool range_of(enum comparison comparison, enum place place, uint64_t key,
                     struct number_range *out)
{
    *out = (struct number_range){.low = 0, .high = UINT64_MAX};
    switch (comparison) {
    case SAME:
    case DIFFERENT: /* outside of the same */
        *out = (struct number_range){.low = key, .high = key};
        return place == AMONG;
    case LESS:
        out->high = place == AMONG ? key - 1 : UINT64_MAX;
        return place == ABOVE_ALL || (place == AMONG && key > 0);
    case LESS_OR_SAME:
        out->high = place == AMONG ? key : UINT64_MAX;
        return place != BELOW_ALL;
    case MORE:
        out->low = place == AMONG ? key + 1 : 0;
        return place == BELOW_ALL || (place == AMONG && key < UINT64_MAX);
    case MORE_OR_SAME:
        out->low = place == AMONG ? key : 0;
        return place != ABOVE_ALL;
    }
    return false;
}

/* The first and the last address of a prefix. */
static void ends_of(const struct prefix *prefix, struct address_range *out)
{
    uint8_t bytes[2][16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = prefix->length > 8 * i ? prefix->length - 8 * i : 0;
        uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);
        bytes[0][i] = prefix->bytes[i] & mask;
        bytes[1][i] = prefix->bytes[i] | (uint8_t)~mask;
    }
    for (unsigned i = 0; i < 2; i++) {
        out->low[i] = load_be64(bytes[0] + 8 * i);
        out->high[i] = load_be64(bytes[1] + 8 * i);
    }
}

/* The prefix that an operand is, in quotation marks or bare. */
static bool prefix_of(struct scanner *scanner, const struct value *value, struct prefix *out)
{
    const struct token *token = &value->token;
    if (token->kind == TOKEN_ADDRESS) {
        *out = token->prefix;
        return true;
    }
    if (token->kind == TOKEN_MAC)
        return scan_fail(scanner, token, "this is no address or prefix");
    if (token->kind == TOKEN_TEXT &&
        scan_prefix(scanner->text + token->at + 1, token->len - 2, out))
        return true;
    return scan_fail(scanner, token, "an address or a prefix is compared here");
}

/* Add the addresses from one prefix's first to another's last. */
static bool add_addresses(struct where *where, struct scanner *scanner, const struct value *from,
                          const struct value *to)
{
    struct prefix first = {.version = 0};
    struct prefix last = {.version = 0};
    struct address_range range;
    struct address_range last_range;
    if (!prefix_of(scanner, from, &first) || !prefix_of(scanner, to, &last))
        return false;
    if (first.version != last.version)
        return scan_fail(scanner, &to->token, "a range is of addresses of one version");
    ends_of(&first, &range);
    ends_of(&last, &last_range);
    memcpy(range.high, last_range.high, sizeof(range.high));
    if (order6(range.low, range.high) > 0)
        return scan_fail(scanner, &to->token, "this range ends before it begins");
    /* the four bytes of IPv4 are the upper ones */
    return first.version == 4 ? add_range(where, scanner, range.low[0] >> 32, range.high[0] >> 32)
                              : add_range6(where, scanner, &range);
}

static bool add_numbers(struct where *where, struct scanner *scanner, const struct where_name *name,
                        const struct value *from, const struct value *to)
{
    enum place places[2] = {AMONG, AMONG};
    uint64_t keys[2] = {0, 0};
    if (!number_key(scanner, name, from, &places[0], &keys[0]) ||
        !number_key(scanner, name, to, &places[1], &keys[1]))
        return false;
    if (places[0] > places[1] || (places[0] == places[1] && keys[0] > keys[1]))
        return scan_fail(scanner, &to->token, "this range ends before it begins");
    if (places[0] == ABOVE_ALL || places[1] == BELOW_ALL)
        return true; /* no value is in it */
    return add_range(where, scanner, places[0] == BELOW_ALL ? 0 : keys[0],
                     places[1] == ABOVE_ALL ? UINT64_MAX : keys[1]);
}

bool ranges_add_span(struct where *where, struct scanner *scanner, const struct where_name *name,
                     const struct value *from, const struct value *to)
{
    return name->kind == KIND_ADDRESS ? add_addresses(where, scanner, from, to)
                                      : add_numbers(where, scanner, name, from, to);
}

bool ranges_add(struct where *where, struct scanner *scanner, const struct where_name *name,
                enum comparison comparison, const struct value *value)
{
    enum place place = AMONG;
    uint64_t key = 0;
    struct number_range range;
    if (name->kind == KIND_ADDRESS) {
        if (comparison != SAME && comparison != DIFFERENT)
            return scan_fail(scanner, &value->token, "addresses are compared by ==, != and in");
        return add_addresses(where, scanner, value, value);
    }
    if (!number_key(scanner, name, value, &place, &key))
        return false;
    return !range_of(comparison, place, key, &range) ||
           add_range(where, scanner, range.low, range.high);
}

bool ranges_add_zero(struct where *where, struct scanner *scanner, const struct where_name *name)
{
    uint64_t zero = where_key(name->kind, 0);
    return add_range(where, scanner, zero, zero);
}

void ranges_settle(struct where *where, struct test *test)
{
    settle_numbers(where, test);
    settle_addresses(where, test);
}
