/* Addresses in the messages of routers: OSPF, PIM, VRRP and HSRP. */
#include "routing.h"

#include "checksum.h"
#include "packet/bytes.h"

/* --- OSPF: RFC 2328 appendix A.3, RFC 5340 appendix A.3 -------------------------------------- */

/* The identifiers of routers and areas have the form of IPv4 addresses, and mostly are such. */
uint64_t natkit_ospf(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { HELLO = 1, HEADER_2 = 24, HEADER_3 = 16 };
    uint64_t unchecked = 0;
    if (in->len < 2)
        return 0;
    uint8_t version = in->data[0];
    if (version != 2 && version != 3)
        return natkit_unknown(self, in, 0, "OSPF version", version);
    if (!self->signalling)
        return 0;
    uint64_t change = natkit_replace(self, in, 4, 4);
    uint32_t header = version == 2 ? HEADER_2 : HEADER_3;
    if (in->data[1] == HELLO) {
        /* the designated router, its backup, neighbours */
        uint32_t at = header + 12;
        uint32_t end = in->len >= 4 ? load_be16(in->data + 2) : 0;
        struct stretch hello = {in->data, least_of(end, in->len)};
        change += natkit_replace_list(self, &hello, at, UINT32_MAX, 4);
        /* a digest or another block after it: RFC 2328 appendix D.4.3, RFC 5613 */
        if (version == 3 || load_be16(in->data + least_of(14, in->len - 2)) == 0)
            unchecked = natkit_unknown(self, in, hello.len, "OSPF trailer", -1);
    } else {
        change += natkit_unknown(self, in, header, "OSPF type", in->data[1]);
    }
    uint64_t pseudo = version == 3 ? place->pseudo : 0;
    if (in->len >= 14 && load_be16(in->data + 12) != 0) /* 0 where a digest takes its place */
        change += checksum_adjust(in, 12, pseudo + change);
    return change + unchecked;
}

/* --- VRRP: RFC 3768 section 5, RFC 9568 section 5 -------------------------------------------- */

uint64_t natkit_vrrp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len < 4)
        return 0;
    uint8_t version = in->data[0] >> 4;
    if (version != 2 && version != 3)
        return natkit_unknown(self, in, 0, "VRRP version", version);
    /* version 3's checksum covers the pseudo-header, but for some implementations with IPv4 */
    bool alone = version == 2 || (place->version == 4 && checksum_sum(in->data, in->len) == 0xffff);
    uint64_t change = 0;
    if (self->signalling) {
        int size = version == 3 && place->version == 6 ? 6 : 4;
        change = natkit_replace_list(self, in, 8, in->data[3], size);
    }
    return change + checksum_adjust(in, 6, change + (alone ? 0 : place->pseudo));
}

/* --- HSRP: RFC 2281 section 5.1 -------------------------------------------------------------- */

uint64_t natkit_hsrp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    if (in->len > 0 && (in->data[0] != 0 || place->version == 6))
        return natkit_unknown(self, in, 0, "HSRP version", in->data[0]);
    if (in->len > 1 && in->data[1] > 2) /* hello, coup, resign */
        return natkit_unknown(self, in, 1, "HSRP message", in->data[1]);
    return self->signalling ? natkit_replace(self, in, 16, 4) : 0;
}

/* --- PIM: RFC 7761 section 4.9 --------------------------------------------------------------- */

/* An encoded address: its family, encoding, `more` bytes, the address.  Its size; 0 for another
 * family or encoding. */
static uint32_t replace_encoded(struct anonymising *self, const struct stretch *in, uint32_t at,
                                uint32_t more, uint64_t *change)
{
    enum { FAMILY_IP = 1, FAMILY_IP6 = 2 };
    if (at > in->len || in->len - at < 2 || in->data[at + 1] != 0)
        return 0;
    uint8_t family = in->data[at];
    if (family != FAMILY_IP && family != FAMILY_IP6)
        return 0;
    *change += natkit_replace(self, in, at + 2 + more, family == FAMILY_IP ? 4 : 6);
    return 2 + more + (family == FAMILY_IP ? 4 : 16);
}

/* So many encoded addresses one after another; where they end, or where one is malformed. */
static uint32_t replace_all_encoded(struct anonymising *self, const struct stretch *in, uint32_t at,
                                    uint32_t count, uint32_t more, uint64_t *change)
{
    for (uint32_t size = 1; count > 0 && size > 0; count--) {
        size = replace_encoded(self, in, at, more, change);
        at += size;
    }
    return at;
}

/* A group, a source and `more` bytes: sections 4.9.4 and 4.9.6.  Where they end, or where an
 * address is malformed. */
static uint32_t replace_group(struct anonymising *self, const struct stretch *in, uint32_t more,
                              uint64_t *change)
{
    uint32_t group = replace_encoded(self, in, 4, 2, change);
    uint32_t address = group > 0 ? replace_encoded(self, in, 4 + group, 0, change) : 0;
    return 4 + group + (address > 0 ? address + more : 0);
}

/* Join and prune: section 4.9.5.  Where they end, or where an address is malformed. */
static uint32_t replace_joins(struct anonymising *self, const struct stretch *in, uint64_t *change)
{
    uint32_t at = replace_all_encoded(self, in, 4, 1, 0, change);
    if (at == 4 || at > in->len || in->len - at < 4)
        return at;
    uint32_t groups = in->data[at + 1];
    at += 4;
    for (; groups > 0; groups--) {
        uint32_t size = replace_encoded(self, in, at, 2, change);
        if (size == 0 || at + size > in->len || in->len - at - size < 4)
            return at;
        at += size;
        uint32_t sources = load_be16(in->data + at) + load_be16(in->data + at + 2);
        at = replace_all_encoded(self, in, at + 4, sources, 2, change);
    }
    return at;
}

/* Whether a hello's option is known to hold no address. */
static bool is_quiet_hello_option(uint16_t type)
{
    switch (type) {
    case 1:  /* hold time */
    case 2:  /* delay of prunes */
    case 19: /* priority of the designated router */
    case 20: /* generation */
    case 21: /* state refresh, RFC 3973 */
    case 22: /* bidirectional trees, RFC 5015 */
        return true;
    default:
        return false;
    }
}

/* Options of a hello: section 4.9.2.  Where they end, or where an address is malformed. */
static uint32_t replace_hello(struct anonymising *self, const struct stretch *in, uint64_t *change)
{
    enum { ADDRESS_LIST = 24 };
    uint32_t at = 4;
    while (at < in->len && in->len - at >= 4) {
        uint16_t type = load_be16(in->data + at);
        uint32_t end = least_of(at + 4 + load_be16(in->data + at + 2), in->len);
        struct stretch option = {in->data, end};
        at += 4;
        if (type != ADDRESS_LIST && !is_quiet_hello_option(type))
            *change += natkit_unknown(self, &option, at, "PIM hello option", type);
        if (type == ADDRESS_LIST)
            for (uint32_t size = 1; size > 0 && at < end; at += size)
                size = replace_encoded(self, &option, at, 0, change);
        if (type == ADDRESS_LIST && at < end)
            break;
        at = end;
    }
    return at;
}

uint64_t natkit_pim(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { HELLO = 0, REGISTER = 1, REGISTER_STOP = 2, JOIN_PRUNE = 3, ASSERT = 5 };
    uint64_t pseudo = place->version == 6 ? place->pseudo : 0;
    uint64_t change = 0;
    uint32_t at = 4;
    if (in->len < 4)
        return 0;
    if (in->data[0] >> 4 != 2)
        return natkit_unknown(self, in, 0, "PIM version", in->data[0] >> 4);
    uint8_t type = in->data[0] & 0x0f;
    if (type == REGISTER) { /* the checksum is over the first 8 bytes, or over all of them */
        struct stretch head = {in->data, least_of(8, in->len)};
        bool over_all = checksum_sum(head.data, head.len) != 0xffff &&
                        checksum_sum(in->data, in->len) == 0xffff;
        change = natkit_inner(self, in, 8, INNER_IP, place);
        return change + checksum_adjust(in, 2, pseudo + (over_all ? change : 0));
    }
    if (self->signalling) {
        if (type == HELLO)
            at = replace_hello(self, in, &change);
        else if (type == REGISTER_STOP)
            at = replace_group(self, in, 0, &change);
        else if (type == ASSERT) /* preference and metric */
            at = replace_group(self, in, 8, &change);
        else if (type == JOIN_PRUNE)
            at = replace_joins(self, in, &change);
    } else {
        at = in->len;
    }
    change += natkit_unknown(self, in, at, "PIM type", type);
    return change + checksum_adjust(in, 2, pseudo + change);
}
