/* Tunnels, and protocols without addresses.  Where the inner packet begins is read in
 * packet/encapsulation.c. */
#include "tunnels.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/exported.h"
#include "packet/protocols.h"

/* --- Below IP -------------------------------------------------------------------------------- */

uint64_t natkit_quiet(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    (void)self;
    (void)in;
    (void)place;
    return 0;
}

/* Four fields are the addresses that the packet around had. */
static void rewrite_exported(struct anonymising *self, const struct stretch *in,
                             const struct exported_field *field)
{
    switch (field->type) {
    case EXPORTED_IP_SRC:
    case EXPORTED_IP6_SRC:
        if (self->src)
            natkit_replace(self, in, field->value, field->type == EXPORTED_IP_SRC ? 4 : 6);
        break;
    case EXPORTED_IP_DST:
    case EXPORTED_IP6_DST:
        if (self->dst)
            natkit_replace(self, in, field->value, field->type == EXPORTED_IP_DST ? 4 : 6);
        break;
    case EXPORTED_DISSECTOR:
    case EXPORTED_HEURISTIC:
    case EXPORTED_TABLE:
    case EXPORTED_PORT_TYPE:
    case EXPORTED_SRC_PORT:
    case EXPORTED_DST_PORT:
    case EXPORTED_NUMBER:
    case EXPORTED_TABLE_VALUE:
        break;
    default:
        natkit_unknown(self, in, field->value, "exported field", field->type);
    }
}

void natkit_exported(struct anonymising *self, const struct stretch *in)
{
    uint32_t at = 0;
    struct exported_field field;
    while (exported_field_next(in->data, in->len, &at, &field)) {
        struct stretch own = {in->data, least_of(at, in->len)};
        rewrite_exported(self, &own, &field);
    }
}

/* --- Above IP -------------------------------------------------------------------------------- */

/* Functions of tunnels that need no more than the reader of their header. */
#define TUNNEL(id, reader)                                                                         \
    uint64_t natkit_##id(struct anonymising *self, const struct stretch *in,                       \
                         const struct place *place)                                                \
    {                                                                                              \
        return natkit_encapsulated(self, in, encapsulation_##reader, place);                       \
    }

TUNNEL(ipip, ip)
TUNNEL(etherip, etherip)
TUNNEL(ethernet, ethernet)
TUNNEL(l2tp3, l2tp3)
TUNNEL(mpls, mpls)
TUNNEL(l2tp, l2tp)
TUNNEL(vxlan, vxlan)
TUNNEL(vxlan_gpe, vxlan_gpe)
TUNNEL(lisp, lisp)
TUNNEL(gue, gue)
TUNNEL(capwap, capwap)
TUNNEL(lwapp, lwapp)
TUNNEL(tzsp, tzsp)

/* Options that begin with a class and a type, then bits of a byte that say how many units they have
 * after it: what is in them, only the owner of the class knows. */
static uint64_t rewrite_classes(struct anonymising *self, const struct stretch *header, uint32_t at,
                                uint8_t length_bits, uint32_t unit, const char *what)
{
    uint64_t change = 0;
    while (at < header->len && header->len - at >= 4) {
        uint32_t size = (header->data[at + 3] & length_bits) * unit;
        struct stretch option = {header->data, least_of(at + 4 + size, header->len)};
        change += natkit_unknown(self, &option, at + 4, what, load_be16(header->data + at));
        at += 4 + ((size + 3) & ~3U);
    }
    return change;
}

/* RFC 8300 section 2.4: 16 bytes whose meaning only the network knows; section 2.5: any number of
 * them, by classes. */
static uint64_t rewrite_metadata(struct anonymising *self, const struct stretch *in)
{
    enum { BEFORE = 8, VARIABLE = 2 };
    if (in->len < 4)
        return 0;
    struct stretch header = {in->data, least_of((in->data[1] & 0x3fU) * 4, in->len)};
    if ((in->data[2] & 0x0f) != VARIABLE)
        return natkit_unknown(self, &header, BEFORE, "NSH metadata", -1);
    return rewrite_classes(self, &header, BEFORE, 0x7f, 1, "NSH metadata class");
}

uint64_t natkit_nsh(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    uint64_t change = rewrite_metadata(self, in);
    return change + natkit_encapsulated(self, in, encapsulation_nsh, place);
}

/* RFC 8926 section 3.5. */
static uint64_t rewrite_geneve_options(struct anonymising *self, const struct stretch *in)
{
    enum { BEFORE = 8 };
    if (in->len < BEFORE || in->data[0] >> 6 != 0)
        return 0;
    struct stretch header = {in->data, least_of(BEFORE + (in->data[0] & 0x3fU) * 4, in->len)};
    return rewrite_classes(self, &header, BEFORE, 0x1f, 4, "Geneve option class");
}

uint64_t natkit_geneve(struct anonymising *self, const struct stretch *in,
                       const struct place *place)
{
    uint64_t change = rewrite_geneve_options(self, in);
    return change + natkit_encapsulated(self, in, encapsulation_geneve, place);
}

/* Whether an extension header of GTP-U is known to hold no address: 3GPP TS 29.281 section 5.2. */
static bool is_quiet_extension(uint8_t type)
{
    switch (type) {
    case 0x03: /* PDCP PDU numbers */
    case 0x82:
    case 0xc0:
    case 0x20: /* service class indicator */
    case 0x40: /* UDP port */
    case 0x81: /* containers of the radio access network */
    case 0x83:
    case 0x84:
    case 0x85: /* of the PDU session */
        return true;
    default:
        return false;
    }
}

uint64_t natkit_gtp(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { VERSION_1 = 3, HAS_EXTENSION = 0x04, END_MARKER = 254 };
    uint64_t change = 0;
    uint8_t next = 0;
    if (in->len > 12 && in->data[0] >> 4 == VERSION_1 && in->data[0] & HAS_EXTENSION &&
        in->data[1] >= END_MARKER) /* or a packet */
        next = in->data[11];
    for (uint32_t at = 12; next != 0 && at < in->len && in->data[at] > 0;) {
        uint32_t end = at + in->data[at] * 4U;
        struct stretch content = {in->data, least_of(end - 1, in->len)};
        if (!is_quiet_extension(next))
            change += natkit_unknown(self, &content, at + 1, "GTP-U extension", next);
        next = end <= in->len ? in->data[end - 1] : 0;
        at = end;
    }
    return change + natkit_encapsulated(self, in, encapsulation_gtp, place);
}

/* RFC 4302 section 2; without the key its integrity check value can't be corrected. */
uint64_t natkit_ah(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    struct place within = *place;
    if (!stretch_has(in, 0, 2))
        return 0;
    uint32_t size = (in->data[1] + 2U) * 4;
    if (size >= in->len)
        return 0;
    if (within.headers++ >= NATKIT_MAX_DEPTH)
        return natkit_unknown(self, in, size, "nesting", -1);
    return self->transport(self, &(struct stretch){in->data + size, in->len - size}, in->data[0],
                           &within);
}

/* RFC 2004: the addresses of the IP header before encapsulation, which the transport's checksum
 * covers. */
uint64_t natkit_minimal(struct anonymising *self, const struct stretch *in,
                        const struct place *place)
{
    struct place within = *place;
    bool has_source = in->len >= 2 && in->data[1] & 0x80;
    uint32_t size = has_source ? 12 : 8;
    uint64_t change = 0;
    if (place->version != 4)
        return natkit_unknown(self, in, 0, "minimal encapsulation", -1);
    if (place->reversed ? self->src : self->dst)
        change = natkit_replace(self, in, 4, 4);
    within.pseudo = change + place->src;
    if (has_source) {
        within.src = 0;
        if (place->reversed ? self->dst : self->src)
            within.src = natkit_replace(self, in, 8, 4);
        within.pseudo = change + within.src;
        change += within.src;
    }
    change += checksum_adjust(in, 2, change);
    if (in->len <= size)
        return change;
    if (within.headers++ >= NATKIT_MAX_DEPTH)
        return change + natkit_unknown(self, in, size, "nesting", -1);
    return change + self->transport(self, &(struct stretch){in->data + size, in->len - size},
                                    in->data[0], &within);
}

/* RFC 2784 section 2.5: a checksum covers the header and what it carries. */
uint64_t natkit_gre(struct anonymising *self, const struct stretch *in, const struct place *place)
{
    enum { HAS_CHECKSUM = 0x8000, HAS_ROUTING = 0x4000, VERSION = 7 };
    uint16_t flags = stretch_has(in, 0, 4) ? load_be16(in->data) : 0;
    uint64_t change = natkit_encapsulated(self, in, encapsulation_gre, place);
    if (!(flags & HAS_CHECKSUM) || flags & HAS_ROUTING || (flags & VERSION) > 1)
        return change;
    return change + checksum_adjust(in, 4, change);
}

/* RFC 4380 section 5.1.1: an origin indication has an address, inverted. */
uint64_t natkit_teredo(struct anonymising *self, const struct stretch *in,
                       const struct place *place)
{
    uint64_t change = 0;
    uint32_t at = 0;
    if (stretch_has(in, 0, 4) && load_be16(in->data) == 1)
        at = 4U + in->data[2] + in->data[3] + 8 + 1;
    if (self->signalling && stretch_has(in, at, 8) && load_be16(in->data + at) == 0)
        change = natkit_replace_inverted(self, in, at + 4);
    return change + natkit_encapsulated(self, in, encapsulation_teredo, place);
}

/* https://www.wireguard.com/protocol: one of four message types, then three zeros.  The port is in
 * the range that applications are given. */
uint64_t natkit_wireguard(struct anonymising *self, const struct stretch *in,
                          const struct place *place)
{
    (void)place;
    if (stretch_has(in, 0, 4) && load_le32(in->data) >= 1 && load_le32(in->data) <= 4)
        return natkit_unknown(self, in, 0, "WireGuard", -1);
    return natkit_payload(self, in, 0);
}

/* RFC 3948: ESP, or IKE after four zeros; a single byte of 0xff only keeps a NAT's state. */
uint64_t natkit_nat_traversal(struct anonymising *self, const struct stretch *in,
                              const struct place *place)
{
    (void)place;
    if (in->len == 1 && in->data[0] == 0xff)
        return 0;
    return natkit_unknown(self, in, 0,
                          stretch_has(in, 0, 4) && load_be32(in->data) == 0 ? "IKE" : "ESP", -1);
}
