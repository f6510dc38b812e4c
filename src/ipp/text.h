/* An address, with or without a prefix length, as text. */
#ifndef IPP_TEXT_H
#define IPP_TEXT_H

#include "common/capi.h"

/* Room for the longest text, an IPv6 address of 39 characters, "/128" and the NUL. */
enum { IPP_TEXT_SIZE = 44 };

/* Parse "addr" or "addr/length": 0, or -1 with TypeError or ValueError. */
int ipp_value_parse(PyObject *text, struct ipp_value *out);
/* Write the text of a value, and a NUL after it. */
void ipp_value_format(const struct ipp_value *value, char to[IPP_TEXT_SIZE]);

#endif
