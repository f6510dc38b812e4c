/* Messages of several packets: fragments and TCP streams put together. */
#ifndef PLDNS_REASSEMBLE_H
#define PLDNS_REASSEMBLE_H

#include "packet.h"

#include "common/capi.h"

/* What puts fragments and streams together; NULL when out of memory. */
struct pldns_reassembly *pldns_reassembly_new(const uint64_t seed[2]);
void pldns_reassembly_free(struct pldns_reassembly *self);

/* Where records come from. */
struct pldns_records {
    const struct plt_api *api;   /* borrowed */
    struct plt_records *records; /* borrowed */
    const uint8_t *ports;        /* borrowed: a bit each */
    bool is_last;                /* no others come after these */
};

/* The next message, and the packet that made it whole.  PLT_RECORD, or what the records say at
 * their end: after the last what was not complete was given.  PLT_ERROR with *out_of_memory where
 * there is no memory. */
enum plt_records_result pldns_reassembly_next(struct pldns_matcher *matcher,
                                              const struct pldns_records *from,
                                              struct pldns_packet *packet,
                                              struct pldns_found *found, bool *out_of_memory);

#endif
