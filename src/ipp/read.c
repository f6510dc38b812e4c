/* Reading what stands for an address or a prefix: an IPprefix, a text, an ipaddress object. */
#include "read.h"

#include "ipaddress.h"
#include "object.h"
#include "text.h"

int ipp_value_read(const struct ipp_api *api, PyObject *obj, struct ipp_value *out)
{
    if (PyUnicode_Check(obj))
        return ipp_value_parse(obj, out) < 0 ? -1 : 1;
    if (api->prefix_type && PyObject_TypeCheck(obj, api->prefix_type)) {
        *out = *ipp_value_of(obj);
        return 1;
    }
    return ipp_value_of_ipaddress(obj, out);
}

int ipp_value_from(const struct ipp_api *api, PyObject *obj, struct ipp_value *out)
{
    int found = ipp_value_read(api, obj, out);
    if (found == 0)
        PyErr_Format(PyExc_TypeError,
                     "an IPprefix, str or ipaddress object is required, not %.100s",
                     Py_TYPE(obj)->tp_name);
    return found > 0 ? 0 : -1;
}
