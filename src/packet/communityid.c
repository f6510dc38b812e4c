/* Community IDs: SHA-1 of a seed and a five-tuple whose lower end comes first. */
#include "communityid.h"

#include "bytes.h"
#include "fivetuple.h"
#include "protocols.h"
#include "sha1.h"
#include "values.h"

#include <string.h>

bool community_has_types(uint8_t proto)
{
    return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

bool community_has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

/* The type that answers a type of ICMP, or is answered by it; -1 where there is none.  RFC 792, 950
 * and 1256; of ICMPv6 RFC 4443, 2710, 4861, 4620 and 6275. */
static int counterpart(uint8_t proto, uint16_t type)
{
    static const uint8_t pairs4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
    static const uint8_t pairs6[][2] = {{128, 129}, {130, 131}, {133, 134},
                                        {135, 136}, {139, 140}, {144, 145}};
    bool v6 = proto == PROTO_ICMP6;
    const uint8_t(*pairs)[2] = v6 ? pairs6 : pairs4;
    size_t count = v6 ? sizeof(pairs6) / sizeof(pairs6[0]) : sizeof(pairs4) / sizeof(pairs4[0]);
    for (size_t i = 0; i < count; i++) {
        if (pairs[i][0] == type)
            return pairs[i][1];
        if (pairs[i][1] == type)
            return pairs[i][0];
    }
    return -1;
}

/* RFC 4648 section 4 of a digest: 20 bytes are 6 groups of three, and two. */
static void store_base64(const uint8_t digest[SHA1_SIZE], char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned at = 0; at < SHA1_SIZE; at += 3) {
        uint32_t group = (uint32_t)digest[at] << 16 | (uint32_t)digest[at + 1] << 8;
        bool is_whole = at + 2 < SHA1_SIZE;
        if (is_whole)
            group |= digest[at + 2];
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = alphabet[group >> 6 & 63];
        *out++ = is_whole ? alphabet[group & 63] : '=';
    }
    *out = 0;
}

void community_id(const struct community_tuple *tuple, uint16_t seed, char out[COMMUNITY_ID_ROOM])
{
    const uint8_t *first = tuple->src, *second = tuple->dst;
    uint16_t first_port = tuple->src_port, second_port = tuple->dst_port;
    bool has_types = community_has_types(tuple->proto);
    int answer = has_types ? counterpart(tuple->proto, tuple->src_port) : -1;
    bool in_order = has_types && answer < 0; /* without an answer the direction counts */
    if (has_types && answer >= 0)
        second_port = (uint16_t)answer;
    if (!has_types && !community_has_ports(tuple->proto))
        first_port = second_port = 0;
    int order = memcmp(first, second, tuple->size);
    if (!in_order && (order > 0 || (order == 0 && first_port > second_port))) {
        first = tuple->dst;
        second = tuple->src;
        uint16_t port = first_port;
        first_port = second_port;
        second_port = port;
    }
    uint8_t message[2 + 2 * 16 + 2 + 4] = {0};
    uint8_t digest[SHA1_SIZE];
    uint8_t *end = message;
    store_be16(end, seed);
    memcpy(end + 2, first, tuple->size);
    memcpy(end + 2 + tuple->size, second, tuple->size);
    end += 2 + 2 * (size_t)tuple->size;
    *end = tuple->proto; /* a byte of zero follows */
    end += 2;
    if (has_types || community_has_ports(tuple->proto)) {
        store_be16(end, first_port);
        store_be16(end + 2, second_port);
        end += 4;
    }
    sha1_short(message, (size_t)(end - message), digest);
    out[0] = '1';
    out[1] = ':';
    store_base64(digest, out + 2);
}

bool packet_community_id(const struct plt_packet *packet, uint16_t seed,
                         char out[COMMUNITY_ID_ROOM])
{
    struct fivetuple found;
    const struct plt_layers *layers = packet->layers;
    if (packet_fivetuple(packet, &found) != FIVETUPLE_OK || layers->transport == PLT_ABSENT)
        return false;
    uint32_t size = layers->version == 4 ? 4 : 16;
    struct community_tuple tuple = {.src = found.addresses,
                                    .dst = found.addresses + size,
                                    .size = size,
                                    .proto = found.proto,
                                    .src_port = found.src_port,
                                    .dst_port = found.dst_port};
    bool has_types = community_has_types(found.proto);
    const uint8_t *bytes = has_types                          ? transport_bytes(packet, 0, 2)
                           : community_has_ports(found.proto) ? transport_bytes(packet, 0, 4)
                                                              : packet->data;
    if (!bytes)
        return false;
    if (has_types) {
        tuple.src_port = bytes[0];
        tuple.dst_port = bytes[1];
    }
    community_id(&tuple, seed, out);
    return true;
}
