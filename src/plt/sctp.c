/* The SCTP common header and its chunks (RFC 9260 section 3). */
#include "attributes.h"
#include "errors.h"
#include "layers.h"
#include "view.h"

#define SCTP_FIELDS(X)                                                                             \
    X(src_port, "Source port.", .base = BASE_TRANSPORT, .offset = 0, .width = 2, .mask = 0xffff)   \
    X(dst_port, "Destination port.", .base = BASE_TRANSPORT, .offset = 2, .width = 2,              \
      .mask = 0xffff)                                                                              \
    X(verification_tag, "Verification tag, 32 bits.", .base = BASE_TRANSPORT, .offset = 4,         \
      .width = 4, .mask = 0xffffffff)                                                              \
    X(checksum, "Checksum, 32 bits (CRC32c).", .base = BASE_TRANSPORT, .offset = 8, .width = 4,    \
      .mask = 0xffffffff)

#define CHUNK_FIELDS(X)                                                                            \
    X(type, "Chunk type.", .base = BASE_SELF, .offset = 0, .width = 1, .mask = 0xff)               \
    X(flags, "Chunk flags, 8 bits.", .base = BASE_SELF, .offset = 1, .width = 1, .mask = 0xff)     \
    X(length, "Chunk length in bytes, its header included.", .base = BASE_SELF, .offset = 2,       \
      .width = 2, .mask = 0xffff)

SCTP_FIELDS(DEFINE_FIELD)
FIELD_TABLE(sctp_table, VIEW_SCTP, SCTP_FIELDS)
CHUNK_FIELDS(DEFINE_FIELD)
FIELD_TABLE(chunk_table, VIEW_CHUNK, CHUNK_FIELDS)

enum { HEADER = 12, CHUNK_HEADER = 4 };

/* Where a chunk ends by its length field; 0 where that is less than the chunk's own header. */
static uint32_t chunk_end(const struct frame *frame, uint32_t at)
{
    uint32_t length = load_be16(frame->data + at + 2);
    return length < CHUNK_HEADER ? 0 : at + length;
}

static PyObject *sctp_chunks_get(PyObject *self_, void *Py_UNUSED(closure))
{
    struct frame *frame = ((struct view *)self_)->frame;
    const struct plt_layers *layers = frame_layers(frame);
    PyObject *chunks = PyList_New(0);
    if (layers->transport == PLT_ABSENT) /* the packet was overwritten since */
        return chunks;
    uint32_t at = layers->transport + HEADER;
    uint32_t limit = layers->ip_end; /* padding after the IP packet is no chunk */
    while (chunks && at < limit && limit - at >= CHUNK_HEADER) {
        uint32_t end = chunk_end(frame, at);
        if (end == 0)
            break;
        PyObject *chunk = view_new(frame, VIEW_CHUNK, at, end < limit ? end : limit);
        if (!chunk || PyList_Append(chunks, chunk) < 0)
            Py_CLEAR(chunks);
        Py_XDECREF(chunk);
        at = at + ((end - at + 3) & ~3U);
    }
    return chunks;
}

static PyGetSetDef sctp_getset[] = {
    SCTP_FIELDS(FIELD_ATTRIBUTE) READONLY(
        chunks, sctp_chunks_get, "The chunks, a new list of chunk objects; the last may be cut."),
    {.name = NULL}};

static PyObject *sctp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return layer_construct(type, args, kwargs, VIEW_SCTP);
}

static PyType_Slot sctp_slots[] = {
    {Py_tp_doc,
     "sctp(x, /)\n--\n\n"
     "The SCTP header in or above a packet or layer object, or at the start of bytes.\n\n"
     "None where x has none; ValueError where x is neither."},
    {Py_tp_new, sctp_new},
    {Py_tp_getset, sctp_getset},
    {0, NULL}};

PyType_Spec sctp_spec = {
    .name = "plt.sctp", .basicsize = sizeof(struct view), .flags = VIEW_FLAGS, .slots = sctp_slots};

/* --- Chunks ---------------------------------------------------------------------------------- */

/* Each has at least its header: sctp_chunks_get() makes no other. */

static PyObject *chunk_is_ok_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    return PyBool_FromLong(chunk_end(self->frame, self->start) == self->end);
}

static PyObject *chunk_bytes_get(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    return view_bytes(self->frame, self->start + CHUNK_HEADER, self->end);
}

static PyGetSetDef chunk_getset[] = {
    CHUNK_FIELDS(FIELD_ATTRIBUTE)
        READONLY(is_ok, chunk_is_ok_get, "Whether all of the chunk was captured."),
    READONLY(bytes, chunk_bytes_get,
             "What was captured of the chunk's value, after its 4 header bytes, a new bytearray."),
    {.name = NULL}};

static PyType_Slot chunk_slots[] = {
    {Py_tp_doc, "A chunk of an SCTP packet."}, {Py_tp_getset, chunk_getset}, {0, NULL}};

PyType_Spec chunk_spec = {.name = "plt.chunk",
                          .basicsize = sizeof(struct view),
                          .flags = VIEW_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          .slots = chunk_slots};
