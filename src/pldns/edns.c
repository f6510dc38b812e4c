/* The attributes of ldns that come of the OPT record: EDNS, RFC 6891. */
#include "edns.h"

#include "attributes.h"
#include "object.h"

#include "packet/bytes.h"

#define OPTION_HEAD 4       /* an option's code and length: section 6.1.2 */
#define FLAG_DO     0x8000U /* in the TTL of OPT: section 6.1.3 */

/* The OPT record of a message.  Where it is NULL, *result is None for a message without, or NULL
 * with the exception of one that is not ok. */
static const ldns_rr *opt_of(PyObject *self_, const void *closure, PyObject **result)
{
    const struct pldns_message *self = pldns_message_ok(self_, closure);
    *result = NULL;
    if (self && !self->sections.opt)
        *result = Py_NewRef(Py_None);
    return self ? self->sections.opt : NULL;
}

PyObject *pldns_edns_udp_size_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    const ldns_rr *opt = opt_of(self_, closure, &result);
    return opt ? PyLong_FromLong((long)ldns_rr_get_class(opt)) : result;
}

PyObject *pldns_edns_do_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    const ldns_rr *opt = opt_of(self_, closure, &result);
    return opt ? PyBool_FromLong((ldns_rr_ttl(opt) & FLAG_DO) != 0) : result;
}

PyObject *pldns_edns_version_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    const ldns_rr *opt = opt_of(self_, closure, &result);
    return opt ? PyLong_FromLong((long)(ldns_rr_ttl(opt) >> 16 & 0xFF)) : result;
}

PyObject *pldns_edns_rcode_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    const ldns_rr *opt = opt_of(self_, closure, &result);
    if (!opt)
        return result;
    unsigned low = ((struct pldns_message *)self_)->sections.flags & 0xFU;
    return PyLong_FromLong((long)(ldns_rr_ttl(opt) >> 24 << 4 | low));
}

/* Appends the option at the start of `data`, of which `left` bytes are there: its size, 0 where it
 * is cut short, or -1 with an exception. */
static Py_ssize_t append_option(PyObject *list, const uint8_t *data, size_t left)
{
    if (left < OPTION_HEAD || load_be16(data + 2) > left - OPTION_HEAD)
        return 0;
    Py_ssize_t length = load_be16(data + 2);
    PyObject *option =
        Py_BuildValue("(iy#)", (int)load_be16(data), (const char *)data + OPTION_HEAD, length);
    int status = option ? PyList_Append(list, option) : -1;
    Py_XDECREF(option);
    return status < 0 ? -1 : OPTION_HEAD + length;
}

PyObject *pldns_edns_options_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    const ldns_rr *opt = opt_of(self_, closure, &result);
    if (!opt)
        return result;
    PyObject *list = PyList_New(0);
    if (!list || ldns_rr_rd_count(opt) == 0)
        return list;
    const uint8_t *data = ldns_rdf_data(ldns_rr_rdf(opt, 0));
    size_t size = ldns_rdf_size(ldns_rr_rdf(opt, 0));
    size_t position = 0;
    while (position < size) {
        Py_ssize_t used = append_option(list, data + position, size - position);
        if (used == 0) {
            PyErr_Format(PyExc_ValueError, "EDNS option cut short at byte %zu of %zu", position,
                         size);
        }
        if (used <= 0) {
            Py_DECREF(list);
            return NULL;
        }
        position += (size_t)used;
    }
    return list;
}
