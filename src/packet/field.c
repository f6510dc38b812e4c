/* Fields of a block of packets. */
#include "field.h"

/* One loop for each base and width, which are known where this is inlined.  Where a packet lacks
 * the field, zeroes are read in its place: a choice of pointers costs less than a branch that is
 * hard to foresee. */
static inline void fill(enum field_base base, uint8_t width, const struct field *row, uint8_t proto,
                        const struct plt_packet *packets, size_t count, uint64_t *values,
                        uint8_t *absent)
{
    static const uint8_t zeroes[sizeof(uint32_t)];
    const uint32_t offset = row->offset;
    const uint32_t need = offset + width;
    const uint32_t mask = row->mask;
    const uint8_t shift = row->shift;
    const bool is_flag = row->is_flag;
    for (size_t i = 0; i < count; i++) {
        const struct plt_layers *layers = packets[i].layers;
        uint32_t at = layers->layer3;
        uint32_t end = packets[i].len;
        bool present = false;
        if (base == BASE_IP) {
            present = layers->version == 4;
        } else if (base == BASE_IP6) {
            present = layers->version == 6;
        } else if (base == BASE_TRANSPORT) {
            present = layers->proto == proto;
            at = layers->transport;
            end = layers->ip_end;
        }
        present = present & (at <= end) & (end - at >= need);
        const uint8_t *bytes = present ? packets[i].data + at + offset : zeroes;
        uint32_t value = width == 1 ? *bytes : width == 2 ? load_be16(bytes) : load_be32(bytes);
        value = value >> shift & mask;
        values[i] = is_flag ? value != 0 : value;
        absent[i] = !present;
    }
}

static inline void fill_from(enum field_base base, const struct field *row, uint8_t proto,
                             const struct plt_packet *packets, size_t count, uint64_t *values,
                             uint8_t *absent)
{
    if (row->width == 1)
        fill(base, 1, row, proto, packets, count, values, absent);
    else if (row->width == 2)
        fill(base, 2, row, proto, packets, count, values, absent);
    else
        fill(base, 4, row, proto, packets, count, values, absent);
}

void field_fill(const struct field *row, uint8_t proto, const struct plt_packet *packets,
                size_t count, uint64_t *values, uint8_t *absent)
{
    switch ((enum field_base)row->base) {
    case BASE_IP:
        fill_from(BASE_IP, row, proto, packets, count, values, absent);
        break;
    case BASE_IP6:
        fill_from(BASE_IP6, row, proto, packets, count, values, absent);
        break;
    case BASE_TRANSPORT:
        fill_from(BASE_TRANSPORT, row, proto, packets, count, values, absent);
        break;
    case BASE_SELF: /* no column is of a header that repeats */
        fill_from(BASE_SELF, row, proto, packets, count, values, absent);
        break;
    }
}
