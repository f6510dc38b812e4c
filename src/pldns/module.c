/* The module pldns._pldns: DNS messages from packets, by NLnet Labs' ldns. */
#include "columnreader.h"
#include "columns.h"
#include "matchertype.h"
#include "message.h"
#include "names.h"
#include "payload.h"
#include "rr.h"
#include "state.h"
#include "common/batchtype.h"
#include "common/interpreters.h"

/* Appends a new message to the list: 0, or -1 with an exception. */
static int append_message(PyObject *list, const struct pldns_state *state, const uint8_t *wire,
                          size_t length)
{
    PyObject *message = pldns_message_new(state, wire, length);
    int status = message ? PyList_Append(list, message) : -1;
    Py_XDECREF(message);
    return status;
}

static PyObject *module_messages(PyObject *module, PyObject *obj)
{
    const struct pldns_state *state = PyModule_GetState(module);
    struct pldns_payload payload;
    if (pldns_payload_get(&payload, state, obj) < 0)
        return NULL;
    const uint8_t *stream = payload.view.buf;
    size_t left = (size_t)payload.view.len;
    PyObject *list = PyList_New(0);
    int status = list ? 0 : -1;
    if (status == 0 && payload.transport == PLDNS_UDP) {
        status = append_message(list, state, stream, left);
        left = 0;
    }
    while (status == 0 && left > 0) {
        const uint8_t *wire = NULL;
        size_t length = 0;
        size_t used = pldns_unframe(stream, left, &wire, &length);
        status = append_message(list, state, wire, length);
        stream += used;
        left -= used;
    }
    PyBuffer_Release(&payload.view);
    if (status < 0)
        Py_CLEAR(list);
    return list;
}

static PyMethodDef module_methods[] = {
    {.ml_name = "messages",
     .ml_meth = module_messages,
     .ml_flags = METH_O,
     .ml_doc =
         "messages($module, payload, /)\n--\n\n"
         "All the messages of a TCP payload: a new list of ldns.\n\n"
         "Each has a 2-byte length before it (RFC 1035 section 4.2.2). payload is as for ldns(),\n"
         "but a bytes-like object is taken to be bytes of a TCP stream, with the lengths. "
         "Segments\n"
         "are not joined: for messages longer than a segment give a way of natkit.streams(). What\n"
         "is left at the end, be it one byte, is a message cut short, mostly not ok. The list of\n"
         "a UDP payload is of the one message that it holds."},
    {.ml_name = "opcodestr",
     .ml_meth = pldns_opcodestr,
     .ml_flags = METH_O,
     .ml_doc = "opcodestr($module, opcode, /)\n--\n\n"
               "Name of an opcode: str, as QUERY, or OPCODE7 where it has none.\n\n"
               "ldns's name, else that of the OPCODE_ constants, which is IANA's. ValueError "
               "outside 0 to 15."},
    {.ml_name = "rcodestr",
     .ml_meth = pldns_rcodestr,
     .ml_flags = METH_O,
     .ml_doc = "rcodestr($module, rcode, /)\n--\n\n"
               "Name of a response code: str, as NXDOMAIN, or RCODE12 where it has none.\n\n"
               "ldns's name, else that of the RCODE_ constants, which is IANA's; 16 is BADVERS.\n"
               "Codes above 15 come of edns_rcode or of TSIG: rcode has four bits.\n"
               "ValueError outside 0 to 65535, the width of a TSIG error."},
    {.ml_name = "typestr",
     .ml_meth = pldns_typestr,
     .ml_flags = METH_O,
     .ml_doc = "typestr($module, type, /)\n--\n\n"
               "Name of a record type: str, as AAAA, or TYPE65280 where it has none.\n\n"
               "The name of the TYPE_ constants, which is IANA's, else ldns's. ValueError outside\n"
               "0 to 65535."},
    {.ml_name = "errorstr",
     .ml_meth = pldns_errorstr,
     .ml_flags = METH_O,
     .ml_doc = "errorstr($module, status, /)\n--\n\n"
               "ldns's words for a status of a message: str.\n\n"
               "ValueError for a number that is no status of ldns."},
    {.ml_name = "_column_fields",
     .ml_meth = pldns_column_list,
     .ml_flags = METH_NOARGS,
     .ml_doc = "_column_fields($module, /)\n--\n\n"
               "The columns that there are: name, kind, docstring, whether values can be missing."},
    {0},
};

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

static int module_exec(PyObject *module)
{
    struct pldns_state *state = PyModule_GetState(module);
    state->transport_name = PyUnicode_InternFromString("_pldns_transport");
    state->message_type = add_type(module, &pldns_message_spec);
    if (!state->transport_name || !state->message_type)
        return -1;
    state->message_type->tp_vectorcall = pldns_message_vectorcall;
    state->rr_type = add_type(module, &pldns_rr_spec);
    if (!state->rr_type || batch_types_add(module, &state->batch_types) < 0)
        return -1;
    state->matcher_type = add_type(module, &pldns_matcher_spec);
    if (!state->matcher_type)
        return -1;
    state->reader_type = add_type(module, &pldns_reader_spec);
    return state->reader_type ? pldns_add_constants(module) : -1;
}

static void module_free(void *module)
{
    pldns_state_clear((PyObject *)module);
}

static PyModuleDef_Slot module_slots[] = {MODULE_SLOTS(module_exec)};

PyDoc_STRVAR(module_doc, "DNS messages of packets, read by NLnet Labs' ldns.");

struct PyModuleDef pldns_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "pldns._pldns",
    .m_doc = module_doc,
    .m_size = (Py_ssize_t)sizeof(struct pldns_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = pldns_state_traverse,
    .m_clear = pldns_state_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__pldns(void);

PyMODINIT_FUNC PyInit__pldns(void)
{
    return PyModuleDef_Init(&pldns_module);
}
