/* The data of a record as text. */
#ifndef PLDNS_RDATA_H
#define PLDNS_RDATA_H

#include <ldns/ldns.h>
#include <stdbool.h>

/* Prints a field of a printable record, without the blanks that ldns ends lists with; a status that
 * is not ok where it is malformed, and part of it may be printed. */
ldns_status pldns_print_field(ldns_buffer *out, const ldns_rdf *field);
/* Prints the data of a record: its fields with single blanks between them, or all of it as of an
 * unknown type.  Not ok only for want of memory. */
ldns_status pldns_print_rdata(ldns_buffer *out, const ldns_rr *rr);
/* Whether the fields of a record are what its type wants, as far as printing them does not tell. */
bool pldns_is_printable(const ldns_rr *rr);
/* Whether ldns may be asked for the line of a record. */
bool pldns_is_line_printable(const ldns_rr *rr);

#endif
