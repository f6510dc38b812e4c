/* The table of link types as decoders, and the link types that hold a frame of any other. */
#include "linklayer.h"

#include <string.h>

#include "bytes.h"
#include "cooked.h"
#include "encapsulation.h"
#include "erfrecord.h"
#include "ethertype.h"
#include "exported.h"
#include "ieee80211.h"
#include "juniper.h"
#include "link.h"
#include "wrapper.h"

static void decode_linktype(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                            struct plt_layers *out);

/* A frame of any link type within another one: that is layer 2. */
static void link_within(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                        struct plt_layers *out)
{
    if (link_enter(len, at, linktype, out))
        decode_linktype(data, len, at, linktype, out);
}

/* LINKTYPE_ERF (https://www.tcpdump.org/linktypes.html): a whole ERF record, whose type decides. */
static LINK_DECODER(erf)
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
static LINK_DECODER(ppi)
{
    if (!link_has(len, at, 8))
        return;
    uint32_t size = load_le16(data + at + 2);
    if (size >= 8)
        link_within(data, len, at + size, load_le32(data + at + 4), out);
}

/* LINKTYPE_PKTAP (https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html): header length, record
 * type, link type.  Older versions of macOS use the number of USER2, which has no fixed meaning. */
static LINK_DECODER(pktap)
{
    enum { RECORD_PACKET = 1, LEAST_HEADER = 12 };
    uint32_t size = link_has(len, at, LEAST_HEADER) ? load_le32(data + at) : 0;
    if (size < LEAST_HEADER || size >= len - at || load_le32(data + at + 4) != RECORD_PACKET)
        out->layer2 = PLT_ABSENT;
    else
        link_within(data, len, at + size, load_le32(data + at + 8), out);
}

/* LINKTYPE_TZSP: as over UDP, Ethernet or 802.11. */
static LINK_DECODER(tzsp)
{
    struct encapsulation header;
    if (at >= len)
        return;
    encapsulation_tzsp(data + at, len - at, &header);
    if (header.carries == CARRIES_ETHERNET)
        link_within(data, len, at + header.at, LINKTYPE_ETHERNET, out);
    else if (header.carries == CARRIES_80211)
        link_within(data, len, at + header.at, LINKTYPE_IEEE802_11, out);
}

/* The link type of what one of Wireshark's dissectors reads; a name may be padded with zeros. */
static uint32_t linktype_of_dissector(const uint8_t *name, uint32_t size)
{
    static const struct {
        const char *name;
        uint32_t linktype;
    } dissectors[] = {
        {"ip", LINKTYPE_RAW},
        {"ipv6", LINKTYPE_RAW},
        {"eth_withoutfcs", LINKTYPE_ETHERNET},
        {"eth_withfcs", LINKTYPE_ETHERNET},
        {"eth_maybefcs", LINKTYPE_ETHERNET},
        {"wlan", LINKTYPE_IEEE802_11},
        {"wlan_withoutfcs", LINKTYPE_IEEE802_11},
        {"ppp", LINKTYPE_PPP},
        {"llc", LINKTYPE_ATM_RFC1483},
    };
    while (size > 0 && name[size - 1] == 0)
        size--;
    for (size_t i = 0; i < sizeof(dissectors) / sizeof(dissectors[0]); i++)
        if (strlen(dissectors[i].name) == size && memcmp(dissectors[i].name, name, size) == 0)
            return dissectors[i].linktype;
    return LINKTYPE_UNDECODED;
}

/* LINKTYPE_WIRESHARK_UPPER_PDU: a field names the dissector of what follows the last one. */
static LINK_DECODER(upper_pdu)
{
    uint32_t linktype = LINKTYPE_UNDECODED;
    struct exported_field field;
    while (exported_field_next(data, len, &at, &field))
        if (field.type == EXPORTED_DISSECTOR && link_has(len, field.value, field.size))
            linktype = linktype_of_dissector(data + field.value, field.size);
    link_within(data, len, at + EXPORTED_HEADER, linktype, out);
}

static void decode_linktype(const uint8_t *data, uint32_t len, uint32_t at, uint32_t linktype,
                            struct plt_layers *out)
{
    /* Rows may share a decoder.  NOLINTBEGIN(bugprone-branch-clone) */
    switch (linktype) {
#define LINK_CASE(name, number, dlt, type, decoder, ...)                                           \
    case LINKTYPE_##name:                                                                          \
        link_##decoder(data, len, at, out);                                                        \
        break;
        LINK_TYPES(LINK_CASE)
#undef LINK_CASE
    default:
        out->layer2 = PLT_ABSENT;
    }
    /* NOLINTEND(bugprone-branch-clone) */
}

void plt_decode_link(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                     struct plt_layers *out)
{
    out->layer2 = 0;
    out->linktype =
        meta->linktype == PLT_LINKTYPE_OF_DLT ? plt_linktype_of_dlt(meta->dlt) : meta->linktype;
    decode_linktype(data, len, 0, meta->dlt, out);
    if (len == 0)
        out->layer2 = PLT_ABSENT;
}
