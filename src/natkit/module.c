/* The module natkit._natkit: its state, its types and the table of its functions. */
#include "natkit.h"

struct natkit_state *natkit_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &natkit_module);

    return module ? PyModule_GetState(module) : NULL;
}

PyObject *natkit_attribute(PyObject *obj, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    PyObject *attribute = interned ? PyObject_GetAttr(obj, interned) : NULL;

    Py_XDECREF(interned);
    return attribute;
}

PyObject *natkit_added_state(PyObject *obj)
{
    PyObject *method = natkit_attribute(obj, "__getstate__");
    PyObject *added = method ? PyObject_CallNoArgs(method) : NULL;

    Py_XDECREF(method);
    return added;
}

/* --- Functions ------------------------------------------------------------------------------- */

#define FUNCTION(name, function, text)                                                             \
    {                                                                                              \
        .ml_name = name, .ml_meth = (PyCFunction)(void (*)(void))(function),                       \
        .ml_flags = METH_FASTCALL, .ml_doc = text                                                  \
    }

static PyMethodDef module_methods[] = {
    FUNCTION("ba_get_short", natkit_ba_get_short,
             "ba_get_short($module, ba, i, /)\n--\n\n"
             "The unsigned 16-bit number in network order at index i of a bytes-like object.\n\n"
             "None where it reaches past the end; IndexError for a negative i."),
    FUNCTION("ba_get_long", natkit_ba_get_long,
             "ba_get_long($module, ba, i, /)\n--\n\n"
             "The unsigned 32-bit number in network order at index i of a bytes-like object.\n\n"
             "None where it reaches past the end; IndexError for a negative i."),
    FUNCTION("seq_add", natkit_seq_add,
             "seq_add($module, a, b, /)\n--\n\n"
             "a + b modulo 2**32.\n\nAny ints; TypeError for other types."),
    FUNCTION("seq_sub", natkit_seq_sub,
             "seq_sub($module, a, b, /)\n--\n\n"
             "a - b modulo 2**32.\n\nAny ints; TypeError for other types."),
    FUNCTION("u32_add", natkit_seq_add,
             "u32_add($module, a, b, /)\n--\n\n"
             "a + b modulo 2**32: another name of seq_add."),
    FUNCTION("u32_sub", natkit_seq_sub,
             "u32_sub($module, a, b, /)\n--\n\n"
             "a - b modulo 2**32: another name of seq_sub."),
    FUNCTION("seq_lt", natkit_seq_lt,
             "seq_lt($module, a, b, /)\n--\n\n"
             "Whether sequence number a is before b: their 32-bit difference is negative.\n\n"
             "Numbers are taken modulo 2**32; each of two that are 2**31 apart is before the "
             "other."),
    FUNCTION("seq_le", natkit_seq_le,
             "seq_le($module, a, b, /)\n--\n\n"
             "Whether sequence number a is before b or equal: see seq_lt."),
    FUNCTION("seq_gt", natkit_seq_gt,
             "seq_gt($module, a, b, /)\n--\n\n"
             "Whether sequence number a is after b: their 32-bit difference is positive.\n\n"
             "Numbers are taken modulo 2**32; neither of two that are 2**31 apart is after the "
             "other."),
    FUNCTION("seq_ge", natkit_seq_ge,
             "seq_ge($module, a, b, /)\n--\n\n"
             "Whether sequence number a is after b or equal: see seq_gt."),
    FUNCTION("u32_lt", natkit_seq_lt, "u32_lt($module, a, b, /)\n--\n\nAnother name of seq_lt."),
    FUNCTION("u32_le", natkit_seq_le, "u32_le($module, a, b, /)\n--\n\nAnother name of seq_le."),
    FUNCTION("u32_gt", natkit_seq_gt, "u32_gt($module, a, b, /)\n--\n\nAnother name of seq_gt."),
    FUNCTION("u32_ge", natkit_seq_ge, "u32_ge($module, a, b, /)\n--\n\nAnother name of seq_ge."),
    {.ml_name = NULL},
};

/* --- The module ------------------------------------------------------------------------------ */

/* Whether a capsule is of the version that this was compiled for: 0, or -1 with ImportError. */
static int check_version(const char *name, int theirs, int ours)
{
    if (theirs == ours)
        return 0;
    PyErr_Format(PyExc_ImportError, "%s speaks version %d of its C interface, natkit version %d",
                 name, theirs, ours);
    return -1;
}

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);

    if (type && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

static int add_flow_tables(PyObject *module, struct natkit_state *state)
{
    state->flow_object_type = add_type(module, &natkit_flow_object_spec);
    state->flows_type = state->flow_object_type ? add_type(module, &natkit_flows_spec) : NULL;
    state->table_type = state->flows_type ? add_type(module, &natkit_table_spec) : NULL;
    if (!state->table_type)
        return -1;
    state->iterator_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &natkit_iterator_spec, NULL);
    return state->iterator_type ? batch_types_add(module, &state->batch_types) : -1;
}

static int natkit_exec(PyObject *module)
{
    struct natkit_state *state = PyModule_GetState(module);

    state->ipp = PyImport_ImportModule("ipp._ipp");
    state->ipp_api = state->ipp ? PyCapsule_Import(IPP_CAPSULE, 0) : NULL;
    if (!state->ipp_api || check_version("ipp", state->ipp_api->api_version, IPP_API_VERSION) < 0)
        return -1;
    state->plt = PyImport_ImportModule("plt._plt");
    state->plt_api = state->plt ? PyCapsule_Import(PLT_CAPSULE, 0) : NULL;
    if (!state->plt_api || check_version("plt", state->plt_api->api_version, PLT_API_VERSION) < 0)
        return -1;
    state->flow_type = add_type(module, &natkit_flow_spec);
    if (!state->flow_type)
        return -1;
    /* CPython has a slot for this from 3.14 on; subclasses don't inherit it and use tp_new */
    state->flow_type->tp_vectorcall = natkit_flow_vectorcall;
    state->pan_type = add_type(module, &natkit_pan_spec);
    if (!state->pan_type)
        return -1;
    PyObject *anonymised = PyImport_ImportModule("natkit._anonymised");
    state->result_type = anonymised ? natkit_attribute(anonymised, "Anonymised") : NULL;
    Py_XDECREF(anonymised);
    if (!state->result_type)
        return -1;
    state->home_type = add_type(module, &natkit_home_spec);
    return state->home_type ? add_flow_tables(module, state) : -1;
}

static int natkit_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct natkit_state *state = PyModule_GetState(module);

    Py_VISIT(state->flow_type);
    Py_VISIT(state->home_type);
    Py_VISIT(state->pan_type);
    Py_VISIT(state->table_type);
    Py_VISIT(state->flow_object_type);
    Py_VISIT(state->flows_type);
    Py_VISIT(state->iterator_type);
    Py_VISIT(state->result_type);
    for (size_t i = 0; i < NATKIT_SHARED_RESULTS; i++)
        Py_VISIT(state->results[i]);
    Py_VISIT(state->ipp);
    Py_VISIT(state->plt);
    return batch_types_traverse(&state->batch_types, visit, arg);
}

static int natkit_clear(PyObject *module)
{
    struct natkit_state *state = PyModule_GetState(module);

    Py_CLEAR(state->flow_type);
    Py_CLEAR(state->home_type);
    Py_CLEAR(state->pan_type);
    Py_CLEAR(state->table_type);
    Py_CLEAR(state->flow_object_type);
    Py_CLEAR(state->flows_type);
    Py_CLEAR(state->iterator_type);
    Py_CLEAR(state->result_type);
    for (size_t i = 0; i < NATKIT_SHARED_RESULTS; i++)
        Py_CLEAR(state->results[i]);
    batch_types_clear(&state->batch_types);
    return 0;
}

/* Not until now may ipp and plt go: an IPflow may outlive the clearing, and uses their capsules. */
static void natkit_free(void *module)
{
    struct natkit_state *state = PyModule_GetState((PyObject *)module);

    natkit_clear((PyObject *)module);
    Py_CLEAR(state->ipp);
    Py_CLEAR(state->plt);
}

static PyModuleDef_Slot natkit_slots[] = {
    {.slot = Py_mod_exec, .value = natkit_exec},
    {.slot = 0},
};

struct PyModuleDef natkit_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "natkit._natkit",
    .m_doc = "Sequence numbers and flows: the C part of natkit.",
    .m_size = sizeof(struct natkit_state),
    .m_methods = module_methods,
    .m_slots = natkit_slots,
    .m_traverse = natkit_traverse,
    .m_clear = natkit_clear,
    .m_free = natkit_free,
};

PyMODINIT_FUNC PyInit__natkit(void);

PyMODINIT_FUNC PyInit__natkit(void)
{
    return PyModuleDef_Init(&natkit_module);
}
