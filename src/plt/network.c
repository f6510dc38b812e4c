/* From layer 3 on: IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200 section 4). */
#include "plt.h"

/* The end of an IP packet by its own length; one that lies, or is 0 (segmentation offload), ends
 * where what was captured ends. */
static uint32_t ip_end(uint32_t len, uint32_t at, uint32_t length, uint32_t least)
{
    return length >= least && length < len - at ? at + length : len;
}

static void decode_ip4(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    uint32_t captured = len - at;
    uint32_t header = (data[at] & 0x0fU) * 4;
    out->version = 4;
    out->ip_end = len;
    if (captured >= 4)
        out->ip_end = ip_end(len, at, load_be16(data + at + 2), header);
    if (captured < 10)
        return;
    uint16_t fragment = load_be16(data + at + 6);
    out->proto = data[at + 9];
    out->fragment = (fragment & 0x1fff) != 0;
    out->more_fragments = (fragment & 0x2000) != 0;
    if (header < 20 || captured < header)
        return;
    out->payload = at + header;
    if (!out->fragment)
        out->transport = at + header;
}

/* The size of an extension header, 0 where what follows is no such header. */
static uint32_t extension_size(uint8_t next, const uint8_t *header)
{
    switch (next) {
    case 0:   /* hop-by-hop options */
    case 43:  /* routing */
    case 60:  /* destination options */
    case 135: /* mobility, RFC 6275 */
    case 139: /* host identity, RFC 7401 */
    case 140: /* shim6, RFC 5533 */
        return (header[1] + 1U) * 8;
    case 44: /* fragment */
        return 8;
    case 51: /* authentication, RFC 4302 */
        return (header[1] + 2U) * 4;
    default:
        return 0;
    }
}

static bool is_extension(uint8_t next)
{
    static const uint8_t dummy[2] = {0, 0};
    return extension_size(next, dummy) != 0;
}

static void decode_ip6(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    out->version = 6;
    out->ip_end = len;
    if (len - at >= 6)
        out->ip_end = ip_end(len, at, 40U + load_be16(data + at + 4), 41);
    if (len - at < 7)
        return;
    uint8_t next = data[at + 6];
    out->proto = next;
    at += 40;
    while (at <= len && is_extension(next)) {
        if (len - at < 8)
            return;
        if (next == 44) {
            uint16_t fragment = load_be16(data + at + 2);
            out->fragment = fragment >> 3 != 0;
            out->more_fragments = fragment & 1;
        }
        uint32_t size = extension_size(next, data + at);
        next = data[at];
        out->proto = next;
        if (len - at < size)
            return;
        at += size;
        if (out->fragment)
            break; /* what follows continues the first fragment's transport */
    }
    if (at > len)
        return;
    out->payload = at;
    if (!out->fragment && next != 59)
        out->transport = at;
}

void plt_decode_network(const uint8_t *data, uint32_t len, struct plt_layers *out)
{
    uint32_t at = out->layer3;
    if (at == PLT_ABSENT)
        return;
    if (out->ethertype == ETHERTYPE_IP && data[at] >> 4 == 4)
        decode_ip4(data, len, at, out);
    else if (out->ethertype == ETHERTYPE_IP6 && data[at] >> 4 == 6)
        decode_ip6(data, len, at, out);
}

void plt_decode(const uint8_t *data, uint32_t len, const struct plt_meta *meta, uint8_t root,
                uint8_t proto, struct plt_layers *out)
{
    *out = (struct plt_layers){.layer2 = PLT_ABSENT,
                               .layer3 = PLT_ABSENT,
                               .transport = PLT_ABSENT,
                               .payload = PLT_ABSENT,
                               .ip_end = len,
                               .linktype = LINKTYPE_UNKNOWN};
    switch ((enum plt_root)root) {
    case ROOT_LINK:
        plt_decode_link(data, len, meta, out);
        plt_decode_network(data, len, out);
        break;
    case ROOT_NETWORK: /* proto is the version; whoever asks for it may be wrong, not us */
        if (len == 0)
            break;
        out->layer3 = 0;
        out->ethertype = proto == 4 ? ETHERTYPE_IP : ETHERTYPE_IP6;
        if (proto == 4)
            decode_ip4(data, len, 0, out);
        else
            decode_ip6(data, len, 0, out);
        break;
    case ROOT_TRANSPORT:
        out->proto = proto;
        out->transport = 0;
        break;
    }
}
