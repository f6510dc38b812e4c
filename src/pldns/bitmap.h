/* The lists of types of NSEC, NSEC3 and CSYNC records. */
#ifndef PLDNS_BITMAP_H
#define PLDNS_BITMAP_H

#include <ldns/ldns.h>
#include <stdbool.h>

/* Whether a field is a well-formed list of types.  The next two take only such: whether ldns has
 * a wrong name for one of them; and printing their names, a blank after each. */
bool pldns_is_bitmap(const ldns_rdf *field);
bool pldns_is_bitmap_misnamed(const ldns_rdf *field);
ldns_status pldns_print_bitmap(ldns_buffer *out, const ldns_rdf *field);

#endif
