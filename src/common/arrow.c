/* Columns as Arrow's C data interface and C stream interface have them
 * (https://arrow.apache.org/docs/format/CDataInterface.html), in capsules of its PyCapsule
 * protocol. The structs are declared as that specification gives them. */
#include "arrow.h"

#include "addresstext.h"
#include "keptexception.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

enum { ARROW_FLAG_NULLABLE = 2 };

/* --- Schemas --------------------------------------------------------------------------------- */

/* Arrow's format strings in the order of enum column_kind. */
static const char *format_of(uint8_t kind)
{
    static const char *const formats[KIND_COUNT] = {"tsn:UTC", "b", "c",    "s",  "l",  "C",
                                                    "S",       "I", "L",    "g",  "i",  "tDn",
                                                    "u",       "i", "w:16", "+l", "+l", "+l"};
    return formats[kind];
}

/* Whether an array of a kind has its texts in a dictionary: all addresses but those of bytes. */
static bool has_dictionary(uint8_t kind)
{
    return kind_is_address(kind) && kind != KIND_ADDRESS_BYTES;
}

/* Whether items of lists may be missing. */
static bool has_missing_items(uint8_t kind)
{
    return kind == KIND_DURATION_LIST;
}

/* Add a pair to Arrow's metadata, of which *size bytes are there, or just count its bytes where
 * there is no memory for it yet. */
static void add_note(char *metadata, size_t *size, const char *key, const char *value)
{
    const char *const texts[] = {key, value};
    for (int i = 0; i < 2; i++) {
        int32_t len = (int32_t)strlen(texts[i]);
        if (metadata) {
            memcpy(metadata + *size, &len, sizeof(len));
            memcpy(metadata + *size + sizeof(len), texts[i], (size_t)len);
        }
        *size += sizeof(len) + (size_t)len;
    }
}

/* What a module tells of a column, as Arrow's metadata; its size. */
static size_t put_notes(const char *name, char *metadata)
{
    const struct column_notes notes = column_notes_of(name);
    const char *const pairs[][2] = {
        {"description", notes.doc}, {"unit", notes.unit}, {"source", notes.source}};
    int32_t count = 0;
    size_t size = sizeof(count);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][1]) {
            add_note(metadata, &size, pairs[i][0], pairs[i][1]);
            count++;
        }
    if (metadata)
        memcpy(metadata, &count, sizeof(count));
    return count ? size : 0;
}

/* Release what a schema owns: its children, its dictionary, and one block of memory. */
static void release_schema(struct ArrowSchema *schema)
{
    if (schema->dictionary && schema->dictionary->release)
        schema->dictionary->release(schema->dictionary);
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    free(schema->private_data);
    schema->release = NULL;
}

/* The memory of a struct schema. */
struct schema_block {
    struct ArrowSchema *pointers[MAX_COLUMNS];
    struct ArrowSchema children[MAX_COLUMNS];
};

/* The memory of a column's schema.  A column owns it, its name included: consumers may move it out
 * and release its parent. */
struct column_block {
    char name[COLUMN_NAME_SIZE];
    struct ArrowSchema dictionary;
    struct ArrowSchema items; /* of lists */
    struct ArrowSchema *children[1];
    char metadata[];
};

static void release_static(struct ArrowSchema *schema)
{
    schema->release = NULL; /* all of it is static */
}

static int make_column_schema(const struct column_info *info, struct ArrowSchema *out)
{
    size_t size = put_notes(info->name, NULL);
    struct column_block *block = calloc(1, sizeof(*block) + size);
    if (!block)
        return ENOMEM;
    memcpy(block->name, info->name, sizeof(block->name));
    if (size)
        put_notes(info->name, block->metadata);
    *out = (struct ArrowSchema){.format = format_of(info->kind),
                                .name = block->name,
                                .metadata = size ? block->metadata : NULL,
                                .flags = info->can_be_missing ? ARROW_FLAG_NULLABLE : 0,
                                .release = release_schema,
                                .private_data = block};
    if (has_dictionary(info->kind)) {
        block->dictionary =
            (struct ArrowSchema){.format = "u", .name = "", .release = release_static};
        out->dictionary = &block->dictionary;
    }
    if (kind_is_list(info->kind)) {
        block->items =
            (struct ArrowSchema){.format = format_of(kind_of_items(info->kind)),
                                 .name = "item",
                                 .flags = has_missing_items(info->kind) ? ARROW_FLAG_NULLABLE : 0,
                                 .release = release_static};
        block->children[0] = &block->items;
        out->children = block->children;
        out->n_children = 1;
    }
    return 0;
}

static int make_schema(const struct column_info *infos, size_t count, struct ArrowSchema *out)
{
    struct schema_block *block = calloc(1, sizeof(*block));
    if (!block || count > MAX_COLUMNS) {
        free(block);
        return ENOMEM;
    }
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .children = block->pointers,
                                .release = release_schema,
                                .private_data = block};
    for (size_t i = 0; i < count; i++) {
        block->pointers[i] = &block->children[i];
        if (make_column_schema(&infos[i], &block->children[i]) != 0) {
            release_schema(out);
            return ENOMEM;
        }
        out->n_children++;
    }
    return 0;
}

/* --- Arrays ---------------------------------------------------------------------------------- */

/* What the array of a column owns. */
struct array_block {
    struct column_data *data;
    uint8_t *validity; /* bits, 1 where there is a value */
    uint8_t *bits;     /* of a bool column */
    int32_t *indices;  /* of addresses that are texts */
    const void *buffers[3];
    struct ArrowArray dictionary;
    struct ArrowArray items; /* of lists */
    struct ArrowArray *children[1];
};

static void free_block(struct array_block *block)
{
    column_data_release(block->data);
    free(block->validity);
    free(block->bits);
    free(block->indices);
    free(block);
}

static void release_column(struct ArrowArray *array)
{
    if (array->dictionary && array->dictionary->release)
        array->dictionary->release(array->dictionary);
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    free_block(array->private_data);
    array->release = NULL;
}

/* What the array of a dictionary's texts owns. */
struct texts_block {
    struct address_texts texts;
    const void *buffers[3];
};

static void release_texts(struct ArrowArray *array)
{
    struct texts_block *block = array->private_data;
    address_texts_free(&block->texts);
    free(block);
    array->release = NULL;
}

/* The dictionary of a column's addresses, and the row's places in it. */
static int make_texts(const struct column_data *data, int32_t **indices, struct ArrowArray *out)
{
    struct texts_block *block = calloc(1, sizeof(*block));
    if (!block)
        return ENOMEM;
    if (!address_texts_make(data, &block->texts)) {
        free(block);
        return ENOMEM;
    }
    *indices = block->texts.indices;
    block->texts.indices = NULL;
    block->buffers[1] = block->texts.offsets;
    block->buffers[2] = block->texts.text;
    *out = (struct ArrowArray){.length = block->texts.count,
                               .n_buffers = 3,
                               .buffers = block->buffers,
                               .release = release_texts,
                               .private_data = block};
    return 0;
}

static bool is_missing_item(const struct column_data *data, size_t n)
{
    int64_t item = 0;
    memcpy(&item, data->text + n * sizeof(item), sizeof(item));
    return item == INT64_MIN;
}

/* A bit for each byte, in Arrow's order: whether the byte is `value`. */
static uint8_t *pack(const uint8_t *bytes, size_t rows, uint8_t value)
{
    uint8_t *bits = calloc(rows / 8 + 1, 1);
    for (size_t i = 0; bits && i < rows; i++)
        bits[i / 8] |= (uint8_t)((bytes[i] == value) << i % 8);
    return bits;
}

/* The array of the items of lists, which owns what it needs: a consumer may move it out. */
static int make_items(struct column_data *data, struct ArrowArray *out)
{
    struct array_block *block = calloc(1, sizeof(*block));
    size_t count = data->text_len / column_width(kind_of_items(data->kind));
    size_t missing = 0;
    if (!block)
        return ENOMEM;
    atomic_fetch_add(&data->refs, 1);
    block->data = data;
    for (size_t i = 0; has_missing_items(data->kind) && i < count; i++)
        missing += is_missing_item(data, i);
    if (missing > 0) {
        block->validity = calloc(count / 8 + 1, 1);
        if (!block->validity) {
            free_block(block);
            return ENOMEM;
        }
        for (size_t i = 0; i < count; i++)
            block->validity[i / 8] |= (uint8_t)(!is_missing_item(data, i) << i % 8);
    }
    block->buffers[0] = block->validity;
    block->buffers[1] = data->text;
    *out = (struct ArrowArray){.length = (int64_t)count,
                               .null_count = (int64_t)missing,
                               .n_buffers = 2,
                               .buffers = block->buffers,
                               .release = release_column,
                               .private_data = block};
    return 0;
}

static int make_column(struct column_data *data, uint8_t kind, struct ArrowArray *out)
{
    struct array_block *block = calloc(1, sizeof(*block));
    bool is_text = has_dictionary(kind);
    if (!block)
        return ENOMEM;
    atomic_fetch_add(&data->refs, 1);
    block->data = data;
    if (data->missing > 0)
        block->validity = pack(data->absent, data->rows, 0);
    if (kind == KIND_BOOL)
        block->bits = pack(data->values, data->rows, 1);
    if ((data->missing > 0 && !block->validity) || (kind == KIND_BOOL && !block->bits) ||
        (is_text && make_texts(data, &block->indices, &block->dictionary) != 0) ||
        (kind_is_list(kind) && make_items(data, &block->items) != 0)) {
        free_block(block);
        return ENOMEM;
    }
    block->buffers[0] = block->validity;
    block->buffers[1] = is_text             ? (void *)block->indices
                        : kind == KIND_BOOL ? (void *)block->bits
                                            : (void *)data->values;
    block->buffers[2] = data->text;
    block->children[0] = &block->items;
    *out = (struct ArrowArray){.length = (int64_t)data->rows,
                               .null_count = (int64_t)data->missing,
                               .n_buffers = kind == KIND_TEXT ? 3 : 2,
                               .buffers = block->buffers,
                               .n_children = kind_is_list(kind),
                               .children = kind_is_list(kind) ? block->children : NULL,
                               .dictionary = is_text ? &block->dictionary : NULL,
                               .release = release_column,
                               .private_data = block};
    return 0;
}

/* The memory of a struct array. */
struct batch_block {
    const void *buffers[1];
    struct ArrowArray *pointers[MAX_COLUMNS];
    struct ArrowArray children[MAX_COLUMNS];
};

static void release_batch(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    free(array->private_data);
    array->release = NULL;
}

static int make_batch(const struct batch *batch, struct ArrowArray *out)
{
    struct batch_block *block = calloc(1, sizeof(*block));
    if (!block || batch->count > MAX_COLUMNS) {
        free(block);
        return ENOMEM;
    }
    *out = (struct ArrowArray){.length = (int64_t)batch->rows,
                               .n_buffers = 1,
                               .buffers = block->buffers,
                               .children = block->pointers,
                               .release = release_batch,
                               .private_data = block};
    for (size_t i = 0; i < batch->count; i++) {
        block->pointers[i] = &block->children[i];
        if (make_column(batch->columns[i], batch->infos[i].kind, &block->children[i]) != 0) {
            release_batch(out);
            return ENOMEM;
        }
        out->n_children++;
    }
    return 0;
}

/* --- Capsules -------------------------------------------------------------------------------- */

static void free_schema_capsule(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release)
        schema->release(schema);
    free(schema);
}

static void free_array_capsule(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array->release)
        array->release(array);
    free(array);
}

static void free_stream_capsule(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream->release)
        stream->release(stream);
    free(stream);
}

PyObject *arrow_schema(const struct column_info *infos, size_t count)
{
    struct ArrowSchema *schema = calloc(1, sizeof(*schema));
    if (!schema || make_schema(infos, count, schema) != 0) {
        free(schema);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(schema, "arrow_schema", free_schema_capsule);
    if (!capsule) {
        schema->release(schema);
        free(schema);
    }
    return capsule;
}

PyObject *arrow_array(const struct batch *batch)
{
    struct ArrowArray *array = calloc(1, sizeof(*array));
    int failed = ENOMEM;
    Py_BEGIN_ALLOW_THREADS /* addresses take time to be made texts; a batch does not change */
    if (array)
        failed = make_batch(batch, array);
    Py_END_ALLOW_THREADS
    if (failed) {
        free(array);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(array, "arrow_array", free_array_capsule);
    if (!capsule) {
        array->release(array);
        free(array);
    }
    return capsule;
}

/* --- Streams --------------------------------------------------------------------------------- */

struct stream_block {
    PyObject *batches;        /* owned: an iterator */
    PyTypeObject *batch_type; /* owned: of what it gives */
    struct column_info infos[MAX_COLUMNS];
    size_t count;
    PyObject *error; /* owned: bytes, what the last get_next failed with, or NULL */
};

static int stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const struct stream_block *block = stream->private_data;
    return make_schema(block->infos, block->count, out);
}

/* Put the pending exception into words; its errno for the consumer, who knows no exceptions. */
static int stream_fail(struct stream_block *block)
{
    bool interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    bool out_of_memory = PyErr_ExceptionMatches(PyExc_MemoryError);
    PyObject *error = exception_take();
    PyObject *text = error ? PyObject_Str(error) : NULL;
    if (text && PyUnicode_GetLength(text) == 0)
        Py_XSETREF(text, PyObject_Repr(error));
    if (error && !text) { /* it can't be put into words */
        PyErr_Clear();
        text = PyUnicode_FromString(Py_TYPE(error)->tp_name);
    }
    /* a file name may have what UTF-8 has not */
    Py_XSETREF(block->error,
               text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL);
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(error);
    if (interrupted)
        PyErr_SetInterrupt(); /* again, for Python: the consumer's own error is another one */
    return interrupted ? EINTR : out_of_memory ? ENOMEM : EIO;
}

/* Whether a batch has the columns that the stream's schema tells of. */
static bool has_columns_of(const struct batch *batch, const struct stream_block *block)
{
    bool same = batch->count == block->count;
    for (size_t i = 0; same && i < block->count; i++)
        same = batch->infos[i].kind == block->infos[i].kind &&
               batch->infos[i].can_be_missing == block->infos[i].can_be_missing &&
               strcmp(batch->infos[i].name, block->infos[i].name) == 0;
    return same;
}

/* Consumers call this with or without the GIL, from any thread. */
static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct stream_block *block = stream->private_data;
    PyGILState_STATE gil = PyGILState_Ensure();
    int result = 0;
    Py_CLEAR(block->error);
    *out = (struct ArrowArray){.release = NULL}; /* the end */
    PyObject *batch = PyIter_Next(block->batches);
    if (batch && Py_TYPE(batch) != block->batch_type)
        PyErr_SetString(PyExc_TypeError, "a stream of columns that is none of batches");
    else if (batch && !has_columns_of((struct batch *)batch, block))
        PyErr_SetString(PyExc_ValueError, "a stream of batches whose columns are not the same");
    if (PyErr_Occurred())
        result = stream_fail(block);
    else if (batch) {
        Py_BEGIN_ALLOW_THREADS
        result = make_batch((struct batch *)batch, out);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(batch);
    PyGILState_Release(gil);
    return result;
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    const struct stream_block *block = stream->private_data;
    return block->error ? PyBytes_AS_STRING(block->error) : "out of memory";
}

static void stream_release(struct ArrowArrayStream *stream)
{
    struct stream_block *block = stream->private_data;
    stream->release = NULL;
    if (Py_IsInitialized()) { /* a consumer may let go of it as late as in exit() */
        PyGILState_STATE gil = PyGILState_Ensure();
        Py_DECREF(block->batches);
        Py_DECREF((PyObject *)block->batch_type);
        Py_XDECREF(block->error);
        PyGILState_Release(gil);
    }
    free(block);
}

PyObject *arrow_stream(PyObject *batches, PyTypeObject *batch_type, const struct column_info *infos,
                       size_t count)
{
    PyObject *iterator = PyObject_GetIter(batches);
    if (!iterator)
        return NULL;
    struct ArrowArrayStream *stream = calloc(1, sizeof(*stream));
    struct stream_block *block = calloc(1, sizeof(*block));
    if (!stream || !block || count > MAX_COLUMNS) {
        free(stream);
        free(block);
        Py_DECREF(iterator);
        return PyErr_NoMemory();
    }
    Py_INCREF((PyObject *)batch_type);
    block->batches = iterator;
    block->batch_type = batch_type;
    memcpy(block->infos, infos, count * sizeof(*infos));
    block->count = count;
    *stream = (struct ArrowArrayStream){.get_schema = stream_get_schema,
                                        .get_next = stream_get_next,
                                        .get_last_error = stream_get_last_error,
                                        .release = stream_release,
                                        .private_data = block};
    PyObject *capsule = PyCapsule_New(stream, "arrow_array_stream", free_stream_capsule);
    if (!capsule) {
        stream->release(stream);
        free(stream);
    }
    return capsule;
}
