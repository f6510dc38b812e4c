/* The module ipp._ipp: its state, its functions and its capsule. */
#include "ipp.h"

#include "addresses.h"
#include "array.h"
#include "common/capsule.h"
#include "common/interpreters.h"
#include "common/method.h"
#include "object.h"
#include "prefix.h"
#include "read.h"
#include "text.h"

PyDoc_STRVAR(from_s_doc,
             "from_s($module, text, /)\n--\n\n"
             "The IPprefix that a text such as '192.0.2.0/24' or '2001:db8::1' stands for.\n\n"
             "An IPv4 address is four decimal numbers without leading zeros; an IPv6 address has\n"
             "any form of RFC 4291 section 2.2, without a scope id. '/length' may be 0; without\n"
             "it the length is None. Bits after the length are kept. ValueError for any other\n"
             "text, TypeError for another type.");

static PyObject *from_s(PyObject *module, PyObject *text)
{
    struct ipp_state *state = PyModule_GetState(module);
    struct ipp_value value;
    if (ipp_value_parse(text, &value) < 0)
        return NULL;
    return ipp_prefix_new(&state->api, value.version, value.addr, value.length);
}

PyDoc_STRVAR(format_doc,
             "format($module, addresses, version=None, /)\n--\n\n"
             "The texts of many addresses, a list of str in the form of RFC 5952.\n\n"
             "addresses is a contiguous array of shape (n, 16), or 16 * n bytes, with an IPv4\n"
             "address in the first 4 bytes of its row, as in plt's columns; or, for IPv4 alone,\n"
             "an array of shape (n, 4). version is 4, 6 or an array of n bytes: 4, 6, or 0 for a\n"
             "missing address, which is None in the list. Without it, rows of 16 bytes are IPv6.\n"
             "ValueError for another shape or version, TypeError for an object without a buffer.");

PyDoc_STRVAR(parse_doc,
             "parse($module, texts, /)\n--\n\n"
             "The addresses of many texts: two memoryviews, of the addresses and of their\n"
             "versions.\n\n"
             "texts is an iterable of str and None. The first memoryview has the shape (n, 16),\n"
             "with an IPv4 address in the first 4 bytes of its row; the second has n bytes, 4 or\n"
             "6, and 0 where the text was None. numpy.asarray() takes both without a copy.\n"
             "ValueError, with the number of the entry, for a text that is not an address or has\n"
             "a length; TypeError for another type.");

static int module_exec(PyObject *module)
{
    struct ipp_state *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, &ipp_prefix_spec, NULL);
    if (!type)
        return -1;
    state->api = (struct ipp_api){
        .api_version = IPP_API_VERSION,
        .prefix_type = (PyTypeObject *)type,
        .prefix_new = ipp_prefix_new,
        .prefix_value = ipp_prefix_value,
        .prefix_from = ipp_value_from,
    };
    if (PyModule_AddType(module, state->api.prefix_type) < 0)
        return -1;
    state->array_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ipp_array_spec, NULL);
    if (!state->array_type)
        return -1;
    return capsule_offer(module, IPP_CAPSULE, &state->api);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct ipp_state *state = PyModule_GetState(module);
    Py_VISIT(state->api.prefix_type);
    Py_VISIT(state->array_type);
    return 0;
}

static int module_clear(PyObject *module)
{
    struct ipp_state *state = PyModule_GetState(module);
    Py_CLEAR(state->api.prefix_type);
    Py_CLEAR(state->array_type);
    spares_free(&state->prefixes, PyObject_Free); /* no more are kept without the type */
    return 0;
}

static void module_free(void *module)
{
    module_clear((PyObject *)module);
}

static PyMethodDef module_methods[] = {
    METHOD("from_s", from_s, METH_O, from_s_doc),
    METHOD("format", ipp_format, METH_FASTCALL, format_doc),
    METHOD("parse", ipp_parse, METH_O, parse_doc),
    {.ml_name = NULL},
};

static PyModuleDef_Slot module_slots[] = {MODULE_SLOTS(module_exec)};

PyDoc_STRVAR(module_doc, "IP addresses and prefixes: the C part of the package ipp.");

struct PyModuleDef ipp_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "ipp._ipp",
    .m_doc = module_doc,           .m_size = sizeof(struct ipp_state),
    .m_methods = module_methods,   .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__ipp(void);

PyMODINIT_FUNC PyInit__ipp(void)
{
    return PyModuleDef_Init(&ipp_module);
}
