/* Asking a compiled condition about a packet. */
#include "program.h"

#include <string.h>

enum { LINEAR_MOST = 8 }; /* ranges that are looked through one by one */

uint64_t where_key(uint8_t kind, uint64_t value)
{
    const uint64_t sign = UINT64_C(1) << 63;
    switch (kind) {
    case KIND_TIME:
    case KIND_DURATION:
    case KIND_INT8:
    case KIND_INT16:
    case KIND_INT64:
        return value ^ sign;
    case KIND_FLOAT64: /* in sign and magnitude: IEEE 754 orders the magnitudes as integers */
        if (value == sign)
            return sign; /* -0.0 is 0.0 */
        return value & sign ? ~value : value | sign;
    default:
        return value;
    }
}

static bool has_header(const struct where_name *name, const struct plt_layers *layers)
{
    if (name->ethertype != 0)
        return layers->ethertype == name->ethertype;
    return name->version != 0 ? layers->version == name->version : layers->proto == name->proto;
}

static bool number_of(const struct where_name *name, const struct plt_packet *packet,
                      uint64_t *value)
{
    if (name->property)
        return property_value(name->property->id, packet, value) == VALUE_PRESENT;
    if (!has_header(name, packet->layers))
        return false;
    uint32_t at = field_at(name->field, packet->layers, packet->len, PLT_ABSENT);
    if (at == PLT_ABSENT)
        return false;
    *value = field_value(name->field, packet->data + at);
    return true;
}

/* An address of 4 or 16 bytes, NULL where the packet has none. */
static const uint8_t *address_of(const struct where_name *name, const struct plt_packet *packet,
                                 uint32_t *size)
{
    return property_address(name->property->id, packet, size);
}

/* Whether a key is in one of `count` sorted ranges that don't touch. */
static bool in_ranges(uint64_t key, const struct number_range *ranges, size_t count)
{
    while (count > LINEAR_MOST) {
        size_t half = count / 2;
        if (ranges[half].low <= key) {
            ranges += half;
            count -= half;
        } else {
            count = half;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (key >= ranges[i].low && key <= ranges[i].high)
            return true;
    return false;
}

static bool is_at_most(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] != b[0] ? a[0] < b[0] : a[1] <= b[1];
}

static bool in_address_ranges(const uint64_t key[2], const struct address_range *ranges,
                              size_t count)
{
    while (count > LINEAR_MOST) {
        size_t half = count / 2;
        if (is_at_most(ranges[half].low, key)) {
            ranges += half;
            count -= half;
        } else {
            count = half;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (is_at_most(ranges[i].low, key) && is_at_most(key, ranges[i].high))
            return true;
    return false;
}

/* A condition without any range of a kind has no array of those. */
static bool number_holds(const struct where *where, const struct test *test,
                         const struct plt_packet *packet)
{
    uint64_t value = 0;
    if (!number_of(&test->name, packet, &value))
        return false;
    uint64_t key = where_key(test->name.kind, value & test->mask);
    bool is_in = test->count > 0 && in_ranges(key, where->ranges + test->first, test->count);
    return is_in != test->outside;
}

static bool address_holds(const struct where *where, const struct test *test,
                          const struct plt_packet *packet)
{
    uint32_t size = 0;
    const uint8_t *address = address_of(&test->name, packet, &size);
    if (!address)
        return false;
    bool is_in = false;
    if (size == 4) {
        is_in = test->count > 0 &&
                in_ranges(load_be32(address), where->ranges + test->first, test->count);
    } else {
        const uint64_t key[2] = {load_be64(address), load_be64(address + 8)};
        is_in =
            test->count6 > 0 && in_address_ranges(key, where->ranges6 + test->first6, test->count6);
    }
    return is_in != test->outside;
}

/* A header is there where its first field is: of IP that is the version, which was looked at. */
static bool header_holds(const struct test *test, const struct plt_packet *packet)
{
    if (!has_header(&test->name, packet->layers))
        return false;
    return test->name.version != 0 ||
           field_at(test->name.field, packet->layers, packet->len, PLT_ABSENT) != PLT_ABSENT;
}

/* Below 0, 0, above 0: the order of two values of integer kinds. */
static int order_of(uint8_t a_kind, uint64_t a, uint8_t b_kind, uint64_t b)
{
    const uint64_t sign = UINT64_C(1) << 63;
    /* a key of a signed kind has its upper bit where the value is not negative */
    bool a_negative = where_key(a_kind, 0) == sign && (int64_t)a < 0;
    bool b_negative = where_key(b_kind, 0) == sign && (int64_t)b < 0;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    return (a > b) - (a < b);
}

static bool compares(uint8_t comparison, int order)
{
    switch ((enum comparison)comparison) {
    case SAME:
        return order == 0;
    case DIFFERENT:
        return order != 0;
    case LESS:
        return order < 0;
    case LESS_OR_SAME:
        return order <= 0;
    case MORE:
        return order > 0;
    case MORE_OR_SAME:
        return order >= 0;
    }
    return false;
}

static bool numbers_hold(const struct test *test, const struct plt_packet *packet)
{
    uint64_t value = 0;
    uint64_t other = 0;
    return number_of(&test->name, packet, &value) && number_of(&test->other, packet, &other) &&
           compares(test->comparison,
                    order_of(test->name.kind, value & test->mask, test->other.kind, other));
}

static bool addresses_hold(const struct test *test, const struct plt_packet *packet)
{
    uint32_t size = 0;
    uint32_t other_size = 0;
    const uint8_t *address = address_of(&test->name, packet, &size);
    const uint8_t *other = address_of(&test->other, packet, &other_size);
    if (!address || !other || size != other_size)
        return false;
    return compares(test->comparison, memcmp(address, other, size));
}

static bool holds(const struct where *where, const struct test *test,
                  const struct plt_packet *packet)
{
    switch ((enum test_kind)test->kind) {
    case TEST_NUMBER:
        return number_holds(where, test, packet);
    case TEST_ADDRESS:
        return address_holds(where, test, packet);
    case TEST_HEADER:
        return header_holds(test, packet);
    case TEST_NUMBERS:
        return numbers_hold(test, packet);
    case TEST_ADDRESSES:
        return addresses_hold(test, packet);
    }
    return false;
}

bool where_needs_layers(const struct where *where)
{
    return where->needs_layers;
}

bool where_needs_tunnel(const struct where *where)
{
    return where->needs_tunnel;
}

bool where_holds(const struct where *where, const struct plt_packet *packet)
{
    uint32_t at = 0;
    while (at < WHERE_NO) {
        const struct test *test = &where->tests[at];
        at = test->next[holds(where, test, packet)];
    }
    return at == WHERE_YES;
}
