/* Home networks: a set of prefixes, and whether an address is in one of them.  No Python here. */
#ifndef NATKIT_IPFLOW_HOME_H
#define NATKIT_IPFLOW_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct home_prefix {
    uint8_t addr[16]; /* bits after the length are zero */
    uint8_t length;
};

/* The home networks of one IP version. */
struct home_networks {
    struct home_prefix *prefixes; /* owned; sorted, and none within another */
    size_t count;
};

struct natkit_home {
    struct home_networks ip4;
    struct home_networks ip6;
};

/* Make room for as many prefixes of each version; false when out of memory.  Then, and whenever the
 * networks are no longer needed, natkit_home_free() is due. */
bool natkit_home_init(struct natkit_home *home, size_t most);
void natkit_home_free(struct natkit_home *home);
/* Add a prefix, for which there is room; bits after its length are ignored. */
void natkit_home_add(struct natkit_home *home, int version, const uint8_t *addr, unsigned length);
/* After the last prefix: sort them, and leave out those within another. */
void natkit_home_sort(struct natkit_home *home);

static inline const struct home_networks *natkit_home_of(const struct natkit_home *home,
                                                         int version)
{
    return version == 4 ? &home->ip4 : &home->ip6;
}

/* Whether an address of 4 or 16 bytes is at home; after natkit_home_sort(). */
bool natkit_at_home(const struct natkit_home *home, int version, const uint8_t *addr);

#endif
