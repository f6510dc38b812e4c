/* Reading as plt's traces do, without the Python object that a source takes its bytes from. */
#include "reading.h"

#include "packet/decode.h"
#include "packet/meta.h"
#include "packet/property.h"

enum { MOST_RECORDS = 4096 };

/* What came of a trace: the records' number, a digest of them, and how it ended. */
struct outcome {
    uint64_t count;
    uint64_t digest;
    uint64_t drops;
    enum source_result result;
    char error[SOURCE_ERROR_SIZE];
};

/* FNV-1a. */
static uint64_t digest_of(uint64_t digest, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ ((const uint8_t *)data)[i]) * 0x100000001b3U;
    return digest;
}

static uint64_t digest_number(uint64_t digest, uint64_t number)
{
    return digest_of(digest, &number, sizeof(number));
}

static void add_record(struct outcome *outcome, const struct plt_record *record)
{
    const struct plt_meta *meta = &record->meta;
    struct plt_layers layers;
    int64_t time = 0;
    CLAIM(meta->nsec < 1000000000);
    record_layers(record, &layers);
    plt_time_ns(meta, &time);
    uint64_t digest = digest_of(outcome->digest, record->data, record->len);
    digest = digest_number(digest, (uint64_t)meta->sec);
    digest = digest_number(digest, meta->nsec);
    digest = digest_number(digest, meta->capture_len);
    digest = digest_number(digest, meta->wire_len);
    digest = digest_number(digest, meta->dlt);
    digest = digest_number(digest, plt_erf_time(meta));
    digest = digest_number(digest, (uint64_t)plt_direction(record->data, record->len, meta));
    digest = digest_number(digest, meta_length_field(meta, record->data, record->len));
    digest = digest_number(digest, layers.layer3);
    if (record->comment)
        digest = digest_of(digest, record->comment, record->comment_len);
    outcome->digest = digest;
    outcome->count++;
}

/* Let a source have bytes as input_fill() does: what it has not read moves to the front.  The
 * buffer is a new one each time, and no larger than it has to be. */
static void give(struct input *input, struct bytes *in, size_t step)
{
    size_t kept = input->end - input->at;
    size_t more = in->size < step ? in->size : step;
    uint8_t *buffer = PyMem_Malloc(kept + more + 1);
    if (!buffer)
        abort();
    if (kept)
        memcpy(buffer, input->buffer + input->at, kept);
    if (more)
        memcpy(buffer + kept, in->data, more);
    PyMem_Free(input->buffer);
    input->buffer = buffer;
    input->capacity = input->end = kept + more;
    input->at = 0;
    input->eof = in->size == 0;
    in->data += more;
    in->size -= more;
}

/* The bytes that are still to be read, and how many at a time. */
static struct {
    struct bytes *in; /* borrowed */
    size_t step;
} file;

/* The linker has these names for what other files call input_fill(), and for that itself: a fill()
 * that has more to do calls this in its place. */
int __real_input_fill(struct source *source);
int __wrap_input_fill(struct source *source);

int __wrap_input_fill(struct source *source)
{
    give(&source->input, file.in, file.step);
    return 0;
}

static void read_all(struct source *(*reader)(void), const uint8_t *data, size_t size, size_t step,
                     struct outcome *out)
{
    struct bytes in = {data, size};
    struct plt_record record = {.data = NULL};
    struct source *source = reader();
    if (!source)
        abort();
    if (source->fill == __real_input_fill)
        source->fill = __wrap_input_fill;
    *out = (struct outcome){.result = SOURCE_MORE};
    file.in = &in;
    file.step = step;
    give(&source->input, &in, step);
    for (;;) {
        record.layers = NULL;
        record.comment = NULL;
        out->result = source->next(source, &record);
        if (out->result == SOURCE_RECORD)
            add_record(out, &record);
        else if (out->result == SOURCE_MORE && source->fill(source) < 0)
            abort();
        if ((out->result != SOURCE_RECORD && out->result != SOURCE_MORE) ||
            out->count == MOST_RECORDS)
            break;
    }
    CLAIM(source->count == out->count);
    out->drops = source->drops;
    memcpy(out->error, source->error, sizeof(out->error));
    source->destroy(source);
}

void read_both_ways(struct source *(*reader)(void), const uint8_t *data, size_t size, size_t step,
                    bool same)
{
    struct outcome whole;
    struct outcome pieces;
    read_all(reader, data, size, size + 1, &whole);
    read_all(reader, data, size, step, &pieces);
    if (!same)
        return;
    CLAIM(whole.count == pieces.count);
    CLAIM(whole.digest == pieces.digest);
    CLAIM(whole.result == pieces.result);
    CLAIM(whole.drops == pieces.drops);
    CLAIM(strcmp(whole.error, pieces.error) == 0);
}
