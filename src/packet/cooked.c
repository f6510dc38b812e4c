/* Linux cooked captures: a pseudo-header with the packet's type, the hardware type of the interface
 * and a protocol, then the packet without its link layer's header. */
#include "cooked.h"

#include "bytes.h"
#include "ethertype.h"
#include "ieee80211.h"

/* What libtrace calls layer 2 begins after the pseudo-header. */
static void decode_cooked(const uint8_t *data, uint32_t len, uint32_t header, uint16_t hardware,
                          uint16_t protocol, struct plt_layers *out)
{
    out->linktype = LIBTRACE_TYPE_NONE;
    out->layer2 = header < len ? header : PLT_ABSENT;
    switch (protocol) {
    case SLL_WHOLE_FRAME:
        out->linktype = LIBTRACE_TYPE_ETH;
        link_ethernet(data, len, header, out);
        break;
    case 0x0001: /* 802.3 without 802.2 */
    case 0x0004: /* 802.2 */
        link_llc(data, len, header, out);
        break;
    default:
        if (hardware == ARPHRD_RADIOTAP || hardware == ARPHRD_80211) {
            out->linktype = LIBTRACE_TYPE_80211;
            uint32_t skip = 0;
            if (hardware == ARPHRD_RADIOTAP && link_has(len, header, 4))
                skip = load_le16(data + header + 2);
            plt_decode_80211(data, len, header + skip, false, out);
        } else {
            plt_decode_ethertype(data, len, header, protocol, out);
        }
    }
}

LINK_DECODER(cooked)
{
    if (link_has(len, at, 16))
        decode_cooked(data, len, at + 16, load_be16(data + at + 2), load_be16(data + at + 14), out);
}

LINK_DECODER(cooked2)
{
    if (link_has(len, at, 20))
        decode_cooked(data, len, at + 20, load_be16(data + at + 8), load_be16(data + at), out);
}
