/* Community IDs, version 1 (https://github.com/corelight/community-id-spec): a text for the flow of
 * a packet that Zeek, Suricata and others make the same of it.  No Python here. */
#ifndef PLT_PACKET_COMMUNITYID_H
#define PLT_PACKET_COMMUNITYID_H

#include "packet.h"

/* "1:", 28 characters of base64, and NUL. */
enum { COMMUNITY_ID_ROOM = 2 + 28 + 1 };

/* What an ID is made of. */
struct community_tuple {
    const uint8_t *src; /* of 4 or 16 bytes */
    const uint8_t *dst;
    uint32_t size; /* of either */
    uint8_t proto;
    /* ICMP: the type and the code. */
    uint16_t src_port;
    uint16_t dst_port;
};

/* Whether a protocol has ports that count, TCP, UDP and SCTP. */
bool community_has_ports(uint8_t proto);
/* Whether a protocol has ICMP's types and codes in place of ports. */
bool community_has_types(uint8_t proto);
void community_id(const struct community_tuple *tuple, uint16_t seed, char out[COMMUNITY_ID_ROOM]);
/* That of a packet; false where it has none: it is not IP, or its addresses, or ports or type were
 * not captured or are those of its first fragment. */
bool packet_community_id(const struct plt_packet *packet, uint16_t seed,
                         char out[COMMUNITY_ID_ROOM]);

#endif
