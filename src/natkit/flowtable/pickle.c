/* Bytes objects of saved flow tables and flows, and the exceptions for what can't be loaded. */
#include "pickle.h"

#include "object.h"

#include "flowtable/save.h"

PyObject *pickle_table(struct flow_table *table)
{
    struct flow_saving saving;
    if (!flow_saving_begin(&saving, table))
        return PyErr_NoMemory();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)saving.size);
    if (bytes && !flow_saving_write(&saving, (uint8_t *)PyBytes_AS_STRING(bytes), &until_signal))
        Py_CLEAR(bytes);
    flow_saving_end(&saving);
    return bytes;
}

PyObject *pickle_flows(const struct flow_copies *copies)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)flow_copies_size(copies));
    if (bytes)
        flow_copies_write(copies, (uint8_t *)PyBytes_AS_STRING(bytes));
    return bytes;
}

/* 0, or -1 with an exception. */
static int raise_load(enum flow_load_result result, const struct flow_load_error *error)
{
    switch (result) {
    case LOAD_DONE:
        return 0;
    case LOAD_REFUSED:
        PyErr_Format(PyExc_ValueError, "no pickled flow table: %s", error->what);
        break;
    case LOAD_NO_MEMORY:
        PyErr_NoMemory();
        break;
    case LOAD_GIVEN_UP: /* a signal's handler has raised */
        break;
    }
    return -1;
}

int unpickle_table(struct flow_table *table, PyObject *bytes)
{
    struct flow_load_error error;
    Py_buffer buffer;
    if (PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    enum flow_load_result result =
        flow_table_load(table, buffer.buf, (size_t)buffer.len, &until_signal, &error);
    PyBuffer_Release(&buffer);
    return raise_load(result, &error);
}

int unpickle_flows(PyObject *bytes, struct flow_copies *copies)
{
    struct flow_load_error error;
    Py_buffer buffer;
    if (PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    enum flow_load_result result = flow_copies_load(buffer.buf, (size_t)buffer.len, copies, &error);
    PyBuffer_Release(&buffer);
    return raise_load(result, &error);
}
