/* A condition on packets, in the words of the columns: "proto == 6 and dst_port in (80, 443)".
 *
 * The text is compiled once into a list of tests.  Each test asks one thing of a packet (is this
 * number in these ranges, is this address in these prefixes) and says which test comes next when
 * it holds and when it does not, so that "and", "or" and "not" cost nothing of their own.  A
 * compiled condition does not change: threads may share it.  No Python here. */
#ifndef PLT_WHERE_WHERE_H
#define PLT_WHERE_WHERE_H

#include "packet/field.h"
#include "packet/property.h"

#include <stddef.h>

enum { WHERE_ERROR_SIZE = 160 };

/* What a name in a condition stands for. */
struct where_name {
    const struct property *property; /* NULL for a field of a header, or for a header */
    const struct field *field; /* NULL for a property; of a transport header, its first field */
    uint8_t version;           /* of the header: 4 or 6 of IP, else 0 */
    uint8_t proto;             /* of the header: its IP protocol, where both are 0 */
    uint16_t ethertype;        /* of the header: that of layer 3, where version is 0 */
    uint8_t kind;              /* enum column_kind of the values */
    bool is_header;            /* the name is a header's: is it there? */
    bool is_mac;               /* the values are MAC addresses, as numbers */
    bool is_tunnel_kind;       /* the values are enum tunnel_kind, written as their names */
};

/* Finds what the name of `len` bytes stands for; false where there is no such name. */
typedef bool where_find(const char *name, size_t len, struct where_name *out);

struct where_error {
    char message[WHERE_ERROR_SIZE];
    size_t at;            /* where in the text, in bytes */
    size_t len;           /* how much of it, 0 at the end of the text */
    bool is_unknown_name; /* the message is that of a name that was not found */
    bool out_of_memory;   /* and nothing else is set */
};

struct where;

/* A new condition, for where_free(); NULL with *error set. */
struct where *where_compile(const char *text, size_t len, where_find *find,
                            struct where_error *error);
void where_free(struct where *where);

/* Whether the tests look at layers, which are to be found before where_holds() is asked. */
bool where_needs_layers(const struct where *where);
/* Whether they ask for the tunnel that the innermost packet is in, which the packet is to have. */
bool where_needs_tunnel(const struct where *where);
bool where_holds(const struct where *where, const struct plt_packet *packet);

#endif
