/* Fields of a block of packets. */
#include "field.h"

static inline uint32_t load(uint32_t width, const uint8_t *bytes)
{
    return width == 1 ? *bytes : width == 2 ? load_be16(bytes) : load_be32(bytes);
}

/* The same as fill() where the bytes of a field can be read in all packets, if only as something
 * else. */
static inline void fill_all(uint32_t width, const struct field *row,
                            const struct block_headers *headers, const uint8_t *kinds, uint8_t kind,
                            size_t count, struct block_values *out)
{
    const uint32_t offset = row->offset;
    const uint32_t mask = row->mask;
    const uint8_t shift = row->shift;
    for (size_t i = 0; i < count; i++) {
        uint32_t present = kinds[i] == kind;
        uint32_t value = load(width, headers->at[i] + offset);
        out->values[i] = value >> shift & mask & (0 - present);
        out->absent[i] = !present;
    }
}

/* One loop for each width, which is known where this is inlined.  The header is that of packets for
 * which `kinds` has a value. */
static inline void fill(uint32_t width, const struct field *row,
                        const struct block_headers *headers, const uint8_t *kinds, uint8_t kind,
                        size_t count, struct block_values *out)
{
    const uint32_t offset = row->offset;
    const uint32_t mask = row->mask;
    const uint8_t shift = row->shift;
    for (size_t i = 0; i < count; i++) {
        bool present = (kinds[i] == kind) & (headers->room[i] >= offset + width);
        const uint8_t *const choices[] = {block_zeroes, headers->at[i] + offset};
        const uint8_t *bytes = choices[present]; /* here a branch would be made of block_choose() */
        out->values[i] = load(width, bytes) >> shift & mask;
        out->absent[i] = !present;
    }
}

static void fill_from(const struct field *row, const struct block_headers *headers, uint32_t least,
                      const uint8_t *kinds, uint8_t kind, size_t count, struct block_values *out)
{
    bool in_all = least >= (uint32_t)row->offset + row->width;
    if (in_all && row->width == 1)
        fill_all(1, row, headers, kinds, kind, count, out);
    else if (in_all && row->width == 2)
        fill_all(2, row, headers, kinds, kind, count, out);
    else if (in_all)
        fill_all(4, row, headers, kinds, kind, count, out);
    else if (row->width == 1)
        fill(1, row, headers, kinds, kind, count, out);
    else if (row->width == 2)
        fill(2, row, headers, kinds, kind, count, out);
    else
        fill(4, row, headers, kinds, kind, count, out);
    for (size_t i = 0; row->is_flag && i < count; i++)
        out->values[i] = out->values[i] != 0;
}

void field_fill(const struct field *row, uint8_t proto, const struct packet_block *block,
                struct block_values *out)
{
    switch ((enum field_base)row->base) {
    case BASE_IP:
        fill_from(row, &block->ip, block->least_ip, block->version, 4, block->count, out);
        break;
    case BASE_IP6:
        fill_from(row, &block->ip, block->least_ip, block->version, 6, block->count, out);
        break;
    case BASE_TRANSPORT:
        fill_from(row, &block->transport, block->least_transport, block->proto, proto, block->count,
                  out);
        break;
    case BASE_SELF: /* of a header that repeats, or is within another: no column is of one */
    case BASE_ARP:
        for (size_t i = 0; i < block->count; i++) {
            const struct plt_packet *packet = &block->packets[i];
            uint32_t at = field_at(row, packet->layers, packet->len, PLT_ABSENT);
            out->values[i] = at != PLT_ABSENT ? field_value(row, packet->data + at) : 0;
            out->absent[i] = at == PLT_ABSENT;
        }
        break;
    }
}
