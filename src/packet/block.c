/* Where the headers of a block of packets are. */
#include "block.h"

const uint8_t block_zeroes[16];

void block_find_headers(struct packet_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct plt_packet *packet = &block->packets[i];
        const struct plt_layers *layers = packet->layers;
        uint32_t end = layers->ip_end < packet->len ? layers->ip_end : packet->len;
        bool has_ip = layers->version != 0;
        bool has_transport = layers->transport <= end;
        block->ip.at[i] = packet->data + (has_ip ? layers->layer3 : 0);
        block->ip.room[i] = has_ip ? packet->len - layers->layer3 : 0;
        block->transport.at[i] = packet->data + (has_transport ? layers->transport : 0);
        block->transport.room[i] = has_transport ? end - layers->transport : 0;
        block->version[i] = layers->version;
        block->proto[i] = layers->proto;
    }
}
