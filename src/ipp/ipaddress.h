/* An IPprefix from and to the objects of the standard library's module ipaddress. */
#ifndef IPP_IPADDRESS_H
#define IPP_IPADDRESS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *ipp_from_ipaddress(PyObject *cls_, PyObject *obj);
PyObject *ipp_to_ipaddress(PyObject *self_, PyObject *unused);

#endif
