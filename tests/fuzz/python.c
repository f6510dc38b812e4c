/* Fuzzing through the API: a Python in this process, which is given every input.
 *
 * FUZZ_API names the module whose function one_input() takes the bytes.  An exception that leaves
 * it is a finding; coverage is that of the C modules that it imports. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "fuzz.h"
#include "mutate_pcapng.h"

#include "packet/bytes.h"
#include "plt/pcapngfile.h"

#include <netdb.h>

static PyObject *one_input; /* owned, and never given back */

static void fail(void)
{
    PyErr_Print();
    abort();
}

/* No name is looked up in a network: filters may have any. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *req,
                struct addrinfo **pai)
{
    (void)name;
    (void)service;
    (void)req;
    *pai = NULL;
    return EAI_NONAME;
}

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_API");
    (void)argc;
    (void)argv;
    Py_InitializeEx(0);
    PyObject *module = name ? PyImport_ImportModule(name) : NULL;
    if (!name)
        PyErr_SetString(PyExc_RuntimeError, "FUZZ_API has to name a module");
    if (module)
        one_input = PyObject_GetAttrString(module, "one_input");
    if (!one_input)
        fail();
    Py_XDECREF(module);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    PyObject *result = bytes ? PyObject_CallOneArg(one_input, bytes) : NULL;
    if (!result)
        fail();
    Py_DECREF(result);
    Py_DECREF(bytes);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (size >= 4 && load_le32(data) == BLOCK_SECTION)
        return mutate_pcapng(data, size, room, seed);
    return LLVMFuzzerMutate(data, size, room);
}
