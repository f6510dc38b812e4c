/* The attributes of ldns that come of the OPT record: EDNS, RFC 6891. */
#include "edns.h"

#include "attributes.h"
#include "object.h"

#include "packet/bytes.h"

#define OPTION_HEAD 4       /* an option's code and length: section 6.1.2 */
#define FLAG_DO     0x8000U /* in the TTL of OPT: section 6.1.3 */

struct opt {
    uint16_t udp_size;
    uint32_t ttl;        /* extended rcode, version, flags: section 6.1.3 */
    const uint8_t *data; /* borrowed: the options */
    size_t size;
};

/* The OPT record of a message.  Without one false, and *result is None; or NULL with the exception
 * of a message that is not ok. */
static bool opt_of(PyObject *self_, const void *closure, struct opt *opt, PyObject **result)
{
    const struct pldns_message *self = pldns_message_ok(self_, closure);
    const ldns_rr *rr = self ? self->sections.opt : NULL;
    *result = NULL;
    *opt = (struct opt){0};
    if (self && self->wire && self->plain.opt) {
        struct pldns_plain_record record = pldns_message_record(self, self->plain.opt);
        *opt = (struct opt){record.rr_class, record.ttl, record.rdata, record.rdata_size};
        return true;
    }
    if (!rr) {
        *result = self ? Py_NewRef(Py_None) : NULL;
        return false;
    }
    opt->udp_size = (uint16_t)ldns_rr_get_class(rr);
    opt->ttl = ldns_rr_ttl(rr);
    if (ldns_rr_rd_count(rr) > 0) {
        opt->data = ldns_rdf_data(ldns_rr_rdf(rr, 0));
        opt->size = ldns_rdf_size(ldns_rr_rdf(rr, 0));
    }
    return true;
}

PyObject *pldns_edns_udp_size_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    struct opt opt;
    return opt_of(self_, closure, &opt, &result) ? PyLong_FromLong(opt.udp_size) : result;
}

PyObject *pldns_edns_do_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    struct opt opt;
    return opt_of(self_, closure, &opt, &result) ? PyBool_FromLong((opt.ttl & FLAG_DO) != 0)
                                                 : result;
}

PyObject *pldns_edns_version_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    struct opt opt;
    return opt_of(self_, closure, &opt, &result) ? PyLong_FromLong((long)(opt.ttl >> 16 & 0xFF))
                                                 : result;
}

PyObject *pldns_edns_rcode_get(PyObject *self_, void *closure)
{
    PyObject *result = NULL;
    struct opt opt;
    if (!opt_of(self_, closure, &opt, &result))
        return result;
    unsigned low = ((struct pldns_message *)self_)->sections.flags & 0xFU;
    return PyLong_FromLong((long)(opt.ttl >> 24 << 4 | low));
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
    struct opt opt;
    if (!opt_of(self_, closure, &opt, &result))
        return result;
    PyObject *list = PyList_New(0);
    size_t position = 0;
    while (list && position < opt.size) {
        Py_ssize_t used = append_option(list, opt.data + position, opt.size - position);
        if (used == 0) {
            PyErr_Format(PyExc_ValueError, "EDNS option cut short at byte %zu of %zu", position,
                         opt.size);
        }
        if (used <= 0) {
            Py_DECREF(list);
            return NULL;
        }
        position += (size_t)used;
    }
    return list;
}
