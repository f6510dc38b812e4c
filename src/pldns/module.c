/* The module pldns._pldns: DNS messages from packets, by NLnet Labs' ldns. */
#include "columns.h"

int pldns_readonly(PyObject *self_, PyObject *value, void *closure)
{
    const struct pldns_field *field = closure;
    PyErr_Format(PyExc_TypeError, "%s of %s is read-only: it cannot be %s", field->name,
                 Py_TYPE(self_)->tp_name, value == NULL ? "deleted" : "set");
    return -1;
}

/* Appends a new message to the list: 0, or -1 with an exception. */
static int append_message(PyObject *list, const struct pldns_state *state, const uint8_t *wire,
                          size_t length)
{
    PyObject *message = pldns_message_new(state, wire, length);
    int status = message == NULL ? -1 : PyList_Append(list, message);
    Py_XDECREF(message);
    return status;
}

static PyObject *module_messages(PyObject *module, PyObject *obj)
{
    const struct pldns_state *state = PyModule_GetState(module);
    struct pldns_payload payload;
    if (pldns_payload_get(&payload, state, obj) < 0) {
        return NULL;
    }
    const uint8_t *stream = payload.view.buf;
    size_t left = (size_t)payload.view.len;
    int status = 0;
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        status = -1;
    } else if (payload.transport == PLDNS_UDP) {
        status = append_message(list, state, stream, left);
    } else {
        while (left > 0 && status == 0) {
            const uint8_t *wire = NULL;
            size_t length = 0;
            size_t used = pldns_unframe(stream, left, &wire, &length);
            status = append_message(list, state, wire, length);
            stream += used;
            left -= used;
        }
    }
    PyBuffer_Release(&payload.view);
    if (status < 0) {
        Py_CLEAR(list);
    }
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
               "ldns's name of an opcode: str, as QUERY, or OPCODE7 where it has none.\n\n"
               "ValueError outside 0 to 15."},
    {.ml_name = "rcodestr",
     .ml_meth = pldns_rcodestr,
     .ml_flags = METH_O,
     .ml_doc = "rcodestr($module, rcode, /)\n--\n\n"
               "ldns's name of a response code: str, as NXDOMAIN, or RCODE12 where it has none.\n\n"
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
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int module_exec(PyObject *module)
{
    struct pldns_state *state = PyModule_GetState(module);
    state->transport_name = PyUnicode_InternFromString("_pldns_transport");
    state->message_type = add_type(module, &pldns_message_spec);
    if (state->transport_name == NULL || state->message_type == NULL) {
        return -1;
    }
    state->rr_type = add_type(module, &pldns_rr_spec);
    if (state->rr_type == NULL || batch_types_add(module, &state->batch_types) < 0) {
        return -1;
    }
    state->matcher_type = add_type(module, &pldns_matcher_spec);
    if (state->matcher_type == NULL) {
        return -1;
    }
    state->reader_type = add_type(module, &pldns_reader_spec);
    return state->reader_type == NULL ? -1 : pldns_add_constants(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct pldns_state *state = PyModule_GetState(module);
    Py_VISIT(state->message_type);
    Py_VISIT(state->rr_type);
    Py_VISIT(state->matcher_type);
    Py_VISIT(state->reader_type);
    return batch_types_traverse(&state->batch_types, visit, arg);
}

static int module_clear(PyObject *module)
{
    struct pldns_state *state = PyModule_GetState(module);
    Py_CLEAR(state->message_type);
    Py_CLEAR(state->rr_type);
    Py_CLEAR(state->matcher_type);
    Py_CLEAR(state->reader_type);
    batch_types_clear(&state->batch_types);
    Py_CLEAR(state->transport_name);
    return 0;
}

static void module_free(void *module)
{
    module_clear((PyObject *)module);
}

static PyModuleDef_Slot module_slots[] = {
    {.slot = Py_mod_exec, .value = module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {.slot = Py_mod_multiple_interpreters, .value = Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0},
};

PyDoc_STRVAR(module_doc, "DNS messages of packets, read by NLnet Labs' ldns.");

static struct PyModuleDef module_def = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "pldns._pldns",
    .m_doc = module_doc,
    .m_size = (Py_ssize_t)sizeof(struct pldns_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__pldns(void);

PyMODINIT_FUNC PyInit__pldns(void)
{
    return PyModuleDef_Init(&module_def);
}

struct pldns_state *pldns_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &module_def);
    return module == NULL ? NULL : PyModule_GetState(module);
}
