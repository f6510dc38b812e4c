/* What Wireshark exports before a packet (LINKTYPE_WIRESHARK_UPPER_PDU): fields of a type, a length
 * and a value (https://www.tcpdump.org/linktypes/LINKTYPE_WIRESHARK_UPPER_PDU.html).  No Python
 * here. */
#ifndef PLT_PACKET_EXPORTED_H
#define PLT_PACKET_EXPORTED_H

#include "bytes.h"
#include "decoder.h"

enum exported_type {
    EXPORTED_END = 0,
    EXPORTED_DISSECTOR = 12, /* the name of what reads the packet */
    EXPORTED_HEURISTIC = 13,
    EXPORTED_TABLE = 14,
    EXPORTED_IP_SRC = 20,
    EXPORTED_IP_DST = 21,
    EXPORTED_IP6_SRC = 22,
    EXPORTED_IP6_DST = 23,
    EXPORTED_PORT_TYPE = 24,
    EXPORTED_SRC_PORT = 25,
    EXPORTED_DST_PORT = 26,
    EXPORTED_NUMBER = 30,
    EXPORTED_TABLE_VALUE = 32
};

enum { EXPORTED_HEADER = 4 }; /* the type and the length */

/* A field, and where its value is, which may go on past the end of the data. */
struct exported_field {
    uint16_t type;
    uint32_t value;
    uint32_t size;
};

/* The field at *at, and *at past it; false at the end field, or where the data ends. */
static inline bool exported_field_next(const uint8_t *data, uint32_t len, uint32_t *at,
                                       struct exported_field *out)
{
    if (!link_has(len, *at, EXPORTED_HEADER) || load_be16(data + *at) == EXPORTED_END)
        return false;
    out->type = load_be16(data + *at);
    out->value = *at + EXPORTED_HEADER;
    out->size = load_be16(data + *at + 2);
    *at = out->value + out->size;
    return true;
}

#endif
