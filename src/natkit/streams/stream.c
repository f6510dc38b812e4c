/* The types Stream and StreamWay: a connection that ended, which no longer changes. */
#include "stream.h"

#include "packet/protocols.h"

#include <string.h>

/* Bytes from which on a copy is worth letting other threads run. */
enum { MUCH = 1 << 16 };

struct stream_object {
    PyObject ob_base;
    struct connection *connection; /* owned */
    struct way_limits limits;
};

struct way_object {
    PyObject ob_base;
    PyObject *stream;             /* owned */
    const struct stream_way *way; /* borrowed from it */
    uint64_t end;
};

static const struct connection *connection_of(PyObject *self_)
{
    return ((const struct stream_object *)self_)->connection;
}

/* The end that opened the connection, 0 or 1, or the other. */
static int end_of(const struct connection *connection, bool other)
{
    return connection->from_higher != other;
}

PyObject *stream_new(struct natkit_state *state, struct connection *connection,
                     const struct way_limits *limits)
{
    struct stream_object *self = PyObject_New(struct stream_object, state->stream_type);
    if (!self) {
        connection_free(connection);
        return NULL;
    }
    self->connection = connection;
    self->limits = *limits;
    return (PyObject *)self;
}

static void stream_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    connection_free(((struct stream_object *)self_)->connection);
    PyObject_Free(self_);
    Py_DECREF(type);
}

/* --- Stream ---------------------------------------------------------------------------------- */

static PyObject *address_get(PyObject *self_, void *other)
{
    const struct connection *connection = connection_of(self_);
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    const uint8_t *address = connection->key.addresses[end_of(connection, other)];
    int version = connection->key.version;
    return state ? state->ipp_api->prefix_new(state->ipp_api, version, address, IPP_NO_LENGTH)
                 : NULL;
}

static PyObject *port_get(PyObject *self_, void *other)
{
    const struct connection *connection = connection_of(self_);
    return PyLong_FromLong(connection->key.ports[end_of(connection, other)]);
}

static PyObject *version_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(connection_of(self_)->key.version);
}

static PyObject *first_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(connection_of(self_)->first);
}

static PyObject *last_get(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(connection_of(self_)->last);
}

static PyObject *end_get(PyObject *self_, void *Py_UNUSED(closure))
{
    switch ((enum connection_end)connection_of(self_)->end) {
    case CONNECTION_CLOSED:
        return PyUnicode_FromString("closed");
    case CONNECTION_RESET:
        return PyUnicode_FromString("reset");
    case CONNECTION_REUSED:
        return PyUnicode_FromString("reused");
    case CONNECTION_TIMEOUT:
        return PyUnicode_FromString("timeout");
    case CONNECTION_MEMORY:
        return PyUnicode_FromString("memory");
    default:
        return PyUnicode_FromString("last");
    }
}

static PyObject *way_get(PyObject *self_, void *other)
{
    const struct stream_object *self = (const struct stream_object *)self_;
    const struct natkit_state *state = natkit_state_of(Py_TYPE(self_));
    struct way_object *way = state ? PyObject_New(struct way_object, state->way_type) : NULL;
    if (!way)
        return NULL;
    way->stream = Py_NewRef(self_);
    way->way = &self->connection->ways[end_of(self->connection, other)];
    way->end = way_end(way->way, &self->limits);
    return (PyObject *)way;
}

static PyObject *stream_repr(PyObject *self_)
{
    const struct connection *connection = connection_of(self_);
    PyObject *src = address_get(self_, NULL);
    PyObject *dst = src ? address_get(self_, self_) : NULL;
    PyObject *text =
        dst ? PyUnicode_FromFormat("<natkit.Stream: %S port %d to %S port %d>", src,
                                   connection->key.ports[end_of(connection, false)], dst,
                                   connection->key.ports[end_of(connection, true)])
            : NULL;
    Py_XDECREF(src);
    Py_XDECREF(dst);
    return text;
}

/* The closure of what the other end has; that of the end that opened the connection is NULL. */
static char the_other[] = "other";

static PyGetSetDef stream_getset[] = {
    {"version", version_get, NULL, "IP version: 4 or 6.", NULL},
    {"src_prefix", address_get, NULL,
     "Address of the end that opened the connection: an IPprefix.\n\n"
     "The end that sent the SYN; where that is not in the trace, the sender of the first packet.",
     NULL},
    {"dst_prefix", address_get, NULL, "Address of the other end: an IPprefix.", the_other},
    {"src_port", port_get, NULL, "Port of the end that opened the connection.", NULL},
    {"dst_port", port_get, NULL, "Port of the other end.", the_other},
    {"fwd", way_get, NULL, "What the end that opened the connection sent: a StreamWay.", NULL},
    {"rev", way_get, NULL, "What the other end sent: a StreamWay.", the_other},
    {"first_time_ns", first_get, NULL,
     "Arrival time of the first packet, in nanoseconds since the epoch.", NULL},
    {"last_time_ns", last_get, NULL,
     "Arrival time of the last packet, in nanoseconds since the epoch.", NULL},
    {"end", end_get, NULL,
     "Why the stream is over: a str.\n\n"
     "'closed' by a FIN each way, 'reset' by a RST, 'reused' by the SYN of another connection,\n"
     "'timeout' without a packet for idle_timeout, 'memory' where there was no room for all,\n"
     "'last' at the end of the trace.",
     NULL},
    {.name = NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, "The bytes of a TCP connection, put in order: what natkit.streams() gives.\n\n"
                "fwd is what the end that opened the connection sent, rev what the other did."},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_repr, stream_repr},
    {Py_tp_getset, stream_getset},
    {0, NULL}};

PyType_Spec stream_spec = {.name = "natkit.Stream",
                           .basicsize = sizeof(struct stream_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                    Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = stream_slots};

/* --- StreamWay ------------------------------------------------------------------------------- */

static const struct way_object *way_of(PyObject *self_)
{
    return (const struct way_object *)self_;
}

static void way_dealloc(PyObject *self_)
{
    PyTypeObject *type = Py_TYPE(self_);
    Py_DECREF(way_of(self_)->stream);
    PyObject_Free(self_);
    Py_DECREF(type);
}

static Py_ssize_t way_length(PyObject *self_)
{
    return (Py_ssize_t)(way_of(self_)->end - way_of(self_)->way->start);
}

/* The bytes up to a position. */
static PyObject *bytes_until(PyObject *self_, uint64_t end)
{
    const struct stream_way *way = way_of(self_)->way;
    uint64_t size = end - way->start;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!bytes)
        return NULL;
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(bytes);
    if (size < MUCH) {
        way_copy(way, way->start, size, out);
        return bytes;
    }
    Py_BEGIN_ALLOW_THREADS
    way_copy(way, way->start, size, out);
    Py_END_ALLOW_THREADS
    return bytes;
}

static PyObject *way_data(PyObject *self_, void *Py_UNUSED(closure))
{
    return bytes_until(self_, way_of(self_)->end);
}

/* Where the first gap is, or the end. */
static uint64_t first_gap(const struct way_object *self)
{
    return self->way->next < self->end ? self->way->next : self->end;
}

static int append_gap(PyObject *list, const struct stream_way *way, uint64_t from, uint64_t to)
{
    PyObject *gap = Py_BuildValue("(KK)", (unsigned long long)(from - way->start),
                                  (unsigned long long)(to - from));
    int status = gap ? PyList_Append(list, gap) : -1;
    Py_XDECREF(gap);
    return status;
}

static PyObject *way_gaps(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct stream_way *way = way_of(self_)->way;
    uint64_t end = way_of(self_)->end;
    PyObject *list = PyList_New(0);
    struct way_place place;
    uint64_t position = first_gap(way_of(self_));
    const struct way_piece *piece = position < end ? way_find(way, position, &place) : NULL;
    while (list && position < end) {
        uint64_t at = piece && piece->at < end ? piece->at : end;
        if (at > position && append_gap(list, way, position, at) < 0)
            Py_CLEAR(list);
        position = piece ? piece->end : end;
        piece = piece ? way_following(way, &place) : NULL;
    }
    return list;
}

static int append_piece(PyObject *list, const struct way_piece *piece, uint64_t start, uint64_t end)
{
    uint64_t to = piece->end < end ? piece->end : end;
    PyObject *item = Py_BuildValue("(KKL)", (unsigned long long)(piece->at - start),
                                   (unsigned long long)(to - piece->at), (long long)piece->time);
    int status = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return status;
}

static PyObject *way_pieces(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct stream_way *way = way_of(self_)->way;
    uint64_t end = way_of(self_)->end;
    PyObject *list = PyList_New(0);
    struct way_place place;
    const struct way_piece *piece =
        list && way->start < end ? way_find(way, way->start, &place) : NULL;
    while (list && piece && piece->at < end) {
        if (append_piece(list, piece, way->start, end) < 0)
            Py_CLEAR(list);
        piece = way_following(way, &place);
    }
    return list;
}

static PyObject *way_dropped(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(way_of(self_)->way->dropped);
}

static PyObject *way_has_start(PyObject *self_, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(way_of(self_)->way->syn);
}

static PyObject *way_has_end(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct stream_way *way = way_of(self_)->way;
    return PyBool_FromLong(way->begun && way->fin != WAY_NO_POSITION);
}

static PyObject *way_is_whole(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct stream_way *way = way_of(self_)->way;
    return PyBool_FromLong(way->syn && way->fin != WAY_NO_POSITION && way->next >= way->fin &&
                           way->high == way->fin);
}

static PyObject *way_time_at(PyObject *self_, PyObject *arg)
{
    const struct stream_way *way = way_of(self_)->way;
    struct way_place place;
    Py_ssize_t offset = PyNumber_AsSsize_t(arg, PyExc_IndexError);
    if (offset == -1 && PyErr_Occurred())
        return NULL;
    if (offset < 0 || offset >= way_length(self_))
        return PyErr_Format(PyExc_IndexError, "no byte %zd in a stream of %zd", offset,
                            way_length(self_));
    uint64_t position = way->start + (uint64_t)offset;
    const struct way_piece *piece = way_find(way, position, &place);
    if (!piece || piece->at > position)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(piece->time);
}

/* Of the bytes up to the first gap: after it nobody could tell what zeros are bytes that were sent.
 */
static int way_getbuffer(PyObject *self_, Py_buffer *view, int flags)
{
    PyObject *bytes = bytes_until(self_, first_gap(way_of(self_)));
    int status = bytes ? PyObject_GetBuffer(bytes, view, flags) : -1;
    Py_XDECREF(bytes);
    return status;
}

static PyObject *way_transport(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyLong_FromLong(PROTO_TCP);
}

static PyObject *way_repr(PyObject *self_)
{
    PyObject *gaps = way_gaps(self_, NULL);
    PyObject *text = gaps ? PyUnicode_FromFormat("<natkit.StreamWay: %zd bytes, %zd gaps>",
                                                 way_length(self_), PyList_GET_SIZE(gaps))
                          : NULL;
    Py_XDECREF(gaps);
    return text;
}

static PyGetSetDef way_getset[] = {
    {"data", way_data, NULL,
     "The bytes that were sent, in order: a new bytes.\n\n"
     "Where some are missing there are zeros: see gaps. Of bytes that came twice the first are\n"
     "kept.",
     NULL},
    {"gaps", way_gaps, NULL,
     "Where bytes are missing: a new list of (offset, length).\n\n"
     "They were lost, not captured, or belong to what was dropped.",
     NULL},
    {"pieces", way_pieces, NULL,
     "The bytes as they came: a new list of (offset, length, time_ns), in order.\n\n"
     "A piece is what a segment brought that was not there before, or several in a row of one\n"
     "time. Gaps are between pieces.",
     NULL},
    {"dropped", way_dropped, NULL,
     "Bytes of segments that were not kept.\n\n"
     "Those after way_limit, too far ahead (window), or from before the stream.",
     NULL},
    {"has_start", way_has_start, NULL,
     "Whether the SYN was captured, so that the first byte is the first that was sent.", NULL},
    {"has_end", way_has_end, NULL, "Whether a FIN was captured.", NULL},
    {"is_whole", way_is_whole, NULL,
     "Whether all that was sent is there: SYN, FIN and every byte between.", NULL},
    {"_pldns_transport", way_transport, NULL, NULL, NULL},
    {.name = NULL},
};

static PyMethodDef way_methods[] = {
    {"time_at", way_time_at, METH_O,
     "time_at($self, offset, /)\n--\n\n"
     "Arrival time of the segment that brought a byte, in nanoseconds since the epoch.\n\n"
     "None in a gap; IndexError for an offset that is not in the stream."},
    {.ml_name = NULL},
};

static PyType_Slot way_slots[] = {
    {Py_tp_doc,
     "What one end of a TCP connection sent: Stream.fwd and Stream.rev.\n\n"
     "len() is the number of bytes, gaps included. As a bytes-like object it has those up to\n"
     "the first gap."},
    {Py_tp_dealloc, way_dealloc},
    {Py_tp_repr, way_repr},
    {Py_tp_getset, way_getset},
    {Py_tp_methods, way_methods},
    {Py_sq_length, way_length},
    {Py_bf_getbuffer, way_getbuffer},
    {0, NULL}};

PyType_Spec stream_way_spec = {.name = "natkit.StreamWay",
                               .basicsize = sizeof(struct way_object),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                        Py_TPFLAGS_IMMUTABLETYPE,
                               .slots = way_slots};
