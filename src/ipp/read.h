/* Reading what stands for an address or a prefix. */
#ifndef IPP_READ_H
#define IPP_READ_H

#include "common/capi.h"

/* The value of an IPprefix, a text that from_s() takes, or an object of the module ipaddress: 1; 0
 * for any other object; -1 with an exception. */
int ipp_value_read(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);
/* The same for the capsule (capi.h): 0, or -1 with ValueError or TypeError. */
int ipp_value_from(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);

#endif
