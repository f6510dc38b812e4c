/* The layers of a packet, from the outermost on: the addresses of the IP header and its checksum
 * here, the rest by the protocol's number (protocols.h). */
#include "layers.h"

#include <string.h>

#include "checksum.h"
#include "inner.h"
#include "options.h"
#include "packet/bytes.h"
#include "packet/ends.h"
#include "packet/framecontrol.h"
#include "packet/ieee80211.h"
#include "packet/protocols.h"
#include "protocols.h"
#include "signalling.h"
#include "transport.h"
#include "tunnels.h"

/* The ends of the pseudo-header, before they were replaced. */
struct former_ends {
    struct plt_ends at;
    uint8_t src[16];
    uint8_t dst[16];
};

/* An IP packet's header, and what it carries. */
static uint64_t rewrite_ip(struct anonymising *self, const struct stretch *frame,
                           const struct plt_layers *layers, struct place *place)
{
    struct plt_packet packet = {.data = frame->data, .len = frame->len, .layers = layers};
    uint32_t end = least_of(layers->ip_end, frame->len);
    struct stretch in = {.data = frame->data + layers->layer3, .len = end - layers->layer3};
    uint32_t size = layers->version == 4 ? 4 : 16;
    struct former_ends ends;
    uint64_t change = 0;
    place->version = layers->version;
    place->missing = UINT32_MAX;
    if (layers->told_len && layers->ip_len >= in.len)
        place->missing = layers->ip_len - in.len;
    bool known = packet_ends(&packet, &ends.at);
    if (known) {
        memcpy(ends.src, frame->data + ends.at.src, size);
        memcpy(ends.dst, frame->data + ends.at.dst, size);
    }
    if (place->reversed ? self->dst : self->src)
        change += natkit_replace(self, &in, layers->version == 4 ? 12 : 8, layers->version);
    if (place->reversed ? self->src : self->dst)
        change += natkit_replace(self, &in, layers->version == 4 ? 16 : 24, layers->version);
    uint64_t pseudo = change;
    uint32_t header = layers->payload == PLT_ABSENT ? in.len : layers->payload - layers->layer3;
    struct stretch headers = {.data = in.data, .len = least_of(header, in.len)};
    if (layers->version == 4 && (in.data[0] & 0x0f) < IP_HEADER / 4)
        change += natkit_unknown(self, &in, IP_HEADER, "IPv4 header length", in.data[0] & 0x0f);
    else if (headers.len > (layers->version == 4 ? IP_HEADER : IP6_HEADER))
        change += natkit_replace_options(self, &headers, layers->version, place);
    if (layers->version == 4)
        change += checksum_adjust(&in, 10, change);
    if (layers->fragment && layers->payload != PLT_ABSENT)
        change += natkit_unknown(self, &in, header, "later fragment", -1);
    place->pseudo = pseudo;
    if (known) {
        place->src = checksum_difference(ends.src, frame->data + ends.at.src, 0, size);
        place->pseudo =
            place->src + checksum_difference(ends.dst, frame->data + ends.at.dst, 0, size);
    }
    if (layers->version == 6 && headers.len > IP6_HEADER)
        change += natkit_replace_mobility(self, &headers, place);
    uint32_t at = layers->transport;
    if (layers->proto == PROTO_NO_NEXT_HEADER && !layers->fragment)
        at = layers->payload; /* what follows all the same */
    if (at == PLT_ABSENT || at >= end)
        return change;
    struct stretch transport = {.data = frame->data + at, .len = end - at};
    return change + checksum_shifted(natkit_transport(self, &transport, layers->proto, place),
                                     at - layers->layer3);
}

/* A packet that is not IP, by its ethertype. */
static uint64_t rewrite_other(struct anonymising *self, const struct stretch *in,
                              uint16_t ethertype, const struct place *place)
{
    const struct natkit_protocol *row = natkit_protocol_of_ethertype(ethertype);
    if (row && row->rewrite)
        return row->rewrite(self, in, place);
    if (row)
        return natkit_unknown(self, in, 0, row->name, -1);
    if (ethertype == 0)
        return natkit_unknown(self, in, 0, "layer 3", -1);
    return natkit_unknown(self, in, 0, "ethertype", ethertype);
}

/* A packet in which no layer 3 was found. */
static uint64_t rewrite_link(struct anonymising *self, const struct stretch *frame,
                             const struct plt_layers *layers)
{
    enum { HEADER_80211 = 24 };
    uint32_t at = layers->layer2;
    if (layers->ethertype != 0 || (at != PLT_ABSENT && frame->len <= 14))
        return 0; /* nothing of layer 3 was captured */
    if (at >= frame->len || layers->linktype != LIBTRACE_TYPE_80211)
        return natkit_unknown(self, frame, 0, "link layer", -1);
    if (frame->len - at < 2 || !frame_control_has_data(frame_control_read(frame->data + at)))
        return 0;
    return natkit_unknown(self, frame, at + HEADER_80211, "802.11 data", -1);
}

/* A packet whose layers are known, but for those in a network service header. */
static uint64_t rewrite_layers(struct anonymising *self, const struct stretch *frame,
                               const struct plt_layers *layers, struct place *place)
{
    if (layers->nsh_at != 0 && layers->nsh_at < frame->len) {
        struct stretch nsh = {frame->data + layers->nsh_at, frame->len - layers->nsh_at};
        return checksum_shifted(natkit_nsh(self, &nsh, place), layers->nsh_at);
    }
    if (layers->layer3 == PLT_ABSENT) {
        if (layers->transport == 0) /* an object made of a transport header's bytes */
            return natkit_transport(self, frame, layers->proto, place);
        return rewrite_link(self, frame, layers);
    }
    /* checksums' words begin here: the link layer may have an odd length */
    struct stretch in = {.data = frame->data + layers->layer3, .len = frame->len - layers->layer3};
    uint64_t change = layers->version == 0 ? rewrite_other(self, &in, layers->ethertype, place)
                                           : rewrite_ip(self, frame, layers, place);
    change = checksum_shifted(change, layers->layer3);
    if (layers->version != 0 && layers->ip_end < frame->len)
        change += natkit_payload(self, frame, layers->ip_end);
    return change;
}

/* --- 802.11 A-MSDU (IEEE 802.11-2020 section 9.3.2.2) ---------------------------------------- */

enum { SUBFRAME_HEADER = 14 }; /* two addresses and a length */

/* Where the subframe at a place ends, with its padding to 4 bytes.  In a mesh its length may count
 * the mesh control field: then it ends by so much earlier. */
static uint32_t subframe_end(const struct stretch *frame, uint32_t at, uint32_t mesh)
{
    if (!stretch_has(frame, at, SUBFRAME_HEADER))
        return frame->len;
    uint32_t size = SUBFRAME_HEADER + mesh + load_be16(frame->data + at + 12);
    return least_of(at + ((size + 3) & ~3U), frame->len);
}

/* The subframes from a place on: each has 802.2 after its header.  What is shorter than a header is
 * a frame check sequence. */
static uint64_t rewrite_subframes(struct anonymising *self, const struct stretch *frame,
                                  uint32_t at, const struct place *place)
{
    uint64_t change = 0;
    while (stretch_has(frame, at, SUBFRAME_HEADER)) {
        uint32_t llc_at = at + SUBFRAME_HEADER;
        at = subframe_end(frame, at, 0);
        struct stretch llc = {frame->data + llc_at, at - llc_at};
        change += checksum_shifted(natkit_llc(self, &llc, place), llc_at);
    }
    return change + natkit_payload(self, frame, at);
}

/* An aggregate, of whose first subframe the layers are known. */
static uint64_t rewrite_aggregate(struct anonymising *self, const struct stretch *frame,
                                  const struct plt_layers *layers, struct place *place)
{
    uint32_t at = layers->subframe_at;
    uint32_t mesh = ieee80211_mesh_control_size(frame->data, frame->len, at + SUBFRAME_HEADER);
    struct stretch first = {frame->data, subframe_end(frame, at, mesh)};
    bool is_malformed = (layers->layer3 != PLT_ABSENT && layers->layer3 >= first.len) ||
                        (layers->version != 0 && layers->ip_end > first.len);
    uint64_t change = rewrite_layers(self, is_malformed ? frame : &first, layers, place);
    if (is_malformed)
        return change + natkit_unknown(self, frame, at + SUBFRAME_HEADER, "802.11 A-MSDU", -1);
    if (mesh > 0 && stretch_has(frame, first.len, SUBFRAME_HEADER))
        return change + natkit_unknown(self, frame, first.len, "802.11 A-MSDU", -1);
    return change + rewrite_subframes(self, frame, first.len, place);
}

/* A packet whose layers are known; the change that this makes to all of it. */
static uint64_t rewrite(struct anonymising *self, const struct stretch *frame,
                        const struct plt_layers *layers, struct place *place)
{
    if (layers->subframe_at != 0 && layers->subframe_at < frame->len)
        return rewrite_aggregate(self, frame, layers, place);
    return rewrite_layers(self, frame, layers, place);
}

void natkit_anonymise(struct anonymising *self, const struct stretch *frame,
                      const struct plt_layers *layers, uint32_t linktype)
{
    struct place place = {.depth = 0};
    self->rewrite = rewrite;
    self->transport = natkit_transport;
    bool has_frame = layers->layer2 != PLT_ABSENT && layers->layer2 <= frame->len;
    if (linktype == LINKTYPE_WIRESHARK_UPPER_PDU && has_frame)
        natkit_exported(self, &(struct stretch){frame->data, layers->layer2});
    rewrite(self, frame, layers, &place);
}
