/* A file that is read before those that come before it: what it takes for granted of their TCP
 * streams, and the matching of its responses once their queries are known. */
#include "ahead.h"

#include "state.h"

#include "common/batch.h"

#include "packet/bytes.h"

#include <stdlib.h>
#include <string.h>

/* A stream in bytes: its ends, and where it stands; in network order, also for other machines. */
enum { STREAM_SIZE = 48 };

static void put_be16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void stream_put(uint8_t out[STREAM_SIZE], const struct pldns_ends *ends,
                       const struct pldns_stream *stream)
{
    out[0] = ends->version;
    out[1] = ends->proto;
    put_be16(out + 2, ends->src_port);
    put_be16(out + 4, ends->dst_port);
    memcpy(out + 6, ends->src, 16);
    memcpy(out + 22, ends->dst, 16);
    put_be16(out + 38, (uint16_t)(stream->next >> 16));
    put_be16(out + 40, (uint16_t)stream->next);
    put_be16(out + 42, stream->skip);
    put_be16(out + 44, stream->length);
    out[46] = stream->held;
    out[47] = stream->synchronous;
}

static void stream_get(const uint8_t in[STREAM_SIZE], struct pldns_ends *ends,
                       struct pldns_stream *stream)
{
    *ends = (struct pldns_ends){.version = in[0],
                                .proto = in[1],
                                .src_port = load_be16(in + 2),
                                .dst_port = load_be16(in + 4)};
    memcpy(ends->src, in + 6, 16);
    memcpy(ends->dst, in + 22, 16);
    *stream = (struct pldns_stream){.next = load_be32(in + 38),
                                    .skip = load_be16(in + 42),
                                    .length = load_be16(in + 44),
                                    .held = in[46],
                                    .synchronous = in[47] != 0};
}

/* --- What was taken for granted -------------------------------------------------------------- */

bool pldns_assume(struct pldns_matcher *matcher, const struct pldns_ends *ends, uint32_t sequence,
                  bool begins_message)
{
    if (matcher->assumed_size == matcher->assumed_room) {
        size_t room = matcher->assumed_room ? matcher->assumed_room * 2 : (size_t)64 * STREAM_SIZE;
        uint8_t *more = realloc(matcher->assumed, room);
        if (!more)
            return false;
        matcher->assumed = more;
        matcher->assumed_room = room;
    }
    struct pldns_stream stream = {.next = sequence, .synchronous = begins_message};
    stream_put(matcher->assumed + matcher->assumed_size, ends, &stream);
    matcher->assumed_size += STREAM_SIZE;
    return true;
}

/* Whether a segment is read the same way with what is known of its stream as without. */
static bool reads_the_same(const struct pldns_stream *known, const struct pldns_stream *assumed)
{
    if (known->next != assumed->next)
        return false;
    return !known->synchronous || (assumed->synchronous && known->skip == 0 && known->held == 0);
}

/* --- Methods --------------------------------------------------------------------------------- */

static bool is_busy(const struct pldns_matcher *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "this is in use by another thread");
    return self->busy;
}

PyObject *pldns_matcher_assumed(PyObject *self_, PyObject *Py_UNUSED(args))
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    if (is_busy(self))
        return NULL;
    PyObject *bytes =
        PyBytes_FromStringAndSize((char *)self->assumed, (Py_ssize_t)self->assumed_size);
    if (bytes)
        self->assumed_size = 0;
    return bytes;
}

/* The bytes of streams that another matcher gave: how many, or -1 with an exception. */
static Py_ssize_t count_streams(const struct pldns_matcher *self, PyObject *bytes,
                                const uint8_t **streams)
{
    if (is_busy(self))
        return -1;
    if (!PyBytes_Check(bytes) || PyBytes_GET_SIZE(bytes) % STREAM_SIZE != 0) {
        PyErr_SetString(PyExc_ValueError, "these are no streams of a matcher");
        return -1;
    }
    *streams = (const uint8_t *)PyBytes_AS_STRING(bytes);
    return PyBytes_GET_SIZE(bytes) / STREAM_SIZE;
}

PyObject *pldns_matcher_agrees(PyObject *self_, PyObject *bytes)
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    const uint8_t *streams = NULL;
    Py_ssize_t count = count_streams(self, bytes, &streams);
    bool agrees = true;
    if (count < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < count && agrees; i++) {
        struct pldns_ends ends;
        struct pldns_stream assumed;
        stream_get(streams + i * STREAM_SIZE, &ends, &assumed);
        uint64_t hash = pldns_memory_hash(&self->streams, &ends);
        const struct pldns_entry *known = pldns_memory_find(&self->streams, &ends, hash);
        agrees = !known || reads_the_same(&known->stream, &assumed);
    }
    return PyBool_FromLong(agrees);
}

PyObject *pldns_matcher_streams(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct pldns_matcher *self = (struct pldns_matcher *)self_;
    const struct pldns_memory *memory = &self->streams;
    if (is_busy(self))
        return NULL;
    uint32_t oldest = memory->room ? memory->oldest : PLDNS_NONE;
    Py_ssize_t count = 0;
    for (uint32_t n = oldest; n != PLDNS_NONE; n = memory->entries[n].newer)
        count++;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, count * STREAM_SIZE);
    uint8_t *out = bytes ? (uint8_t *)PyBytes_AS_STRING(bytes) : NULL;
    for (uint32_t n = oldest; out && n != PLDNS_NONE; n = memory->entries[n].newer) {
        stream_put(out, &memory->entries[n].ends, &memory->entries[n].stream);
        out += STREAM_SIZE;
    }
    return bytes;
}

PyObject *pldns_matcher_add_streams(PyObject *self_, PyObject *bytes)
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    struct pldns_memory *memory = &self->streams;
    const uint8_t *streams = NULL;
    Py_ssize_t count = count_streams(self, bytes, &streams);
    if (count < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        struct pldns_ends ends;
        struct pldns_stream stream;
        stream_get(streams + i * STREAM_SIZE, &ends, &stream);
        uint64_t hash = pldns_memory_hash(memory, &ends);
        struct pldns_entry *entry = pldns_memory_find(memory, &ends, hash);
        if (!entry)
            entry = pldns_memory_add(memory, &ends, hash, 0);
        if (!entry)
            return PyErr_NoMemory();
        entry->stream = stream;
        pldns_memory_touch(memory, entry);
    }
    Py_RETURN_NONE;
}

/* --- Responses and their queries ------------------------------------------------------------- */

/* The columns that matching reads: MATCHING of pldns/_columns.py has their names. */
static const struct {
    const char *name;
    uint8_t kind;
} needs[] = {
    {"time", KIND_TIME},          {"version", KIND_UINT8},      {"proto", KIND_UINT8},
    {"src_prefix", KIND_ADDRESS}, {"dst_prefix", KIND_ADDRESS}, {"src_port", KIND_UINT16},
    {"dst_port", KIND_UINT16},    {"id", KIND_UINT16},          {"qr", KIND_BOOL},
    {"_question", KIND_UINT64},
};

enum { TIME, VERSION, PROTO, SRC, DST, SRC_PORT, DST_PORT, ID, QR, QUESTION, NEEDS };

_Static_assert(sizeof(needs) / sizeof(needs[0]) == NEEDS, "a row for each");

static struct column_data *column_of(const struct batch *batch, const char *name, uint8_t kind)
{
    for (size_t i = 0; i < batch->count; i++)
        if (strcmp(batch->infos[i].name, name) == 0 &&
            (batch->infos[i].kind == kind ||
             (kind_is_address(kind) && kind_is_address(batch->infos[i].kind))))
            return batch->columns[i];
    return NULL;
}

static bool is_there(const struct column_data *data, size_t row)
{
    return !data->absent || !data->absent[row];
}

static uint16_t number_at(const struct column_data *data, size_t row)
{
    uint16_t number = 0;
    memcpy(&number, data->values + row * 2, 2);
    return number;
}

/* Match the message of a row; false when out of memory. */
static bool match_row(struct pldns_matcher *matcher, struct column_data *const columns[NEEDS],
                      size_t row, bool *has_query, int64_t *time, int64_t *query_time)
{
    *has_query = false;
    if (!is_there(columns[TIME], row) || !is_there(columns[QR], row))
        return true;
    bool is_response = columns[QR]->values[row];
    uint64_t question = 0;
    memcpy(&question, columns[QUESTION]->values + row * 8, 8);
    memcpy(time, columns[TIME]->values + row * 8, 8);
    struct pldns_ends ends = {.version = columns[VERSION]->values[row],
                              .proto = columns[PROTO]->values[row],
                              .id = number_at(columns[ID], row),
                              .src_port = number_at(columns[SRC_PORT], row),
                              .dst_port = number_at(columns[DST_PORT], row)};
    memcpy(ends.src, columns[SRC]->values + row * 16, 16);
    memcpy(ends.dst, columns[DST]->values + row * 16, 16);
    return pldns_match(matcher, &ends, is_response, *time, question, has_query, query_time);
}

/* The times of all rows; false when out of memory.  Without the GIL. */
static bool match_rows(struct pldns_matcher *matcher, struct column_data *const columns[NEEDS],
                       size_t rows, struct column_data *response_time,
                       struct column_data *query_time)
{
    for (size_t row = 0; row < rows; row++) {
        bool has_query = false;
        int64_t time = 0;
        int64_t asked = 0;
        if (!match_row(matcher, columns, row, &has_query, &time, &asked))
            return false;
        column_append(response_time, has_query, (uint64_t)time - (uint64_t)asked);
        column_append(query_time, has_query, (uint64_t)asked);
    }
    return true;
}

static bool is_column(const struct column_info *info, const char *name, enum column_kind kind)
{
    return info->kind == kind && strcmp(info->name, name) == 0;
}

/* The first columns of a batch, with these in place of those of their kinds that can't be known
 * before; NULL with an exception. */
static PyObject *with_times(const struct batch *batch, const struct batch_types *types,
                            size_t count, struct column_data *response_time,
                            struct column_data *query_time)
{
    struct batch *result =
        batch_new_bare(types, batch->infos, count, batch->rows ? batch->rows : 1);
    if (!result)
        return NULL;
    result->rows = batch->rows;
    for (size_t i = 0; i < count; i++) {
        struct column_data *data = batch->columns[i];
        if (is_column(&batch->infos[i], "response_time", KIND_DURATION))
            data = response_time;
        else if (is_column(&batch->infos[i], "query_time", KIND_TIME))
            data = query_time;
        atomic_fetch_add(&data->refs, 1);
        result->columns[i] = data;
    }
    return (PyObject *)result;
}

PyObject *pldns_matcher_match(PyObject *self_, PyObject *args)
{
    struct pldns_matcher *self = (struct pldns_matcher *)self_;
    const struct pldns_state *state = PyType_GetModuleState(Py_TYPE(self_));
    PyObject *batch_ = NULL;
    Py_ssize_t count = 0;
    struct column_data *columns[NEEDS] = {NULL};
    if (!state || !PyArg_ParseTuple(args, "O!n", state->batch_types.batch, &batch_, &count) ||
        is_busy(self))
        return NULL;
    const struct batch *batch = (struct batch *)batch_;
    bool known = count >= 0 && (size_t)count <= batch->count;
    for (size_t i = 0; i < NEEDS && known; i++) {
        columns[i] = column_of(batch, needs[i].name, needs[i].kind);
        known = columns[i];
    }
    if (!known) {
        PyErr_SetString(PyExc_ValueError, "the batch has not the columns that matching reads");
        return NULL;
    }
    struct column_info response_info = {.kind = KIND_DURATION, .can_be_missing = true};
    struct column_info query_info = {.kind = KIND_TIME, .can_be_missing = true};
    size_t room = batch->rows ? batch->rows : 1;
    struct column_data *response_time = column_data_new(&response_info, room);
    struct column_data *query_time = column_data_new(&query_info, room);
    bool done = false;
    if (response_time && query_time) {
        self->busy = true;
        Py_BEGIN_ALLOW_THREADS
        done = match_rows(self, columns, batch->rows, response_time, query_time);
        Py_END_ALLOW_THREADS
        self->busy = false;
    }
    PyObject *result =
        done ? with_times(batch, &state->batch_types, (size_t)count, response_time, query_time)
             : PyErr_NoMemory();
    column_data_release(response_time);
    column_data_release(query_time);
    return result;
}
