/* The module natkit._natkit: the table of its functions, and its types and state as they are made
 * at import and cleared. */
#include "natkit.h"

#include "anonymise/type.h"
#include "common/capsule.h"
#include "common/interpreters.h"
#include "common/method.h"
#include "ipflow/attributes.h"
#include "ipflow/flowhome.h"
#include "ipflow/ipflow.h"
#include "natkit/flowtable/flow.h"
#include "natkit/flowtable/flows.h"
#include "natkit/flowtable/type.h"
#include "natkit/flowtable/views.h"
#include "natkit/packets/reader.h"
#include "natkit/streams/reader.h"
#include "natkit/streams/stream.h"
#include "numbers.h"
#include "common/batchtype.h"

/* --- Functions ------------------------------------------------------------------------------- */

static PyMethodDef module_methods[] = {
    METHOD("ba_get_short", natkit_ba_get_short, METH_FASTCALL,
           "ba_get_short($module, ba, i, /)\n--\n\n"
           "The unsigned 16-bit integer in network order at index i of a bytes-like object.\n\n"
           "None where it would reach past the end; IndexError for a negative i."),
    METHOD("ba_get_long", natkit_ba_get_long, METH_FASTCALL,
           "ba_get_long($module, ba, i, /)\n--\n\n"
           "The unsigned 32-bit integer in network order at index i of a bytes-like object.\n\n"
           "None where it would reach past the end; IndexError for a negative i."),
    METHOD("seq_add", natkit_seq_add, METH_FASTCALL,
           "seq_add($module, a, b, /)\n--\n\n"
           "a + b modulo 2**32.\n\n"
           "Any ints; TypeError for other types."),
    METHOD("seq_sub", natkit_seq_sub, METH_FASTCALL,
           "seq_sub($module, a, b, /)\n--\n\n"
           "a - b modulo 2**32.\n\n"
           "Any ints; TypeError for other types."),
    METHOD("u32_add", natkit_seq_add, METH_FASTCALL,
           "u32_add($module, a, b, /)\n--\n\n"
           "a + b modulo 2**32: another name of seq_add."),
    METHOD("u32_sub", natkit_seq_sub, METH_FASTCALL,
           "u32_sub($module, a, b, /)\n--\n\n"
           "a - b modulo 2**32: another name of seq_sub."),
    METHOD("seq_lt", natkit_seq_lt, METH_FASTCALL,
           "seq_lt($module, a, b, /)\n--\n\n"
           "Whether sequence number a is before b: their 32-bit difference is negative.\n\n"
           "Both are taken modulo 2**32. Of two numbers that are 2**31 apart, each is before\n"
           "the other."),
    METHOD("seq_le", natkit_seq_le, METH_FASTCALL,
           "seq_le($module, a, b, /)\n--\n\n"
           "Whether sequence number a is before b or equal: see seq_lt."),
    METHOD("seq_gt", natkit_seq_gt, METH_FASTCALL,
           "seq_gt($module, a, b, /)\n--\n\n"
           "Whether sequence number a is after b: their 32-bit difference is positive.\n\n"
           "Both are taken modulo 2**32. Of two numbers that are 2**31 apart, neither is after\n"
           "the other."),
    METHOD("seq_ge", natkit_seq_ge, METH_FASTCALL,
           "seq_ge($module, a, b, /)\n--\n\n"
           "Whether sequence number a is after b or equal: see seq_gt."),
    METHOD("u32_lt", natkit_seq_lt, METH_FASTCALL,
           "u32_lt($module, a, b, /)\n--\n\n"
           "Another name of seq_lt."),
    METHOD("u32_le", natkit_seq_le, METH_FASTCALL,
           "u32_le($module, a, b, /)\n--\n\n"
           "Another name of seq_le."),
    METHOD("u32_gt", natkit_seq_gt, METH_FASTCALL,
           "u32_gt($module, a, b, /)\n--\n\n"
           "Another name of seq_gt."),
    METHOD("u32_ge", natkit_seq_ge, METH_FASTCALL,
           "u32_ge($module, a, b, /)\n--\n\n"
           "Another name of seq_ge."),
    {.ml_name = "_joined_fields",
     .ml_meth = joined_field_list,
     .ml_flags = METH_NOARGS,
     .ml_doc = "_joined_fields($module, /)\n--\n\n"
               "The columns that natkit.packets() has besides those of plt: as those are listed."},
    {.ml_name = "community_id",
     .ml_meth = (PyCFunction)(void (*)(void))natkit_community_id,
     .ml_flags = METH_VARARGS | METH_KEYWORDS,
     .ml_doc = natkit_community_id_doc},
    {.ml_name = NULL},
};

/* --- The module ------------------------------------------------------------------------------ */

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

static int add_flow_tables(PyObject *module, struct natkit_state *state)
{
    state->flow_object_type = add_type(module, &flow_object_spec);
    state->flows_type = state->flow_object_type ? add_type(module, &flows_spec) : NULL;
    state->table_type = state->flows_type ? add_type(module, &flow_table_spec) : NULL;
    if (!state->table_type)
        return -1;
    state->iterator_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &flow_iterator_spec, NULL);
    return state->iterator_type ? batch_types_add(module, &state->batch_types) : -1;
}

static int add_streams(PyObject *module, struct natkit_state *state)
{
    state->stream_type = add_type(module, &stream_spec);
    state->way_type = state->stream_type ? add_type(module, &stream_way_spec) : NULL;
    state->reader_type = state->way_type ? add_type(module, &stream_reader_spec) : NULL;
    return state->reader_type ? 0 : -1;
}

static int add_packets(PyObject *module)
{
    PyTypeObject *type = add_type(module, &packet_reader_spec);
    Py_XDECREF(type); /* the module has it */
    return type ? 0 : -1;
}

static int natkit_exec(PyObject *module)
{
    struct natkit_state *state = PyModule_GetState(module);
    state->ipp_api =
        capsule_import("ipp._ipp", IPP_CAPSULE, IPP_API_VERSION, "natkit", &state->ipp);
    if (!state->ipp_api)
        return -1;
    state->plt_api =
        capsule_import("plt._plt", PLT_CAPSULE, PLT_API_VERSION, "natkit", &state->plt);
    if (!state->plt_api)
        return -1;
    state->ipflow_type = add_type(module, &ipflow_spec);
    if (!state->ipflow_type)
        return -1;
    /* CPython has a slot for this from 3.14 on; subclasses don't inherit it and use tp_new */
    state->ipflow_type->tp_vectorcall = ipflow_vectorcall;
    state->pan_type = add_type(module, &natkit_pan_spec);
    if (!state->pan_type)
        return -1;
    PyObject *anonymised = PyImport_ImportModule("natkit._anonymised");
    state->result_type = anonymised ? PyObject_GetAttrString(anonymised, "Anonymised") : NULL;
    Py_XDECREF(anonymised);
    if (!state->result_type)
        return -1;
    state->home_type = add_type(module, &flowhome_spec);
    if (!state->home_type || add_streams(module, state) < 0 || add_packets(module) < 0)
        return -1;
    return add_flow_tables(module, state);
}

static int natkit_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct natkit_state *state = PyModule_GetState(module);
    Py_VISIT(state->ipflow_type);
    Py_VISIT(state->home_type);
    Py_VISIT(state->pan_type);
    Py_VISIT(state->table_type);
    Py_VISIT(state->flow_object_type);
    Py_VISIT(state->flows_type);
    Py_VISIT(state->iterator_type);
    Py_VISIT(state->stream_type);
    Py_VISIT(state->way_type);
    Py_VISIT(state->reader_type);
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
    Py_CLEAR(state->ipflow_type);
    Py_CLEAR(state->home_type);
    Py_CLEAR(state->pan_type);
    Py_CLEAR(state->table_type);
    Py_CLEAR(state->flow_object_type);
    Py_CLEAR(state->flows_type);
    Py_CLEAR(state->iterator_type);
    Py_CLEAR(state->stream_type);
    Py_CLEAR(state->way_type);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->result_type);
    for (size_t i = 0; i < NATKIT_SHARED_RESULTS; i++)
        Py_CLEAR(state->results[i]);
    batch_types_clear(&state->batch_types);
    spares_free(&state->ipflows, PyObject_Free); /* no more are kept without the type */
    return 0;
}

/* ipp and plt must not go earlier: an IPflow may outlive the clearing, and uses their capsules. */
static void natkit_free(void *module)
{
    struct natkit_state *state = PyModule_GetState((PyObject *)module);
    natkit_clear((PyObject *)module);
    Py_CLEAR(state->ipp);
    Py_CLEAR(state->plt);
}

static PyModuleDef_Slot natkit_slots[] = {MODULE_SLOTS(natkit_exec)};

struct PyModuleDef natkit_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "natkit._natkit",
    .m_doc = "Sequence numbers, flows and anonymised addresses: the C part of natkit.",
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
