/* How a module takes another one's capsule (capi.h). */
#ifndef PLT_COMMON_CAPSULE_H
#define PLT_COMMON_CAPSULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What a capsule points to, which begins with the version of its interface as an int; borrowed from
 * *module, a new reference to the module that it is of.  NULL with an exception: ImportError where
 * the version is another.  `user` is the package that asks. */
static inline const void *capsule_import(const char *module_name, const char *capsule_name,
                                         int version, const char *user, PyObject **module)
{
    const int *api = NULL;

    *module = PyImport_ImportModule(module_name);
    if (!*module)
        return NULL;
    api = PyCapsule_Import(capsule_name, 0);
    if (!api || *api == version)
        return api;
    PyErr_Format(PyExc_ImportError, "%s has version %d of its C interface, %s needs version %d",
                 module_name, *api, user, version);
    return NULL;
}

#endif
