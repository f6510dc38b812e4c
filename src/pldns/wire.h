/* Names, the question and the OPT record of a message, read in place.  No Python here. */
#ifndef PLDNS_WIRE_H
#define PLDNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/bytes.h"

enum {
    PLDNS_HEADER_SIZE = 12,
    PLDNS_ID_SIZE = 2,
    PLDNS_QUESTION_FIXED = 4,                  /* type, class */
    PLDNS_RECORD_FIXED = 10,                   /* type, class, TTL, RDLENGTH: section 3.2.1 */
    PLDNS_WORD = 8,                            /* bytes that names are read by */
    PLDNS_STRETCH = 16,                        /* that the text of a name is written by */
    PLDNS_NAME_SIZE = 255,                     /* RFC 1035 section 2.3.4 */
    PLDNS_TEXT_SIZE = PLDNS_NAME_SIZE * 4 + 1, /* every byte of a name as \DDD */
    PLDNS_TEXT_ROOM = PLDNS_TEXT_SIZE + PLDNS_STRETCH
};

struct pldns_name {
    const uint8_t
        *bytes; /* uncompressed, as sent: in the message, or in copy if compressed there */
    size_t size;
    size_t readable; /* at bytes: those after its end are not of it */
    size_t labels;   /* without the root's */
    size_t longest;  /* of the labels: its size */
    uint8_t copy[PLDNS_NAME_SIZE];
};

struct pldns_question {
    struct pldns_name name;
    uint16_t type;
    uint16_t rr_class;
};

/* The same byte in all eight of a word. */
#define PLDNS_EACH(byte) ((uint64_t)(byte)*0x0101010101010101U)

/* Up to eight bytes, the first in the lowest place; `left` are there, and of those after them that
 * can be read too none is in the word. */
static inline uint64_t pldns_word(const uint8_t *bytes, size_t left, size_t readable)
{
    uint64_t word = 0;
    if (readable >= PLDNS_WORD) {
        word = load_le64(bytes);
        return left < PLDNS_WORD ? word & (((uint64_t)1 << 8 * left) - 1) : word;
    }
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

/* The name at a place in a message, uncompressed; the position after it, 0 where it is no name. */
size_t pldns_name_read(const uint8_t *wire, size_t size, size_t at, struct pldns_name *name);
/* The name in the presentation form that ldns prints; its length.  Of the text's room all may be
 * written to. */
size_t pldns_name_print(const struct pldns_name *name, char text[PLDNS_TEXT_ROOM]);
/* The first question of a message; false where there is none or its bytes are no question. */
bool pldns_question_read(const uint8_t *wire, size_t size, struct pldns_question *question);

struct pldns_opt {
    uint16_t udp_size;
    uint32_t ttl; /* extended rcode, version, flags: RFC 6891 section 6.1.3 */
};

/* The first OPT record of the additional section; false where what was captured has none. */
bool pldns_opt_read(const uint8_t *wire, size_t size, struct pldns_opt *opt);

#endif
