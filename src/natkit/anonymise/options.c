/* Addresses in the options of IPv4 and in the extension headers of IPv6, Mobile IPv6 among them. */
#include "options.h"

#include "checksum.h"
#include "packet/bytes.h"
#include "packet/protocols.h"

/* --- IPv4 (RFC 791 section 3.1) -------------------------------------------------------------- */

enum { RECORD_ROUTE = 7, TIMESTAMP = 68, TRACEROUTE = 82, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };

/* An address before each time, where the flag has them. */
static uint64_t replace_timestamps(struct anonymising *self, const struct stretch *option,
                                   uint32_t at)
{
    uint64_t change = 0;
    if (option->len - at < 4)
        return 0;
    uint8_t flag = option->data[at + 3] & 0x0f;
    if (flag != 1 && flag != 3)
        return 0;
    for (uint32_t entry = at + 4; entry < option->len; entry += 8)
        change += natkit_replace(self, option, entry, 4);
    return change;
}

static uint64_t replace_option4(struct anonymising *self, const struct stretch *option, uint32_t at)
{
    switch (option->data[at]) {
    case RECORD_ROUTE:
    case LOOSE_ROUTE:
    case STRICT_ROUTE: /* the last address may be cut */
        return natkit_replace_list(self, option, at + 3, (option->len - at) / 4, 4);
    case TIMESTAMP:
        return replace_timestamps(self, option, at);
    case TRACEROUTE: /* RFC 1393 */
        return natkit_replace(self, option, at + 8, 4);
    case 25:  /* quick start, RFC 4782 */
    case 130: /* security, RFC 1108 */
    case 133:
    case 134: /* CIPSO */
    case 136: /* stream identifier */
    case 148: /* router alert, RFC 2113 */
        return 0;
    default:
        return natkit_unknown(self, option, at + 2, "IPv4 option", option->data[at]);
    }
}

static uint64_t replace_options4(struct anonymising *self, const struct stretch *in)
{
    uint64_t change = 0;
    for (uint32_t at = IP_HEADER; at < in->len && in->data[at] != 0;) {
        if (in->data[at] == 1) { /* no operation */
            at++;
            continue;
        }
        if (in->len - at < 3 || in->data[at + 1] < 2)
            break;
        struct stretch option = {in->data, least_of(at + in->data[at + 1], in->len)};
        change += replace_option4(self, &option, at);
        at = option.len;
    }
    return change;
}

/* --- IPv6 ------------------------------------------------------------------------------------ */

/* The routing header at a place: of RFC 5095 (type 0), RFC 6275 (2) or RFC 8754 (4). */
static uint64_t replace_route6(struct anonymising *self, const struct stretch *header, uint32_t at)
{
    uint8_t kind = header->data[at + 2];
    uint32_t count = header->data[at + 1] / 2U;
    if (kind != 0 && kind != 2 && kind != 4)
        return natkit_unknown(self, header, at + 4, "IPv6 routing header", kind);
    if (kind == 4 && header->len - at >= 5)
        count = least_of(header->data[at + 4] + 1U, count); /* options follow the segments */
    uint64_t change = natkit_replace_list(self, header, at + 8, count, 6);
    enum { PAD1 = 0, PADN = 4, HMAC = 5 };
    for (uint32_t option = at + 8 + 16 * count;
         kind == 4 && option < header->len && header->len - option >= 2;) {
        uint8_t type = header->data[option];
        uint32_t size = type == PAD1 ? 1 : 2U + header->data[option + 1];
        if (type != PAD1 && type != PADN && type != HMAC)
            change += natkit_unknown(
                self, &(struct stretch){header->data, least_of(option + size, header->len)},
                option + 2, "segment routing option", type);
        option += size;
    }
    return change;
}

/* Whether an option of hop-by-hop or destination options is known to hold no address. */
static bool is_quiet_option6(uint8_t type)
{
    switch (type) {
    case 1:    /* PadN */
    case 0x04: /* tunnel encapsulation limit, RFC 2473 */
    case 0x05: /* router alert, RFC 2711 */
    case 0x07: /* CALIPSO, RFC 5570 */
    case 0x0f: /* performance and diagnostic metrics, RFC 8250 */
    case 0x12: /* alternate marking, RFC 9343 */
    case 0x32:
    case 0x23: /* RPL, RFC 9008 and RFC 6553 */
    case 0x63:
    case 0x26: /* quick start, RFC 4782 */
    case 0x30: /* minimum path MTU, RFC 9268 */
    case 0x8b: /* ILNP nonce, RFC 6744 */
    case 0xc2: /* jumbo payload, RFC 2675 */
    case 0xee: /* depth-first forwarding, RFC 6971 */
        return true;
    default:
        return false;
    }
}

/* The home address is a destination option: RFC 6275 section 6.3. */
static uint64_t replace_options6(struct anonymising *self, const struct stretch *header,
                                 uint32_t at, uint8_t kind)
{
    enum { HOME_ADDRESS = 0xc9 };
    uint64_t change = 0;
    for (at += 2; at < header->len && header->len - at >= 2;) {
        if (header->data[at] == 0) { /* Pad1 */
            at++;
            continue;
        }
        uint8_t type = header->data[at];
        uint32_t size = header->data[at + 1];
        struct stretch option = {header->data, least_of(at + 2 + size, header->len)};
        if (type == HOME_ADDRESS && size == 16 && kind == PROTO_DESTINATION_OPTIONS)
            change += natkit_replace(self, &option, at + 2, 6);
        else if (!is_quiet_option6(type))
            change += natkit_unknown(self, &option, at + 2, "IPv6 option", type);
        at = option.len;
    }
    return change;
}

/* Mobility (RFC 6275 section 6.1): what its messages and their options hold. */
static uint64_t replace_mobility(struct anonymising *self, const struct stretch *message)
{
    enum { BINDING_UPDATE = 5, BINDING_ERROR = 7 };
    enum { PADN = 1, ALTERNATE_CARE_OF = 3 };
    static const uint8_t sizes[] = {8, 8, 8, 16, 24, 12, 12, 24}; /* before the options */
    uint64_t change = 0;
    if (message->len < 8)
        return 0;
    uint8_t type = message->data[2];
    if (type >= sizeof(sizes))
        return natkit_unknown(self, message, 6, "mobility message", type);
    if (type == BINDING_ERROR)
        change += natkit_replace(self, message, 8, 6);
    for (uint32_t at = sizes[type]; at < message->len && message->len - at >= 2;) {
        uint8_t option = message->data[at];
        uint32_t size = option == 0 ? 1 : 2U + message->data[at + 1];
        struct stretch body = {message->data, least_of(at + size, message->len)};
        if (option == ALTERNATE_CARE_OF)
            change += natkit_replace(self, &body, at + 2, 6);
        else if (option > 5) /* refresh advice, nonce indices, authorization data hold none */
            change += natkit_unknown(self, &body, at + 2, "mobility option", option);
        at += size;
    }
    return change;
}

typedef uint64_t header_visitor(struct anonymising *self, const struct stretch *header, uint32_t at,
                                uint8_t kind, const struct place *place);

static uint64_t visit_headers(struct anonymising *self, const struct stretch *in,
                              header_visitor *visit, const struct place *place)
{
    uint8_t next = in->len > 6 ? in->data[6] : PROTO_NO_NEXT_HEADER;
    uint64_t change = 0;
    for (uint32_t at = IP6_HEADER; in->len > at && in->len - at >= 4;) {
        const uint8_t *header = in->data + at;
        uint32_t size = (header[1] + 1U) * 8;
        bool later_fragment = false;
        switch (next) {
        case PROTO_HOP_BY_HOP:
        case PROTO_DESTINATION_OPTIONS:
        case PROTO_MOBILITY:
        case PROTO_HIP:
        case PROTO_SHIM6:
        case PROTO_ROUTING:
            break;
        case PROTO_FRAGMENT:
            size = 8;
            later_fragment = load_be16(header + 2) >> 3 != 0;
            break;
        case PROTO_AH:
            size = (header[1] + 2U) * 4;
            break;
        default:
            return change;
        }
        struct stretch whole = {in->data, least_of(at + size, in->len)};
        change += visit(self, &whole, at, next, place);
        if (later_fragment)
            break;
        next = header[0];
        at += size;
    }
    return change;
}

static uint64_t visit_route(struct anonymising *self, const struct stretch *header, uint32_t at,
                            uint8_t kind, const struct place *place)
{
    (void)place;
    switch (kind) {
    case PROTO_ROUTING:
        return replace_route6(self, header, at);
    case PROTO_HOP_BY_HOP:
    case PROTO_DESTINATION_OPTIONS:
        return replace_options6(self, header, at, kind);
    case PROTO_HIP: /* RFC 7401, RFC 8046: locators */
        return natkit_unknown(self, header, at + 4, "HIP", -1);
    case PROTO_SHIM6: /* RFC 5533 section 5.1: bit P is that of a payload's header */
        return header->data[at + 2] & 0x80 ? 0 : natkit_unknown(self, header, at + 4, "shim6", -1);
    default:
        return 0;
    }
}

static uint64_t visit_mobility(struct anonymising *self, const struct stretch *header, uint32_t at,
                               uint8_t kind, const struct place *place)
{
    if (kind != PROTO_MOBILITY)
        return 0;
    struct stretch message = {header->data + at, header->len - at};
    uint64_t change = self->signalling ? replace_mobility(self, &message) : 0;
    return change + checksum_adjust(&message, 4, place->pseudo + change);
}

uint64_t natkit_replace_options(struct anonymising *self, const struct stretch *in, int version,
                                const struct place *place)
{
    if (!self->signalling)
        return 0;
    return version == 4 ? replace_options4(self, in) : visit_headers(self, in, visit_route, place);
}

uint64_t natkit_replace_mobility(struct anonymising *self, const struct stretch *in,
                                 const struct place *place)
{
    return visit_headers(self, in, visit_mobility, place);
}
