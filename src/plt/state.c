/* The state of the module plt._plt. */
#include "state.h"
#include "common/batchtype.h"

struct plt_state *plt_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &plt_module);
    return module ? PyModule_GetState(module) : NULL;
}

int state_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct plt_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < VIEW_COUNT; i++)
        Py_VISIT(state->views[i]);
    Py_VISIT(state->trace_type);
    Py_VISIT(state->filter_type);
    Py_VISIT(state->where_type);
    Py_VISIT(state->output_type);
    Py_VISIT(state->reader_type);
    Py_VISIT(state->defragmented_type);
    Py_VISIT(state->error);
    Py_VISIT(state->tunnel_type);
    Py_VISIT(state->ipp);
    return batch_types_traverse(&state->batch_types, visit, arg);
}

int state_clear(PyObject *module)
{
    struct plt_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < VIEW_COUNT; i++)
        Py_CLEAR(state->views[i]);
    Py_CLEAR(state->trace_type);
    Py_CLEAR(state->filter_type);
    Py_CLEAR(state->where_type);
    Py_CLEAR(state->output_type);
    batch_types_clear(&state->batch_types);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->defragmented_type);
    Py_CLEAR(state->error);
    Py_CLEAR(state->tunnel_type);
    Py_CLEAR(state->ipp);
    ints_clear(&state->ints);
    lookups_clear(&state->lookups);
    spares_free(&state->spare_views, PyObject_Free); /* no more are kept without the types */
    return 0;
}
