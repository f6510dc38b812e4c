/* The bytes that one end of a TCP connection sent, put in order. */
#include "way.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 4096,
    LEAST_PAGE = 256,
    MOST_PIECES = 128, /* in a block */
    FEW_PIECES = 4,
    BACK = 1 << 14 /* bytes that may come before the first segment, where no SYN was seen */
};

void way_clear(struct stream_way *way)
{
    for (size_t i = 0; i < way->page_room; i++)
        free(way->pages[i]);
    for (size_t i = 0; i < way->block_count; i++)
        free(way->blocks[i]);
    free(way->pages);
    free(way->blocks);
    *way = (struct stream_way){.pages = NULL};
}

/* --- Sequence numbers ------------------------------------------------------------------------ */

static void begin(struct stream_way *way, uint32_t seq, uint64_t position)
{
    way->origin = seq - (uint32_t)position;
    way->start = way->next = way->high = way->settled = way->forgotten = position;
    way->fin = way->refused = WAY_NO_POSITION;
    way->begun = true;
}

void way_begin(struct stream_way *way, uint32_t seq)
{
    begin(way, seq, 0);
    way->syn = true;
}

/* The position of a sequence number, below 0 where it is before all positions: of those it may be,
 * 2**32 apart, the nearest to the end (RFC 9293 section 3.4). */
static int64_t position_of(const struct stream_way *way, uint32_t seq)
{
    uint32_t ahead = seq - (way->origin + (uint32_t)way->high);
    int64_t distance = ahead < 1U << 31 ? (int64_t)ahead : (int64_t)ahead - ((int64_t)1 << 32);
    return (int64_t)way->high + distance;
}

/* Begin earlier than was thought. */
static void lower_start(struct stream_way *way, uint64_t position)
{
    if (position < way->start)
        way->start = way->forgotten = way->next = way->settled = position;
}

bool way_accepts_syn(struct stream_way *way, uint32_t seq)
{
    if (!way->begun) {
        if (way->told && way->awaited - seq > BACK)
            return false;
        way_begin(way, seq);
        return true;
    }
    if (way->syn)
        return way->origin == seq;
    int64_t position = position_of(way, seq);
    if (position < 0 || (uint64_t)position > way->start || way->forgotten > way->start)
        return false;
    lower_start(way, (uint64_t)position);
    way->syn = true;
    return true;
}

bool way_is_near(const struct stream_way *way, const struct way_limits *limits, uint32_t seq)
{
    int64_t position = position_of(way, seq);
    return position >= 0 && (uint64_t)position <= way->high + limits->window &&
           (uint64_t)position + limits->window >= way->next;
}

void way_finish(struct stream_way *way, const struct way_limits *limits, uint32_t seq)
{
    if (!way->begun)
        begin(way, seq, BACK);
    int64_t position = position_of(way, seq);
    if (way->fin != WAY_NO_POSITION || position < 0 || (uint64_t)position < way->next ||
        (uint64_t)position > way->high + limits->window)
        return;
    way->fin = (uint64_t)position;
    if (way->fin > way->high)
        way->high = way->fin;
}

void way_await(struct stream_way *way, uint32_t seq)
{
    way->told = true;
    way->awaited = seq;
}

void way_acknowledge(struct stream_way *way, const struct way_limits *limits, uint32_t seq)
{
    if (!way->begun) {
        way_await(way, seq);
        return;
    }
    int64_t position = position_of(way, seq);
    /* a FIN takes a number too: RFC 9293 section 3.4 */
    if (position > (int64_t)way->settled && (uint64_t)position <= way->high + limits->window + 1)
        way->settled = (uint64_t)position;
}

bool way_is_over(const struct stream_way *way)
{
    return way->begun && way->fin != WAY_NO_POSITION && way->high == way->fin &&
           way->settled > way->fin;
}

bool way_has_lost(const struct stream_way *way)
{
    return way->settled > way->next && way->high > way->next;
}

uint64_t way_end(const struct stream_way *way, const struct way_limits *limits)
{
    uint64_t most = way->forgotten + limits->size;
    return way->high < most ? way->high : most;
}

/* --- Pieces ---------------------------------------------------------------------------------- */

static const struct way_piece *piece_at(const struct stream_way *way, const struct way_place *place)
{
    return &way->blocks[place->block]->pieces[place->piece];
}

const struct way_piece *way_find(const struct stream_way *way, uint64_t position,
                                 struct way_place *place)
{
    size_t low = 0;
    size_t high = way->block_count;
    while (low < high) { /* the first block whose last piece ends after it */
        size_t middle = low + (high - low) / 2;
        const struct way_block *block = way->blocks[middle];
        if (block->pieces[block->count - 1].end <= position)
            low = middle + 1;
        else
            high = middle;
    }
    *place = (struct way_place){.block = low};
    if (low == way->block_count)
        return NULL;
    const struct way_block *block = way->blocks[low];
    uint32_t first = 0;
    uint32_t last = block->count;
    while (first < last) {
        uint32_t middle = first + (last - first) / 2;
        if (block->pieces[middle].end <= position)
            first = middle + 1;
        else
            last = middle;
    }
    place->piece = first;
    return piece_at(way, place);
}

const struct way_piece *way_following(const struct stream_way *way, struct way_place *place)
{
    if (++place->piece == way->blocks[place->block]->count) {
        place->piece = 0;
        place->block++;
    }
    return place->block < way->block_count ? piece_at(way, place) : NULL;
}

int64_t way_last_time(const struct stream_way *way, uint64_t position, uint64_t end)
{
    int64_t last = INT64_MIN;
    struct way_place place;
    const struct way_piece *piece = way_find(way, position, &place);
    for (; piece && piece->at < end; piece = way_following(way, &place))
        last = piece->time > last ? piece->time : last;
    return last;
}

static size_t block_size(uint32_t room)
{
    return sizeof(struct way_block) + room * sizeof(struct way_piece);
}

/* Put a new block with room for some pieces in place; NULL when out of memory. */
static struct way_block *add_block(struct stream_way *way, size_t at, uint32_t room)
{
    if (way->block_count == way->block_room) {
        size_t more = way->block_room ? way->block_room * 2 : 1;
        struct way_block **blocks = realloc(way->blocks, more * sizeof(struct way_block *));
        if (!blocks)
            return NULL;
        way->memory += (more - way->block_room) * sizeof(struct way_block *);
        way->blocks = blocks;
        way->block_room = more;
    }
    struct way_block *block = malloc(block_size(room));
    if (!block)
        return NULL;
    *block = (struct way_block){.room = room};
    way->memory += block_size(room);
    memmove(&way->blocks[at + 1], &way->blocks[at],
            (way->block_count - at) * sizeof(struct way_block *));
    way->blocks[at] = block;
    way->block_count++;
    return block;
}

/* Room for one more piece in a block that has not the most; false when out of memory. */
static bool grow_block(struct stream_way *way, size_t at)
{
    struct way_block *block = way->blocks[at];
    if (block->count < block->room)
        return true;
    uint32_t room = block->room * 2;
    struct way_block *grown = realloc(block, block_size(room));
    if (!grown)
        return false;
    way->memory += block_size(room) - block_size(grown->room);
    grown->room = room;
    way->blocks[at] = grown;
    return true;
}

/* Room for a piece at a place, which may become another; false when out of memory. */
static bool make_room(struct stream_way *way, struct way_place *place)
{
    bool is_last = place->block == way->block_count;
    if (is_last && way->block_count > 0) {
        place->block--;
        place->piece = way->blocks[place->block]->count;
    }
    if (way->block_count == 0)
        return add_block(way, 0, FEW_PIECES);
    struct way_block *block = way->blocks[place->block];
    if (block->count < MOST_PIECES)
        return grow_block(way, place->block);
    if (is_last) {
        *place = (struct way_place){.block = way->block_count};
        return add_block(way, way->block_count, MOST_PIECES);
    }
    struct way_block *half = add_block(way, place->block + 1, MOST_PIECES);
    if (!half)
        return false;
    half->count = MOST_PIECES / 2;
    block->count = MOST_PIECES - half->count;
    memcpy(half->pieces, block->pieces + block->count, half->count * sizeof(struct way_piece));
    if (place->piece > block->count) {
        place->block++;
        place->piece -= block->count;
    }
    return true;
}

/* Put a piece before that of a place; false when out of memory. */
static bool add_piece(struct stream_way *way, struct way_place place, const struct way_piece *piece)
{
    if (!make_room(way, &place))
        return false;
    struct way_block *block = way->blocks[place.block];
    memmove(&block->pieces[place.piece + 1], &block->pieces[place.piece],
            (block->count - place.piece) * sizeof(*piece));
    block->pieces[place.piece] = *piece;
    block->count++;
    return true;
}

/* Make the last piece longer, where another follows on it at the same time. */
static bool extend_last(struct stream_way *way, const struct way_piece *piece)
{
    if (way->block_count == 0)
        return false;
    struct way_block *block = way->blocks[way->block_count - 1];
    struct way_piece *last = &block->pieces[block->count - 1];
    if (last->end != piece->at || last->time != piece->time)
        return false;
    last->end = piece->end;
    return true;
}

/* --- Bytes ----------------------------------------------------------------------------------- */

static bool reserve_pages(struct stream_way *way, size_t page)
{
    if (page < way->page_room)
        return true;
    size_t room = way->page_room ? way->page_room * 2 : 1;
    while (room <= page)
        room *= 2;
    uint8_t **pages = realloc(way->pages, room * sizeof(*pages));
    if (!pages)
        return false;
    for (size_t i = way->page_room; i < room; i++)
        pages[i] = NULL;
    way->memory += (room - way->page_room) * sizeof(*pages);
    way->pages = pages;
    way->page_room = room;
    return true;
}

/* A page with room for its first `need` bytes; NULL when out of memory. */
static uint8_t *page_for(struct stream_way *way, size_t page, uint32_t need)
{
    if (!reserve_pages(way, page))
        return NULL;
    bool is_first = way->short_size == 0;
    bool is_short = is_first || (page == way->short_page && way->pages[page]);
    uint32_t had = way->pages[page] ? PAGE : 0;
    if (is_short)
        had = way->short_size;
    if (had >= need)
        return way->pages[page];
    uint32_t size = is_short ? LEAST_PAGE : PAGE;
    while (size < need)
        size *= 2;
    uint8_t *bytes = realloc(way->pages[page], size);
    if (!bytes)
        return NULL;
    way->memory += size - had;
    way->pages[page] = bytes;
    if (is_short) {
        way->short_page = page;
        way->short_size = size;
    }
    return bytes;
}

static bool put_bytes(struct stream_way *way, uint64_t position, const uint8_t *data, uint64_t len)
{
    while (len > 0) {
        uint32_t in_page = (uint32_t)(position % PAGE);
        uint32_t part = len < PAGE - in_page ? (uint32_t)len : PAGE - in_page;
        uint8_t *page = page_for(way, (size_t)(position / PAGE), in_page + part);
        if (!page)
            return false;
        memcpy(page + in_page, data, part);
        position += part;
        data += part;
        len -= part;
    }
    return true;
}

static void get_bytes(const struct stream_way *way, uint64_t position, uint64_t len, uint8_t *out)
{
    while (len > 0) {
        uint32_t in_page = (uint32_t)(position % PAGE);
        uint32_t part = len < PAGE - in_page ? (uint32_t)len : PAGE - in_page;
        memcpy(out, way->pages[position / PAGE] + in_page, part);
        position += part;
        out += part;
        len -= part;
    }
}

/* Keep bytes that did not come before, in front of the piece of a place. */
static bool keep(struct stream_way *way, struct way_place place, const struct way_piece *piece,
                 const uint8_t *data)
{
    bool is_last = place.block == way->block_count;
    if (!put_bytes(way, piece->at, data, piece->end - piece->at) ||
        !((is_last && extend_last(way, piece)) || add_piece(way, place, piece)))
        return false;
    if (piece->at == way->next)
        way->next = piece->end;
    return true;
}

/* Step over pieces that came before what they follow on. */
static void advance(struct stream_way *way)
{
    struct way_place place;
    const struct way_piece *piece = way_find(way, way->next, &place);
    while (piece && piece->at <= way->next) {
        way->next = piece->end;
        piece = way_following(way, &place);
    }
}

/* Keep what did not come before of the bytes from a position on. */
static bool keep_new(struct stream_way *way, uint64_t position, uint64_t end,
                     const struct way_segment *segment)
{
    uint64_t first = position;
    if (position < way->next) /* it is not before the start */
        position = way->next;
    while (position < end) {
        struct way_place place;
        const struct way_piece *found = way_find(way, position, &place);
        if (found && found->at <= position) {
            position = found->end;
            continue;
        }
        struct way_piece piece = {.at = position,
                                  .end = found && found->at < end ? found->at : end,
                                  .time = segment->time};
        if (!keep(way, place, &piece, segment->data + (position - first)))
            return false;
        if (found)
            advance(way);
        position = piece.end;
    }
    return true;
}

/* Whether a segment is too far ahead; one that follows on one that was is not, for then the trace
 * has lost what was sent before them. */
static bool is_far(struct stream_way *way, const struct way_limits *limits, uint64_t position,
                   uint64_t end)
{
    if (position <= way->high + limits->window || position == way->refused)
        return false;
    way->refused = end;
    return true;
}

bool way_add(struct stream_way *way, const struct way_limits *limits,
             const struct way_segment *segment)
{
    struct way_segment rest = *segment;
    if (!way->begun)
        begin(way, segment->seq, BACK);
    int64_t signed_position = position_of(way, segment->seq);
    uint64_t position = (uint64_t)signed_position;
    uint64_t end = position + segment->len;
    bool may_be_first = !way->syn && way->forgotten == way->start && way->high - way->start < BACK;
    if (signed_position < 0 || (position < way->start && !may_be_first)) {
        /* what is older than the first byte is not of this stream */
        uint64_t before = way->start - position;
        if (before >= segment->len) {
            way->dropped += segment->len;
            return true;
        }
        way->dropped += before;
        position = way->start;
        rest.data += before < rest.there ? before : rest.there;
        rest.there -= before < rest.there ? (uint32_t)before : rest.there;
    }
    if (is_far(way, limits, position, end)) {
        way->dropped += end - position;
        return true;
    }
    way->refused = WAY_NO_POSITION;
    lower_start(way, position);
    if (end > way->high)
        way->high = end;
    if (position <= (way->settled > way->next ? way->settled : way->next) && end > way->settled)
        way->settled = end; /* what of it was not captured will not come again */
    uint64_t most = way->forgotten + limits->size;
    if (end > most) {
        way->dropped += position > most ? end - position : end - most;
        end = most;
    }
    if (position < way->forgotten) { /* it was there, and was read */
        uint64_t before = way->forgotten - position;
        rest.data += before < rest.there ? before : rest.there;
        rest.there -= before < rest.there ? (uint32_t)before : rest.there;
        position = way->forgotten;
    }
    if (position + rest.there < end)
        end = position + rest.there;
    return position >= end || keep_new(way, position, end, &rest);
}

void way_copy(const struct stream_way *way, uint64_t position, uint64_t size, uint8_t *out)
{
    uint64_t end = position + size;
    struct way_place place;
    const struct way_piece *piece = way_find(way, position, &place);
    while (position < end) {
        uint64_t at = piece && piece->at < end ? piece->at : end;
        if (at > position) {
            memset(out, 0, (size_t)(at - position));
            out += at - position;
            position = at;
        }
        if (!piece || position >= end)
            return;
        uint64_t part = (piece->end < end ? piece->end : end) - position;
        get_bytes(way, position, part, out);
        out += part;
        position += part;
        piece = way_following(way, &place);
    }
}

void way_forget(struct stream_way *way, uint64_t position)
{
    size_t first = (size_t)(way->forgotten / PAGE);
    size_t last = (size_t)(position / PAGE);
    size_t blocks = 0;
    if (position <= way->forgotten)
        return;
    for (size_t i = first; i < last && i < way->page_room; i++) {
        if (!way->pages[i])
            continue;
        way->memory -= i == way->short_page ? way->short_size : PAGE;
        free(way->pages[i]);
        way->pages[i] = NULL;
    }
    while (blocks < way->block_count &&
           way->blocks[blocks]->pieces[way->blocks[blocks]->count - 1].end <= position) {
        way->memory -= block_size(way->blocks[blocks]->room);
        free(way->blocks[blocks++]);
    }
    way->block_count -= blocks;
    if (way->block_count > 0)
        memmove(way->blocks, way->blocks + blocks, way->block_count * sizeof(struct way_block *));
    way->forgotten = position;
    if (way->next < position) {
        way->next = position;
        advance(way);
    }
}
