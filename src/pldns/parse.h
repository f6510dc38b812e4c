/* A message in wire format as ldns's records. */
#ifndef PLDNS_PARSE_H
#define PLDNS_PARSE_H

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A parsed message: its header as sent and its records, section after section in one array. */
struct pldns_sections {
    uint16_t ident;
    uint16_t flags; /* the second 16 bits of the header, RFC 1035 section 4.1.1 */
    ldns_rr **rrs;  /* owned, as are the records in it */
    size_t
        start[5]; /* section i, numbered as LDNS_SECTION_*, is rrs[start[i]] to rrs[start[i + 1]] */
    ldns_rr *opt; /* owned; the OPT of the additional section (RFC 6891), or NULL */
    ldns_rr *tsig; /* owned; its TSIG (RFC 8945), or NULL */
};

/* Reads a message; whatever it returns, sections is to be cleared after use. */
ldns_status pldns_parse(struct pldns_sections *sections, const uint8_t *wire, size_t length);
void pldns_clear(struct pldns_sections *sections);

#endif
