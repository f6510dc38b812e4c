/* Packets made from bytes: as if they had come from a trace, with the bytes copied. */
#include "frombytes.h"

#include "packet/linktypes.h"
#include "packet/meta.h"

#include "attributes.h"
#include "state.h"
#include "view.h"

#include <string.h>

enum { MOST_BYTES = 128 << 20, SECOND = 1000000000 };

/* The row of a link type of libtrace's, which is that of files where several have it and one has
 * libpcap's own number; NULL where it has none. */
static const struct link_row *row_of_type(long type)
{
    size_t count = 0;
    const struct link_row *rows = link_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (type != LIBTRACE_TYPE_UNKNOWN && rows[i].libtrace == type &&
            strncmp(rows[i].name, "DLT_", 4) != 0)
            return &rows[i];
    return NULL;
}

/* Set a time of so many nanoseconds, which is rounded down to whole seconds; 0, or -1. */
static int set_time(struct plt_meta *meta, PyObject *time_ns)
{
    long long time = 0;
    int overflow = attribute_long(time_ns, "time_ns", &time);
    if (overflow < 0)
        return -1;
    if (overflow) {
        PyErr_Format(PyExc_ValueError, "time_ns must be nanoseconds of 64 bits: %.100R", time_ns);
        return -1;
    }
    long long nsec = time % SECOND;
    meta->sec = time / SECOND - (nsec < 0);
    meta->nsec = (uint32_t)(nsec < 0 ? nsec + SECOND : nsec);
    return 0;
}

/* Set the wire length, None for that of the data; 0, or -1 with an exception. */
static int set_wire_len(struct plt_record *record, PyObject *wire_len)
{
    meta_set_wire_len(&record->meta, record->data, record->len, record->len);
    if (wire_len == Py_None)
        return 0;
    int64_t value = attribute_int(wire_len, "wire_len", 0, UINT32_MAX);
    if (value < 0)
        return -1;
    record->meta.wire_len = (uint64_t)value;
    return 0;
}

static PyObject *make(PyTypeObject *cls, struct plt_state *state, const struct plt_record *record)
{
    struct frame *frame = frame_of_record(state, record, NULL);
    if (!frame)
        return NULL;
    frame->kind = FRAME_STRING;
    PyObject *packet = view_new_as(cls, frame, VIEW_PACKET, 0, frame->len);
    frame_release(frame);
    return packet;
}

const char packet_from_bytes_doc[] =
    "from_bytes($type, /, data, linktype=2, time_ns=0, wire_len=None)\n--\n\n"
    "A packet of some bytes, which are copied, as if it had come from a trace.\n\n"
    "linktype is one of TRACE_TYPE_*, TRACE_TYPE_ETH by default; TRACE_TYPE_NONE is for bytes that "
    "begin with an IP header. time_ns is nanoseconds since the epoch. wire_len is what the "
    "attribute of that name has; without it, it is that of a packet of which a pcap file holds all "
    "bytes: for Ethernet 4 more than there are. ValueError for another link type and for numbers "
    "out of range.";

PyObject *packet_from_bytes(PyObject *cls_, PyObject *args, PyObject *kwargs)
{
    static char data_word[] = "data", linktype_word[] = "linktype", time_word[] = "time_ns",
                wire_word[] = "wire_len";
    static char *names[] = {data_word, linktype_word, time_word, wire_word, NULL};
    PyTypeObject *cls = (PyTypeObject *)cls_;
    struct plt_state *state = plt_state_of(cls);
    PyObject *time_ns = NULL, *wire_len = Py_None; /* borrowed from args */
    PyObject *packet = NULL;
    Py_buffer data = {.buf = NULL};
    long linktype = LIBTRACE_TYPE_ETH;
    if (!state)
        return NULL;
    if (PyType_IsSubtype(cls, state->views[VIEW_DATA])) {
        PyErr_SetString(PyExc_TypeError, "from_bytes() is of plt.packet, not of its layers");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|lOO:from_bytes", names, &data, &linktype,
                                     &time_ns, &wire_len))
        return NULL;
    const struct link_row *row = row_of_type(linktype);
    struct plt_record record = {.data = data.buf,
                                .len = (uint32_t)data.len,
                                .meta = {.capture_len = (uint32_t)data.len,
                                         .dlt = row ? row->number : 0,
                                         .linktype = PLT_LINKTYPE_OF_DLT,
                                         .direction = -1,
                                         .fine_clock = true}};
    if (!row)
        PyErr_Format(PyExc_ValueError,
                     "linktype must be a TRACE_TYPE_* of packets, such as TRACE_TYPE_ETH, not %ld",
                     linktype);
    else if (data.len > MOST_BYTES)
        PyErr_Format(PyExc_ValueError, "%zd bytes are more than a packet can have", data.len);
    else if ((!time_ns || set_time(&record.meta, time_ns) == 0) &&
             set_wire_len(&record, wire_len) == 0)
        packet = make(cls, state, &record);
    PyBuffer_Release(&data);
    return packet;
}
