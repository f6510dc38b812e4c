/* The state of the module, and how its objects find it. */
#include "state.h"

#include "object.h"

#include "common/batchtype.h"

int pldns_state_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct pldns_state *state = PyModule_GetState(module);
    Py_VISIT(state->message_type);
    Py_VISIT(state->rr_type);
    Py_VISIT(state->matcher_type);
    Py_VISIT(state->reader_type);
    return batch_types_traverse(&state->batch_types, visit, arg);
}

static void free_spares(struct pldns_state *state)
{
    spares_free(&state->rrs, PyObject_GC_Del);
    while (state->messages.count > 0) {
        struct pldns_message *message =
            (struct pldns_message *)state->messages.objects[--state->messages.count];
        PyMem_Free(message->buffer);
        PyObject_Free(message);
    }
}

int pldns_state_clear(PyObject *module)
{
    struct pldns_state *state = PyModule_GetState(module);
    Py_CLEAR(state->message_type);
    Py_CLEAR(state->rr_type);
    Py_CLEAR(state->matcher_type);
    Py_CLEAR(state->reader_type);
    batch_types_clear(&state->batch_types);
    Py_CLEAR(state->transport_name);
    free_spares(state); /* no more are kept without the types */
    return 0;
}

struct pldns_state *pldns_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &pldns_module);
    return module ? PyModule_GetState(module) : NULL;
}

struct pldns_state *pldns_state_of_exact(PyTypeObject *type)
{
    return state_of_exact(type, &pldns_module);
}
