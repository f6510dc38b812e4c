/* Link types that put a header before Ethernet, 802.2 or IP. */
#include "wrapper.h"

#include "bytes.h"
#include "ethertype.h"
#include "link.h"
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

/* LINKTYPE_FC_2: Fibre Channel's header of 24 bytes, with the type, whether a network header with
 * the addresses follows, and the number of the frame in its sequence (RFC 4338 section 3). */
LINK_DECODER(fibre_channel)
{
    enum { HEADER = 24, LLC_SNAP = 5, NOTHING = 0, NETWORK_HEADER = 0x20 };
    if (!link_has(len, at, HEADER) || data[at + 8] != LLC_SNAP || load_be16(data + at + 14) != 0)
        return;
    if (data[at + 13] == NETWORK_HEADER)
        link_ip_over_fc(data, len, at + HEADER, out);
    else if (data[at + 13] == NOTHING)
        link_llc(data, len, at + HEADER, out);
}

/* LINKTYPE_FC_2_WITH_FRAME_DELIMS: a start of frame before that. */
LINK_DECODER(fibre_channel_delimited)
{
    link_fibre_channel(data, len, at + 4, out);
}

/* LINKTYPE_APPLE_IP_OVER_IEEE1394: two addresses of 8 bytes, an ethertype. */
LINK_DECODER(ieee1394)
{
    enum { HEADER = 18 };
    if (link_has(len, at, HEADER))
        plt_decode_ethertype(data, len, at + HEADER, load_be16(data + at + 16), out);
}

/* --- ARCNET, AX.25 --------------------------------------------------------------------------- */

/* From ARCNET's protocol on.  Those of RFC 1201 have a split flag and a sequence number after it,
 * in an exception packet again after four bytes; of a datagram that is split, the later parts have
 * an even flag.  IPv6 is that of RFC 2497. */
static void decode_arcnet(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    enum { IP6 = 0xc4, IP = 0xd4, ARP = 0xd5, OLD_IP = 0xf0, OLD_ARP = 0xf1 /* RFC 1051 */ };
    enum { EXCEPTION = 0xff, HEADER = 4 };
    uint8_t protocol = link_has(len, at, 1) ? data[at] : 0;
    if (protocol == OLD_IP || protocol == OLD_ARP) {
        link_set_layer3(out, len, at + 1, protocol == OLD_IP ? ETHERTYPE_IP : ETHERTYPE_ARP);
        return;
    }
    if (link_has(len, at, 2 * HEADER) && data[at + 1] == EXCEPTION)
        at += HEADER;
    if (!link_has(len, at, HEADER) || (data[at + 1] != 0 && !(data[at + 1] & 1)))
        return;
    if (protocol == IP || protocol == IP6)
        link_ip(data, len, at + HEADER, out);
    else
        link_set_layer3(out, len, at + HEADER, protocol == ARP ? ETHERTYPE_ARP : 0);
}

/* LINKTYPE_ARCNET_BSD: two addresses of a byte. */
LINK_DECODER(arcnet)
{
    decode_arcnet(data, len, at + 2, out);
}

/* LINKTYPE_ARCNET_LINUX: and an offset. */
LINK_DECODER(arcnet_linux)
{
    decode_arcnet(data, len, at + 4, out);
}

/* LINKTYPE_AX25: addresses of 7 bytes, of which the last has its lowest bit set, a control byte,
 * and in frames with information the protocol (AX.25 version 2.2 section 3). */
LINK_DECODER(ax25)
{
    enum { ADDRESS = 7, MOST_ADDRESSES = 10, POLL = 0x10, UNNUMBERED = 0x03 };
    enum { IP = 0xcc, ARP = 0xcd };
    uint32_t end = at + MOST_ADDRESSES * ADDRESS;
    bool is_last = false;
    for (; !is_last && at < end && link_has(len, at, ADDRESS); at += ADDRESS)
        is_last = data[at + ADDRESS - 1] & 1;
    if (!is_last || !link_has(len, at, 2))
        return;
    uint8_t control = data[at];
    bool has_information = !(control & 1) || (control & ~POLL) == UNNUMBERED;
    if (has_information && data[at + 1] == IP)
        link_set_layer3(out, len, at + 2, ETHERTYPE_IP);
    else if (has_information && data[at + 1] == ARP)
        link_set_layer3(out, len, at + 2, ETHERTYPE_ARP);
}

/* LINKTYPE_AX25_KISS: a port, and what is done with the frame, 0 for data. */
LINK_DECODER(ax25_kiss)
{
    enum { COMMAND = 0x0f };
    if (link_has(len, at, 1) && !(data[at] & COMMAND))
        link_ax25(data, len, at + 1, out);
}

/* --- Headers before Ethernet ----------------------------------------------------------------- */

static void enter_ethernet(const uint8_t *data, uint32_t len, uint32_t at, struct plt_layers *out)
{
    if (link_enter(len, at, LINKTYPE_ETHERNET, out))
        link_ethernet(data, len, at, out);
}

/* LINKTYPE_EPON: a preamble with the number of a logical link. */
LINK_DECODER(epon)
{
    enum { PREAMBLE = 8 };
    enter_ethernet(data, len, at + PREAMBLE, out);
}

/* LINKTYPE_ETHERNET_MPACKET: a preamble, then what tells where a frame begins (IEEE 802.3br section
 * 99.3): one that is not split, or the first part of one that can be. */
LINK_DECODER(mpacket)
{
    enum { PREAMBLE = 0x55, MOST_PREAMBLE = 7 };
    uint32_t end = at + MOST_PREAMBLE;
    while (at < end && link_has(len, at, 1) && data[at] == PREAMBLE)
        at++;
    switch (link_has(len, at, 1) ? data[at] : 0) {
    case 0xd5:
    case 0xe6: /* of four numbers, which take turns */
    case 0x4c:
    case 0x7f:
    case 0xb3:
        enter_ethernet(data, len, at + 1, out);
        break;
    default:
        break;
    }
}

/* LINKTYPE_REDBACK, as Wireshark reads it: in the last 6 bytes of 24 the protocol, where the frame
 * begins, and where the packet in it does.  What is between these is no header, PPP's or
 * Ethernet's. */
LINK_DECODER(redback)
{
    enum { HEADER = 24, IP = 1, BRIDGED = 3, PPPOE = 4, ARP = 8 };
    if (!link_has(len, at, HEADER))
        return;
    uint16_t protocol = load_be16(data + at + 18);
    uint16_t frame = load_be16(data + at + 20);
    int between = load_be16(data + at + 22) - frame;
    if (protocol == IP && between == 0)
        link_ip(data, len, at + frame, out);
    else if (protocol == IP && (between == 2 || between == 4))
        link_hdlc(data, len, at + frame, out);
    else if (protocol == IP || protocol == BRIDGED || protocol == PPPOE || protocol == ARP)
        enter_ethernet(data, len, at + frame, out);
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
    enter_ethernet(data, len, at + 4, out);
}
