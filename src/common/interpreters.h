/* What every module says of the interpreters that it can be imported in. */
#ifndef PLT_COMMON_INTERPRETERS_H
#define PLT_COMMON_INTERPRETERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Objects are kept whole by the GIL: in a free-threaded build of CPython importing the module
 * switches it on.  0, or -1 with ImportError where PYTHON_GIL=0 or -X gil=0 keeps it off all the
 * same. */
#ifdef Py_GIL_DISABLED
static inline int interpreter_check_gil(PyObject *module)
{
    PyObject *ask = PySys_GetObject("_is_gil_enabled"); /* borrowed */
    PyObject *answer = ask ? PyObject_CallNoArgs(ask) : NULL;
    int enabled = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (enabled == 0)
        PyErr_Format(PyExc_ImportError,
                     "%s needs the GIL, which PYTHON_GIL=0 or -X gil=0 keeps off",
                     PyModule_GetName(module));
    else if (enabled < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError, "there is no sys._is_gil_enabled()");
    return enabled > 0 ? 0 : -1;
}
#define CHECK_GIL_SLOT {.slot = Py_mod_exec, .value = interpreter_check_gil},
#else
#define CHECK_GIL_SLOT
#endif

#if PY_VERSION_HEX >= 0x030D0000
#define GIL_SLOT {.slot = Py_mod_gil, .value = Py_MOD_GIL_USED},
#else
#define GIL_SLOT
#endif

/* Objects are those of one interpreter, which may have a GIL of its own. */
#if PY_VERSION_HEX >= 0x030C0000
#define ISOLATION_SLOT                                                                             \
    {.slot = Py_mod_multiple_interpreters, .value = Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define ISOLATION_SLOT
#endif

/* All slots of a module that is made by a function. */
#define MODULE_SLOTS(function)                                                                     \
    ISOLATION_SLOT GIL_SLOT CHECK_GIL_SLOT{.slot = Py_mod_exec, .value = (function)},              \
    {                                                                                              \
        .slot = 0                                                                                  \
    }

#endif
