/* An IPprefix from and to the objects of the standard library's module ipaddress. */
#ifndef IPP_IPADDRESS_H
#define IPP_IPADDRESS_H

#include "common/capi.h"

/* The value of an ipaddress address, interface or network: 1; 0 for any other object; -1 with an
 * exception. */
int ipp_value_of_ipaddress(PyObject *obj, struct ipp_value *out);
PyObject *ipp_from_ipaddress(PyObject *cls_, PyObject *obj);
PyObject *ipp_to_ipaddress(PyObject *self_, PyObject *unused);

#endif
