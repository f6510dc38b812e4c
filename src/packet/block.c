/* Where the headers of a block of packets are. */
#include "block.h"

const uint8_t block_zeroes[16];

void block_find_headers(struct packet_block *block)
{
    size_t count = block->count;
    block_begin(block);
    for (size_t i = 0; i < count; i++) {
        const struct plt_packet *packet = &block->packets[i];
        block_take_packet(block, packet->data, packet->len, packet->layers, packet->meta);
    }
}
