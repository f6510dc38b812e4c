/* The layers of a packet: the link layer's decoder first, then layer 3's. */
#include "decode.h"

#include "linklayer.h"
#include "linktypes.h"
#include "network.h"
#include "protocols.h"
#include "straight.h"

uint64_t plt_wire(const struct plt_meta *meta, uint32_t len)
{
    /* an ATM wire length is one cell's, not the packet's */
    if (meta->dlt == LINKTYPE_ERF_ATM || meta->dlt == LINKTYPE_LEGACY_ATM)
        return WIRE_UNKNOWN;
    return meta->wire_len >= len && meta->wire_len >= meta->fcs ? meta->wire_len - meta->fcs : len;
}

void plt_decode(const uint8_t *data, uint32_t len, const struct plt_meta *meta, uint8_t root,
                uint8_t proto, struct plt_layers *out)
{
    if (root != ROOT_LINK || !decode_straight(data, len, meta, out))
        plt_decode_general(data, len, meta, root, proto, out);
}

void plt_decode_general(const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                        uint8_t root, uint8_t proto, struct plt_layers *out)
{
    *out = (struct plt_layers){.layer2 = PLT_ABSENT,
                               .layer3 = PLT_ABSENT,
                               .transport = PLT_ABSENT,
                               .payload = PLT_ABSENT,
                               .ip_end = len,
                               .linktype = LIBTRACE_TYPE_UNKNOWN};
    switch ((enum plt_root)root) {
    case ROOT_LINK:
        plt_decode_link(data, len, meta, out);
        plt_decode_network(data, len, plt_wire(meta, len), out);
        break;
    case ROOT_NETWORK: /* proto is the version: the caller's, not checked */
        if (len == 0)
            break;
        out->layer3 = 0;
        out->ethertype = proto == 4 ? ETHERTYPE_IP : ETHERTYPE_IP6;
        plt_decode_ip(data, len, proto, WIRE_UNKNOWN, out);
        break;
    case ROOT_ARP:
        out->ethertype = ETHERTYPE_ARP;
        if (len > 0)
            out->layer3 = 0;
        break;
    case ROOT_TRANSPORT:
        out->proto = proto;
        out->transport = 0;
        break;
    }
}

void record_layers_all(const struct plt_record *records, size_t count, struct plt_layers *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct plt_record *record = &records[i];
        if (record->layers != &out[i] &&
            !decode_straight(record->data, record->len, &record->meta, &out[i]))
            plt_decode_general(record->data, record->len, &record->meta, ROOT_LINK, 0, &out[i]);
    }
}

void record_headers_all(struct record_block *records, struct packet_block *out)
{
    block_begin(out);
    for (size_t i = 0; i < records->count; i++) {
        const struct plt_record *record = &records->records[i];
        const struct plt_layers *layers = record->layers;
        struct plt_layers straight; /* which stays in registers: little of it is used */
        if (!layers && decode_straight(record->data, record->len, &record->meta, &straight)) {
            block_take_packet(out, record->data, record->len, &straight, &record->meta);
            continue;
        }
        if (!layers) {
            layers = &records->layers[i];
            plt_decode_general(record->data, record->len, &record->meta, ROOT_LINK, 0,
                               &records->layers[i]);
        }
        block_take_packet(out, record->data, record->len, layers, &record->meta);
    }
}
