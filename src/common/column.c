/* Columns: their memory, and how values get in. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

size_t column_width(uint8_t kind)
{
    switch ((enum column_kind)kind) {
    case KIND_BOOL:
    case KIND_INT8:
    case KIND_UINT8:
        return 1;
    case KIND_INT16:
    case KIND_UINT16:
        return 2;
    case KIND_UINT32:
    case KIND_TEXT:
    case KIND_INT8_LIST:
    case KIND_UINT32_LIST:
    case KIND_DURATION_LIST:
        return 4;
    case KIND_ADDRESS:
    case KIND_ADDRESS_TEXT:
    case KIND_ADDRESS_BYTES:
        return 16;
    default:
        return 8;
    }
}

size_t columns_rows_in_cache(const struct column_info *infos, size_t count)
{
    /* Half of the smallest common cache: the consumer has another batch in hand. */
    enum { CACHE = 1 << 19, LEAST = 1 << 10, MOST = 1 << 16 };
    size_t width = 0;
    for (size_t i = 0; i < count; i++)
        width +=
            column_width(infos[i].kind) + infos[i].can_be_missing + kind_is_address(infos[i].kind);
    size_t rows = MOST;
    while (rows > LEAST && rows * width > CACHE)
        rows /= 2;
    return rows;
}

/* --- Memory that is used again --------------------------------------------------------------- */

static void free_data(struct column_data *data)
{
    free(data->values);
    free(data->absent);
    free(data->versions);
    free(data->text);
    free(data);
}

struct column_spares {
    atomic_size_t refs;   /* those of its owners until they close it, and that of each column */
    atomic_size_t owners; /* who has not closed it */
    atomic_flag in_use;   /* never waited for: after fork() nobody may be there to clear it */
    atomic_bool closed;
    size_t room; /* of each column, in rows */
    size_t most; /* columns that list has room for */
    size_t count;
    struct column_data *list[]; /* owned; they have no references */
};

struct column_spares *column_spares_new(size_t count, size_t room)
{
    struct column_spares *self = calloc(1, sizeof(*self) + count * sizeof(struct column_data *));
    if (!self)
        return NULL;
    atomic_init(&self->refs, 1);
    atomic_init(&self->owners, 1);
    atomic_flag_clear(&self->in_use);
    atomic_init(&self->closed, false);
    self->room = room;
    self->most = count;
    return self;
}

struct column_spares *column_spares_share(struct column_spares *self)
{
    atomic_fetch_add(&self->owners, 1);
    atomic_fetch_add(&self->refs, 1);
    return self;
}

static void free_list(struct column_spares *self)
{
    while (self->count > 0)
        free_data(self->list[--self->count]);
}

static void release_spares(struct column_spares *self)
{
    if (atomic_fetch_sub(&self->refs, 1) > 1)
        return;
    free_list(self);
    free(self);
}

void column_spares_close(struct column_spares *self)
{
    if (!self)
        return;
    if (atomic_fetch_sub(&self->owners, 1) == 1) {
        atomic_store(&self->closed, true);
        if (!atomic_flag_test_and_set(&self->in_use)) {
            free_list(self);
            atomic_flag_clear(&self->in_use);
        }
    }
    release_spares(self);
}

/* Put the memory of a column that nobody holds among the spares; false where it is to be freed. */
static bool keep(struct column_spares *self, struct column_data *data)
{
    if (data->room != self->room || atomic_flag_test_and_set(&self->in_use))
        return false;
    bool kept = !atomic_load(&self->closed) && self->count < self->most;
    if (kept)
        self->list[self->count++] = data;
    atomic_flag_clear(&self->in_use);
    return kept;
}

/* A spare for what a column holds, NULL where there is none: the last that was let go of, which the
 * processor's cache may still have. */
static struct column_data *find_spare(struct column_spares *self, const struct column_info *info)
{
    struct column_data *found = NULL;
    if (atomic_flag_test_and_set(&self->in_use))
        return NULL;
    for (size_t i = self->count; !found && i > 0; i--) {
        struct column_data *data = self->list[i - 1];
        if (data->kind == info->kind && (data->absent != NULL) == info->can_be_missing) {
            found = data;
            self->list[i - 1] = self->list[--self->count];
        }
    }
    atomic_flag_clear(&self->in_use);
    return found;
}

struct column_data *column_spares_take(struct column_spares *self, const struct column_info *info,
                                       size_t room)
{
    struct column_data *data = room == self->room ? find_spare(self, info) : NULL;
    if (data) {
        atomic_store(&data->refs, 1);
        data->rows = 0;
        data->missing = 0;
        data->text_len = 0;
    } else {
        data = column_data_new(info, room);
    }
    if (data) {
        atomic_fetch_add(&self->refs, 1);
        data->spares = self;
    }
    return data;
}

/* --- Columns --------------------------------------------------------------------------------- */

struct column_data *column_data_new_bare(uint8_t kind, size_t room)
{
    struct column_data *data = calloc(1, sizeof(*data));
    if (!data)
        return NULL;
    atomic_init(&data->refs, 1);
    data->kind = kind;
    data->room = room;
    return data;
}

struct column_data *column_data_new(const struct column_info *info, size_t room)
{
    struct column_data *data = column_data_new_bare(info->kind, room);
    if (!data)
        return NULL;
    data->values = malloc((room + 1) * column_width(info->kind)); /* texts have one offset more */
    if (info->can_be_missing)
        data->absent = malloc(room);
    if (kind_is_address(info->kind))
        data->versions = malloc(room);
    if (!data->values || (info->can_be_missing && !data->absent) ||
        (kind_is_address(info->kind) && !data->versions)) {
        column_data_release(data);
        return NULL;
    }
    memset(data->values, 0, column_width(info->kind));
    return data;
}

void column_data_release(struct column_data *data)
{
    if (!data || atomic_fetch_sub(&data->refs, 1) > 1)
        return;
    struct column_spares *spares = data->spares;
    if (!spares || !keep(spares, data))
        free_data(data);
    if (spares)
        release_spares(spares);
}

bool column_data_grow(struct column_data *data)
{
    size_t room = data->room * 2;
    uint8_t *values = realloc(data->values, (room + 1) * column_width(data->kind));
    if (!values)
        return false;
    data->values = values;
    if (data->absent) {
        uint8_t *absent = realloc(data->absent, room);
        if (!absent)
            return false;
        data->absent = absent;
    }
    if (data->versions) {
        uint8_t *versions = realloc(data->versions, room);
        if (!versions)
            return false;
        data->versions = versions;
    }
    data->room = room;
    return true;
}

static void mark(struct column_data *data, bool present)
{
    if (data->absent) {
        data->absent[data->rows] = !present;
        data->missing += !present;
    }
    data->rows++;
}

void column_append(struct column_data *data, bool present, uint64_t value)
{
    size_t width = column_width(data->kind);
    uint8_t *out = data->values + data->rows * width;
    uint64_t value64 = present ? value : 0;
    uint32_t value32 = (uint32_t)value64;
    uint16_t value16 = (uint16_t)value64;
    switch (width) {
    case 1:
        *out = (uint8_t)value64;
        break;
    case 2:
        memcpy(out, &value16, 2);
        break;
    case 4:
        memcpy(out, &value32, 4);
        break;
    default:
        memcpy(out, &value64, 8);
    }
    mark(data, present);
}

/* How many of some bytes are 1, the others being 0: eight at once. */
static size_t count_ones(const uint8_t *bytes, size_t count)
{
    size_t ones = 0;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes, 8);
        ones += (size_t)((word * 0x0101010101010101U) >> 56); /* the sum of its bytes */
    }
    for (; count > 0; count--)
        ones += *bytes++;
    return ones;
}

static void mark_all(struct column_data *data, const uint8_t *absent, size_t count)
{
    if (data->absent) {
        memcpy(data->absent + data->rows, absent, count);
        data->missing += count_ones(absent, count);
    }
    data->rows += count;
}

/* The low bits of each value.  The inner loop's length is known, which lets compilers use vectors.
 */
#define STORE_LOW(type, out, values, count)                                                        \
    do {                                                                                           \
        type *low = (type *)(void *)(out);                                                         \
        size_t done = 0;                                                                           \
        for (; (count)-done >= 16; done += 16)                                                     \
            for (size_t i = 0; i < 16; i++)                                                        \
                low[done + i] = (type)(values)[done + i];                                          \
        for (; done < (count); done++)                                                             \
            low[done] = (type)(values)[done];                                                      \
    } while (0)

void column_append_values(struct column_data *data, const uint64_t *values, const uint8_t *absent,
                          size_t count)
{
    size_t width = column_width(data->kind);
    uint8_t *out = data->values + data->rows * width; /* aligned for its type: malloc()'s */
    switch (width) {
    case 1:
        STORE_LOW(uint8_t, out, values, count);
        break;
    case 2:
        STORE_LOW(uint16_t, out, values, count);
        break;
    case 4:
        STORE_LOW(uint32_t, out, values, count);
        break;
    default:
        memcpy(out, values, count * sizeof(*values));
    }
    mark_all(data, absent, count);
}

uint8_t *column_addresses(struct column_data *data)
{
    return data->values + data->rows * 16;
}

void column_append_addresses(struct column_data *data, const uint8_t *versions,
                             const uint8_t *absent, size_t count)
{
    memcpy(data->versions + data->rows, versions, count);
    mark_all(data, absent, count);
}

void column_append_address(struct column_data *data, const uint8_t *address, size_t size)
{
    uint8_t *out = data->values + data->rows * 16;
    memset(out, 0, 16);
    if (address)
        memcpy(out, address, size);
    data->versions[data->rows] = !address ? 0 : size == 4 ? 4 : 6;
    mark(data, address != NULL);
}

/* Append a row's text, or its items of some bytes each; false when out of memory. */
static bool append_bytes(struct column_data *data, const void *bytes, size_t len, size_t width)
{
    if ((data->text_len + len) / width > INT32_MAX)
        return false; /* more than Arrow's 32-bit offsets reach */
    if (data->text_len + len > data->text_room) {
        size_t room = data->text_room * 2 + len + 64;
        char *more = realloc(data->text, room);
        if (!more)
            return false;
        data->text = more;
        data->text_room = room;
    }
    if (len)
        memcpy(data->text + data->text_len, bytes, len);
    data->text_len += len;
    int32_t end = (int32_t)(data->text_len / width);
    memcpy(data->values + (data->rows + 1) * 4, &end, 4);
    mark(data, bytes != NULL);
    return true;
}

bool column_append_text(struct column_data *data, const char *text, size_t len)
{
    return append_bytes(data, text, text ? len : 0, 1);
}

bool column_append_list(struct column_data *data, const void *items, size_t count)
{
    size_t width = column_width(kind_of_items(data->kind));
    return append_bytes(data, items, items ? count * width : 0, width);
}
