/* The columns of DNS messages. */
#ifndef PLDNS_COLUMNS_H
#define PLDNS_COLUMNS_H

#include "packet.h"

#include "common/batch.h"

/* What columns a reader has, as numbers of columns.c, and what of a message they need. */
struct pldns_wanted {
    uint8_t columns[MAX_COLUMNS];
    uint8_t text_column;
    bool text; /* there is a text_column */
    bool question;
    bool digest;
    bool opt;
    bool status;
    bool query;
};

/* The values of a message, zeroes where it has none.  What is not wanted is not set. */
struct pldns_message_row {
    int64_t time;
    int64_t query_time;
    int64_t response_time;
    uint64_t question; /* a digest */
    struct pldns_ends ends;
    uint32_t wire_len;
    uint32_t length;
    uint32_t text_end; /* of its name in the text of the column */
    uint8_t header[PLDNS_HEADER_SIZE];
    uint16_t qtype;
    uint16_t qclass;
    uint16_t edns_udp_size;
    uint16_t edns_flags;
    uint16_t edns_rcode;
    uint16_t status;
    uint8_t edns_version;
    uint8_t has; /* HAS_* of columns.c */
};

enum { PLDNS_BLOCK = 64 };

/* Messages that were read and are not in the columns yet: these are filled one by one. */
struct pldns_block {
    size_t count;
    struct pldns_message_row rows[PLDNS_BLOCK];
};

/* Want the column of a name, as the i-th; false where there is none. */
bool pldns_wanted_add(struct pldns_wanted *wanted, size_t i, const char *name,
                      struct column_info *info);
/* Read a message for a batch whose text has room for a name; false when out of memory. */
bool pldns_block_add(const struct pldns_wanted *wanted, struct pldns_block *block,
                     struct batch *batch, const struct pldns_packet *packet,
                     const struct pldns_found *found, struct pldns_matcher *matcher);
/* Put the messages of a block into the batch; false when out of memory. */
bool pldns_block_end(const struct pldns_wanted *wanted, struct pldns_block *block,
                     struct batch *batch);
/* pldns._pldns._column_fields(). */
PyObject *pldns_column_list(PyObject *module, PyObject *args);

#endif
