/* The columns of DNS messages. */
#ifndef PLDNS_COLUMNS_H
#define PLDNS_COLUMNS_H

#include "packet.h"

#include "common/batch.h"

/* What columns a reader has, as numbers of columns.c. */
struct pldns_wanted {
    uint8_t columns[MAX_COLUMNS];
    bool question;
    bool opt;
    bool status;
    bool query;
};

/* Want the column of a name, as the i-th; false where there is none. */
bool pldns_wanted_add(struct pldns_wanted *wanted, size_t i, const char *name,
                      struct column_info *info);
/* Append a message to a batch that has room for it; false when out of memory. */
bool pldns_columns_append(const struct pldns_wanted *wanted, struct batch *batch,
                          const struct pldns_packet *packet, const struct pldns_found *found,
                          struct pldns_matcher *matcher);
/* pldns._pldns._column_fields(). */
PyObject *pldns_column_list(PyObject *module, PyObject *args);

#endif
