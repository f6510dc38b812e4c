/* A header field: a row in the table of a header.  No Python here. */
#ifndef PLT_PACKET_FIELD_H
#define PLT_PACKET_FIELD_H

#include "block.h"
#include "bytes.h"
#include "packet.h"
#include "protocols.h"

enum field_base { BASE_SELF, BASE_IP, BASE_IP6, BASE_ARP, BASE_TRANSPORT };

/* What attributes, setters and columns need to know of a field. */
struct field {
    const char *name;
    const char *doc;
    const char *unit; /* NULL for what has none */
    uint8_t base;     /* enum field_base: what offset counts from */
    uint8_t offset;   /* in bytes */
    uint8_t width;    /* of the load, in bytes: 1, 2 or 4 */
    uint8_t shift;    /* right shift after the load, then the mask */
    uint32_t mask;
    bool is_flag;  /* a bool in Python */
    bool writable; /* then it has two bytes, and low to mask is its range */
    uint32_t low;
};

/* Where a field's first byte is, PLT_ABSENT where it was not all captured or the packet has no such
 * header; `self` is where a header begins whose fields have BASE_SELF. */
static inline uint32_t field_at(const struct field *row, const struct plt_layers *layers,
                                uint32_t len, uint32_t self)
{
    uint32_t base = PLT_ABSENT;
    uint32_t end = len;
    uint32_t need = (uint32_t)row->offset + row->width;
    switch ((enum field_base)row->base) {
    case BASE_SELF:
        base = self;
        break;
    case BASE_IP:
        base = layers->version == 4 ? layers->layer3 : PLT_ABSENT;
        break;
    case BASE_IP6:
        base = layers->version == 6 ? layers->layer3 : PLT_ABSENT;
        break;
    case BASE_ARP:
        base = layers->ethertype == ETHERTYPE_ARP ? layers->layer3 : PLT_ABSENT;
        break;
    case BASE_TRANSPORT:
        base = layers->transport;
        end = layers->ip_end; /* what follows the IP packet is padding */
        break;
    }
    if (base == PLT_ABSENT || base > end || end - base < need)
        return PLT_ABSENT;
    return base + row->offset;
}

static inline uint32_t field_load(const struct field *row, const uint8_t *bytes)
{
    return row->width == 1 ? *bytes : row->width == 2 ? load_be16(bytes) : load_be32(bytes);
}

/* The value of a field whose bytes these are; of a flag, 0 or 1. */
static inline uint32_t field_value(const struct field *row, const uint8_t *bytes)
{
    uint32_t value = field_load(row, bytes) >> row->shift & row->mask;
    return row->is_flag ? value != 0 : value;
}

/* What field_fill() needs. */
static inline enum block_need field_need(const struct field *row)
{
    return row->base == BASE_SELF || row->base == BASE_ARP ? BLOCK_PACKETS : BLOCK_HEADERS;
}

/* The values of a field in a block of packets, as field_at() and field_value() give them.  proto is
 * the transport that has the header of a field of BASE_TRANSPORT. */
void field_fill(const struct field *row, uint8_t proto, const struct packet_block *block,
                struct block_values *out);

#endif
