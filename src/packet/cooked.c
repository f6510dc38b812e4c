/* Linux cooked captures: a pseudo-header with the packet's type, the hardware type of the interface
 * and a protocol, then the packet without its link layer's header. */
#include "cooked.h"

#include "bytes.h"
#include "ethertype.h"
#include "ieee80211.h"
#include "link.h"
#include "protocols.h"

/* Protocols that are no ethertypes: Linux's if_ether.h. */
enum {
    SLL_802_3 = 0x0001, /* without 802.2 */
    SLL_ETHERNET = 0x0003,
    SLL_802_2 = 0x0004,
    SLL_PPP = 0x0007
};

/* A packet of hardware whose packets the protocol tells apart. */
static void decode_protocol(const uint8_t *data, uint32_t len, uint32_t at, uint16_t hardware,
                            uint16_t protocol, struct plt_layers *out)
{
    switch (protocol) {
    case SLL_WHOLE_FRAME:
        out->linktype = LIBTRACE_TYPE_ETH;
        link_ethernet(data, len, at, out);
        break;
    case SLL_802_3:
    case SLL_802_2:
        link_llc(data, len, at, out);
        break;
    case SLL_ETHERNET:
        link_ethernet(data, len, at, out);
        break;
    case SLL_PPP:
        link_hdlc(data, len, at, out);
        break;
    default:
        if (hardware == ARPHRD_80211) {
            out->linktype = LIBTRACE_TYPE_80211;
            plt_decode_80211(data, len, at, false, out);
        } else {
            plt_decode_ethertype(data, len, at, protocol, out);
        }
    }
}

/* What libtrace calls layer 2 begins after the pseudo-header. */
static void decode_cooked(const uint8_t *data, uint32_t len, uint32_t header, uint16_t hardware,
                          uint16_t protocol, struct plt_layers *out)
{
    out->linktype = LIBTRACE_TYPE_NONE;
    out->layer2 = header < len ? header : PLT_ABSENT;
    if (hardware == ARPHRD_RADIOTAP) {
        out->linktype = LIBTRACE_TYPE_80211;
        if (link_has(len, header, 4))
            plt_decode_80211(data, len, header + load_le16(data + header + 2), false, out);
    } else if (hardware == ARPHRD_FRAD && protocol < ETHERTYPE_LEAST) {
        link_frame_relay(data, len, header, out);
    } else {
        decode_protocol(data, len, header, hardware, protocol, out);
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
