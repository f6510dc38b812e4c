/* The module's state as seen from its types. */
#include "ipp.h"

struct ipp_state *ipp_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &ipp_module);
    return module ? PyModule_GetState(module) : NULL;
}
