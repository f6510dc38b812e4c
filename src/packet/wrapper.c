/* Link types that wrap another one, or IP, in a header of their own. */
#include "link.h"

#include "bytes.h"
#include "erfrecord.h"
#include "protocols.h"

/* LINKTYPE_ERF (https://www.tcpdump.org/linktypes.html): a whole ERF record, whose type decides. */
LINK_DECODER(erf)
{
    if (!link_has(len, at, ERF_HEADER))
        return;
    uint32_t rlen = load_be16(data + at + 10);
    struct erf_layout layout = erf_layout_of(data[at + 8] & 0x7f);
    if (rlen < ERF_HEADER || rlen > len - at)
        rlen = len - at;
    uint32_t start = at + ERF_HEADER + erf_extensions_size(data + at, rlen) + layout.skip;
    link_within(data, len, start, layout.linktype, out);
    out->linktype = layout.libtrace;
}

/* LINKTYPE_PPI (CACE's per-packet information): flags, the length of its fields, then the link type
 * as libpcap has it. */
LINK_DECODER(ppi)
{
    if (!link_has(len, at, 8))
        return;
    uint32_t size = load_le16(data + at + 2);
    if (size >= 8)
        link_within(data, len, at + size, load_le32(data + at + 4), out);
}

/* LINKTYPE_PKTAP (https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html): header length, record
 * type, link type.  The number of older macOS is one that anybody may use for anything. */
LINK_DECODER(pktap)
{
    enum { RECORD_PACKET = 1, LEAST_HEADER = 12 };

    uint32_t size = link_has(len, at, LEAST_HEADER) ? load_le32(data + at) : 0;
    if (size < LEAST_HEADER || size >= len - at || load_le32(data + at + 4) != RECORD_PACKET)
        out->layer2 = PLT_ABSENT;
    else
        link_within(data, len, at + size, load_le32(data + at + 8), out);
}

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

/* LINKTYPE_INFINIBAND: a local route header that says what follows, a base transport header whose
 * operation 0x64 (unreliable datagram) is what IP is sent with (RFC 4391 section 4). */
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

/* --- Tags of Ethernet switches: what the switch says to its host --------------------------------
 */

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
    link_within(data, len, at + 4, LINKTYPE_ETHERNET, out);
}
