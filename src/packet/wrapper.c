/* Link types that put a header before Ethernet, 802.2 or IP. */
#include "wrapper.h"

#include "bytes.h"
#include "ethertype.h"
#include "protocols.h"

/* LINKTYPE_IPNET (Solaris): version, address family, zones; 24 bytes in all. */
LINK_DECODER(ipnet)
{
    enum { HEADER = 24, FAMILY_IP = 2, FAMILY_IP6 = 26 };
    if (!link_has(len, at, HEADER))
        return;
    if (data[at + 1] == FAMILY_IP)
        link_set_layer3(out, len, at + HEADER, ETHERTYPE_IP);
    else if (data[at + 1] == FAMILY_IP6)
        link_set_layer3(out, len, at + HEADER, ETHERTYPE_IP6);
}

/* RFC 4391 section 6: an ethertype and 2 bytes of zero. */
static void decode_ipoib(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (link_has(len, at, 4))
        plt_decode_ethertype(data, len, at + 4, load_be16(data + at), out);
}

/* LINKTYPE_IPOIB: 40 bytes of a global route header before it. */
LINK_DECODER(ipoib)
{
    decode_ipoib(data, len, at + 40, out);
}

/* LINKTYPE_INFINIBAND: a local route header, which has the type of the next header, and a base
 * transport header.  IP comes with its operation 0x64, unreliable datagram (RFC 4391 section 4). */
LINK_DECODER(infiniband)
{
    enum { NEXT_BTH = 2, NEXT_GRH = 3, DATAGRAM = 0x64 };
    static const uint32_t lrh = 8;
    static const uint32_t grh = 40;
    static const uint32_t bth = 12;
    static const uint32_t deth = 8;
    if (!link_has(len, at, lrh))
        return;
    uint8_t next = data[at + 1] & 3;
    at += lrh + (next == NEXT_GRH ? grh : 0);
    if (next >= NEXT_BTH && link_has(len, at, bth + deth) && data[at] == DATAGRAM)
        decode_ipoib(data, len, at + bth + deth, out);
}

/* RFC 4338 section 4: two addresses of 8 bytes, then LLC/SNAP. */
LINK_DECODER(ip_over_fc)
{
    link_llc(data, len, at + 16, out);
}

/* --- Tags between an Ethernet switch and its host -------------------------------------------- */

/* Ethernet with a tag of `size` bytes between the addresses and the ethertype. */
static void decode_tagged(const uint8_t *data, uint32_t len, uint32_t at, uint32_t size,
                          struct plt_layers *out)
{
    enum { ADDRESSES = 12 };
    out->linktype = LIBTRACE_TYPE_ETH;
    if (!link_has(len, at, ADDRESSES + size + 2))
        return;
    at += ADDRESSES + size;
    plt_decode_ethertype(data, len, at + 2, load_be16(data + at), out);
}

/* LINKTYPE_DSA_TAG_DSA, LINKTYPE_DSA_TAG_BRCM. */
LINK_DECODER(tag_of_4)
{
    decode_tagged(data, len, at, 4, out);
}

/* LINKTYPE_DSA_TAG_EDSA: an ethertype and 2 bytes before a DSA tag. */
LINK_DECODER(tag_of_8)
{
    decode_tagged(data, len, at, 8, out);
}

/* LINKTYPE_DSA_TAG_BRCM_PREPEND. */
LINK_DECODER(tag_before)
{
    at += 4;
    if (link_enter(len, at, LINKTYPE_ETHERNET, out))
        link_ethernet(data, len, at, out);
}
