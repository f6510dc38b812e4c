/* The parameters of SVCB and HTTPS records as text. */
#ifndef PLDNS_SVCPARAMS_H
#define PLDNS_SVCPARAMS_H

#include <ldns/ldns.h>

/* Prints the field that holds the parameters of an SVCB or HTTPS record; a status that is not ok
 * where they are malformed, and part of them is printed. */
ldns_status pldns_print_svcparams(ldns_buffer *out, const ldns_rdf *field);

#endif
