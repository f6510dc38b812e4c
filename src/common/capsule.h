/* How a module offers its interface by a capsule (capi.h), and how another one takes it. */
#ifndef PLT_COMMON_CAPSULE_H
#define PLT_COMMON_CAPSULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

static inline void capsule_free(PyObject *capsule)
{
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
}

/* Add the capsule _C_API to a module whose state has what it points to.  It knows its module by a
 * weak reference, as scripts may put it elsewhere.  0, or -1 with an exception. */
static inline int capsule_offer(PyObject *module, const char *capsule_name, void *api)
{
    PyObject *owner = PyWeakref_NewRef(module, NULL);
    PyObject *capsule = owner ? PyCapsule_New(api, capsule_name, capsule_free) : NULL;
    int result = -1;

    if (capsule && PyCapsule_SetContext(capsule, owner) == 0)
        result = PyModule_AddObjectRef(module, "_C_API", capsule);
    else
        Py_XDECREF(owner);
    Py_XDECREF(capsule);
    return result;
}

/* The module whose capsule `module` has, a new reference: itself, but for what scripts do; None
 * where that is gone.  NULL with an exception. */
static inline PyObject *capsule_owner(PyObject *capsule, PyObject *module)
{
    PyObject *owner = PyCapsule_GetContext(capsule);
    return owner ? PyObject_CallNoArgs(owner) : Py_NewRef(module);
}

/* What a capsule points to, which begins with the version of its interface as an int; borrowed from
 * *owner, a new reference to the module that it is of.  NULL with an exception: ImportError where
 * the version is another, or the module is gone.  `user` is the package that asks. */
static inline const void *capsule_import(const char *module_name, const char *capsule_name,
                                         int version, const char *user, PyObject **owner)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *capsule = module ? PyObject_GetAttrString(module, "_C_API") : NULL;
    const int *api = capsule ? PyCapsule_GetPointer(capsule, capsule_name) : NULL;

    *owner = api ? capsule_owner(capsule, module) : NULL;
    Py_XDECREF(capsule);
    Py_XDECREF(module);
    if (!*owner)
        return NULL;
    if (*owner != Py_None && *api == version)
        return api;
    if (*owner == Py_None)
        PyErr_Format(PyExc_ImportError, "the %s that %s needs is gone", module_name, user);
    else
        PyErr_Format(PyExc_ImportError, "%s has version %d of its C interface, %s needs version %d",
                     module_name, *api, user, version);
    Py_CLEAR(*owner);
    return NULL;
}

#endif
