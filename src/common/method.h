/* A row of a table of methods. */
#ifndef PLT_COMMON_METHOD_H
#define PLT_COMMON_METHOD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The function is of the type that METH_* flags ask for; every one of them goes by PyCFunction. */
#define METHOD(name, function, flags, text)                                                        \
    {                                                                                              \
        .ml_name = name, .ml_meth = (PyCFunction)(void (*)(void))(function), .ml_flags = (flags),  \
        .ml_doc = text                                                                             \
    }

#endif
