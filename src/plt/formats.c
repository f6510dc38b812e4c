/* The table of formats. */
#include "formats.h"

#include "live.h"
#include "pcaplive.h"
#include "readers.h"
#include "source.h"
#include "writer.h"

#include "common/hasattribute.h"

#include <string.h>

/* A format of files that are only read, whose functions have its name. */
#define ONLY_READ(id)                                                                              \
    {                                                                                              \
        .name = #id, .read_as = {#id}, .recognise = id##_recognise, .open_file = id##_source_new   \
    }
/* What libtrace or libpcap reads. */
#define OPENED_BY(function, id)                                                                    \
    {                                                                                              \
        .name = #id, .read_as = {#id}, .open_uri = function                                        \
    }

/* Files that have a magic number come first, then those that are known by the values of several
 * records, the surest first. */
static const struct format formats[] = {
    {.name = "pcap",
     .read_as = {"pcap", "pcapfile"},
     .written_as = {"pcap", "pcapfile"},
     .recognise = pcap_recognise,
     .open_file = pcap_source_new,
     .open_writer = pcap_writer_new,
     .header = 24},
    {.name = "pcapng",
     .read_as = {"pcapng"},
     .written_as = {"pcapng"},
     .recognise = pcapng_recognise,
     .open_file = pcapng_source_new,
     .open_writer = pcapng_writer_new,
     .header = 4},
    ONLY_READ(duck),
    ONLY_READ(legacypos),
    ONLY_READ(legacyatm),
    ONLY_READ(tsh),
    {.name = "erf",
     .read_as = {"erf", "rawerf"},
     .written_as = {"erf"},
     .recognise = erf_recognise,
     .open_file = erf_source_new,
     .open_writer = erf_writer_new,
     .header = 16},
    ONLY_READ(legacyeth),
    /* interfaces, which can be written to: by a socket, not by a writer */
    {.name = "int", .read_as = {"int"}, .written_as = {"int"}, .open_uri = int_source_new},
    {.name = "ring", .read_as = {"ring"}, .written_as = {"ring"}, .open_uri = ring_source_new},
    OPENED_BY(pcapint_source_new, pcapint),
    OPENED_BY(event_source_new, bpf),
    OPENED_BY(event_source_new, dag),
    OPENED_BY(rt_source_new, rt),
    OPENED_BY(libtrace_source_new, dpdk),
    OPENED_BY(libtrace_source_new, wag),
    OPENED_BY(libtrace_source_new, wtf),
    OPENED_BY(libtrace_source_new, legacynzix),
    OPENED_BY(libtrace_source_new, atmhdr),
};

const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

const struct format *format_written_as(PyObject *name)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(formats); i++)
        for (const char *const *row = formats[i].written_as; *row; row++)
            if (PyUnicode_CompareWithASCIIString(name, *row) == 0)
                return &formats[i];
    return NULL;
}

/* The reader of a part of a file counts on from the packets before it. */
static int count_on(struct source *source, PyObject *stream)
{
    static const char name[] = "packets_before";
    int has = has_attribute(stream, name);
    if (has <= 0)
        return has;
    PyObject *before = PyObject_GetAttrString(stream, name);
    source->count = before ? PyLong_AsUnsignedLongLong(before) : 0;
    Py_XDECREF(before);
    return PyErr_Occurred() ? -1 : 0;
}

struct source *format_open_file(const struct format *format, const char *ahead, size_t ahead_len,
                                PyObject *stream, int waits_on)
{
    struct source *source = format->open_file();
    if (!source)
        return NULL;
    source->input.waits_on = waits_on;
    if (input_open(&source->input, ahead, ahead_len, stream) == 0 && count_on(source, stream) == 0)
        return source;
    source->destroy(source);
    return NULL;
}

/* --- For Python ------------------------------------------------------------------------------ */

static PyObject *tuple_of(const char *const *names)
{
    Py_ssize_t count = 0;
    while (names[count])
        count++;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (name)
            PyTuple_SET_ITEM(tuple, i, name);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

PyObject *format_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < Py_ARRAY_LENGTH(formats); i++) {
        const struct format *format = &formats[i];
        PyObject *row = Py_BuildValue(
            "{ss sN sN sO sn}", "name", format->name, "read_as", tuple_of(format->read_as),
            "written_as", tuple_of(format->written_as), "is_file",
            format->open_file ? Py_True : Py_False, "header", (Py_ssize_t)format->header);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

PyObject *format_recognise(PyObject *Py_UNUSED(module), PyObject *head)
{
    Py_buffer buffer;
    const struct format *found = NULL;
    if (PyObject_GetBuffer(head, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    for (size_t i = 0; !found && i < Py_ARRAY_LENGTH(formats); i++)
        if (formats[i].recognise && formats[i].recognise(buffer.buf, (size_t)buffer.len))
            found = &formats[i];
    PyBuffer_Release(&buffer);
    if (!found)
        Py_RETURN_NONE;
    return PyUnicode_FromString(found->name);
}
