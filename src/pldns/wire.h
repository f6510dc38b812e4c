/* The question and the OPT record of a message, read in place.  No Python here. */
#ifndef PLDNS_WIRE_H
#define PLDNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLDNS_HEADER_SIZE = 12,
    PLDNS_ID_SIZE = 2,
    PLDNS_WORD = 8,                            /* bytes that names are read by */
    PLDNS_NAME_SIZE = 255,                     /* RFC 1035 section 2.3.4 */
    PLDNS_TEXT_SIZE = PLDNS_NAME_SIZE * 4 + 1, /* every byte of a name as \DDD */
    PLDNS_TEXT_ROOM = PLDNS_TEXT_SIZE + PLDNS_WORD
};

struct pldns_question {
    const uint8_t *name; /* uncompressed, as sent: in the message, or in copy if compressed there */
    size_t name_size;
    size_t readable; /* bytes at name: those after its end are not of it */
    size_t labels;   /* without the root's */
    size_t longest;  /* of the labels: its size */
    uint16_t type;
    uint16_t rr_class;
    uint8_t copy[PLDNS_NAME_SIZE];
};

/* The first question of a message; false where there is none or its bytes are no question. */
bool pldns_question_read(const uint8_t *wire, size_t size, struct pldns_question *question);
/* The name in the presentation form that ldns prints; its length.  Of the text's room all may be
 * written to. */
size_t pldns_question_text(const struct pldns_question *question, char text[PLDNS_TEXT_ROOM]);

struct pldns_opt {
    uint16_t udp_size;
    uint32_t ttl; /* extended rcode, version, flags: RFC 6891 section 6.1.3 */
};

/* The first OPT record of the additional section; false where what was captured has none. */
bool pldns_opt_read(const uint8_t *wire, size_t size, struct pldns_opt *opt);

#endif
