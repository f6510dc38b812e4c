/* Plain messages: those that can be read where they are, without ldns.  No Python here. */
#ifndef PLDNS_PLAIN_H
#define PLDNS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A plain message: whole, of common types of records, without TSIG. */
struct pldns_plain {
    uint32_t at[4];     /* where the first record of each section begins */
    uint16_t counts[4]; /* records of each section; of the additional one, without its first OPT */
    uint32_t opt;       /* where the first OPT of the additional section begins, 0 without one */
};

/* What follows the name of a record: RFC 1035 section 3.2.1. */
struct pldns_plain_record {
    size_t end; /* of the record */
    uint16_t type;
    uint16_t rr_class;
    uint32_t ttl; /* 0 of a question */
    const uint8_t *rdata;
    size_t rdata_size;
};

/* Whether a message is plain: then pldns_parse() is sure to read it, with the records that are
 * counted here.  Of one that is not, nothing is said. */
bool pldns_plain_read(const uint8_t *wire, size_t size, struct pldns_plain *plain);
/* The record of a plain message at a place. */
struct pldns_plain_record pldns_plain_record(const uint8_t *wire, size_t size,
                                             const struct pldns_plain *plain, size_t at);

#endif
