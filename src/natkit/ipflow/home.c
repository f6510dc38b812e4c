/* Home networks: each version's prefixes are sorted and disjoint, so that a binary search finds the
 * one that may hold an address. */
#include "home.h"

#include <stdlib.h>
#include <string.h>

/* --- Making one ------------------------------------------------------------------------------ */

bool natkit_home_init(struct natkit_home *home, size_t most)
{
    *home = (struct natkit_home){.ip4 = {.prefixes = calloc(most, sizeof(struct home_prefix))},
                                 .ip6 = {.prefixes = calloc(most, sizeof(struct home_prefix))}};
    return home->ip4.prefixes && home->ip6.prefixes;
}

void natkit_home_free(struct natkit_home *home)
{
    free(home->ip4.prefixes);
    free(home->ip6.prefixes);
    *home = (struct natkit_home){.ip4 = {.prefixes = NULL}};
}

static void clear_host_bits(struct home_prefix *prefix)
{
    size_t whole = prefix->length / 8U;
    if (whole == sizeof(prefix->addr))
        return;
    prefix->addr[whole] &= (uint8_t)(0xff00U >> prefix->length % 8U);
    memset(prefix->addr + whole + 1, 0, sizeof(prefix->addr) - whole - 1);
}

void natkit_home_add(struct natkit_home *home, int version, const uint8_t *addr, unsigned length)
{
    struct home_networks *networks = version == 4 ? &home->ip4 : &home->ip6;
    struct home_prefix *prefix = &networks->prefixes[networks->count++];
    memcpy(prefix->addr, addr, version == 4 ? 4 : 16);
    prefix->length = (uint8_t)length;
    clear_host_bits(prefix);
}

static bool is_within(const uint8_t *addr, const struct home_prefix *prefix)
{
    size_t whole = prefix->length / 8U;
    uint8_t rest = (uint8_t)(0xff00U >> prefix->length % 8U);
    return memcmp(addr, prefix->addr, whole) == 0 &&
           (rest == 0 || (addr[whole] & rest) == prefix->addr[whole]);
}

/* By address; of those with the same one the shorter, which holds the longer, first. */
static int compare_prefixes(const void *one_, const void *other_)
{
    const struct home_prefix *one = one_;
    const struct home_prefix *other = other_;
    int order = memcmp(one->addr, other->addr, sizeof(one->addr));
    return order != 0 ? order : one->length - other->length;
}

static void sort_networks(struct home_networks *networks)
{
    struct home_prefix *prefixes = networks->prefixes;
    size_t kept = 0;
    if (networks->count == 0)
        return;
    qsort(prefixes, networks->count, sizeof(*prefixes), compare_prefixes);
    for (size_t i = 1; i < networks->count; i++)
        if (!is_within(prefixes[i].addr, &prefixes[kept]))
            prefixes[++kept] = prefixes[i];
    networks->count = kept + 1;
}

void natkit_home_sort(struct natkit_home *home)
{
    sort_networks(&home->ip4);
    sort_networks(&home->ip6);
}

/* --- The test -------------------------------------------------------------------------------- */

/* As no prefix is within another, only the last one that begins at or before addr may hold it. */
bool natkit_at_home(const struct natkit_home *home, int version, const uint8_t *addr)
{
    const struct home_networks *networks = natkit_home_of(home, version);
    size_t size = version == 4 ? 4 : 16;
    size_t from = 0, to = networks->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(networks->prefixes[middle].addr, addr, size) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && is_within(addr, &networks->prefixes[from - 1]);
}
