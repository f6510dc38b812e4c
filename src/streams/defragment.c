/* Fragments of IP packets put together. */
#include "defragment.h"

#include "common/siphash.h"
#include "packet/bytes.h"
#include "packet/decode.h"
#include "packet/protocols.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,
    UNIT = 8, /* bytes that offsets count in */
    MOST_LENGTH = 65535,
    MOST_LENGTH_8023 = 1500, /* more is an ethertype: IEEE 802.3 section 3.2.6 */
    UNITS = (MOST_LENGTH + UNIT) / UNIT,
    MOST_PARTS = 1365, /* of a packet: 65,515 bytes over a link of 68 (RFC 791 section 3.2) */
    FRAGMENT_HEADER = 8,
    MORE_IP4 = 0x2000,
    DONT_IP4 = 0x4000
};

#define UNKNOWN UINT32_MAX

/* A record that is a fragment. */
struct fragment_part {
    struct fragment_part *next;
    struct plt_meta meta;
    uint32_t size;
    uint32_t layer3; /* of its bytes: where the IP header is */
    uint32_t start;  /* where what it carries is */
    uint32_t header; /* where the header of IPv6 is that makes it a fragment, of IPv4 the same */
    uint32_t before; /* of IPv6: where the number of that header is */
    uint32_t at;     /* in the packet's payload */
    uint32_t len;
    uint16_t length_at; /* of its bytes: lengths before the IP header, 0 without */
    uint16_t pppoe_length_at;
    const char *comment; /* in its bytes, after the packet's, or NULL */
    uint32_t comment_len;
    uint8_t bytes[];
};

struct datagram_key {
    uint8_t version;
    uint8_t proto; /* 0 in IPv6 */
    uint16_t vlan;
    uint32_t ident;
    uint8_t addresses[32];
};

struct datagram {
    struct datagram *chained;
    struct datagram *older;
    struct datagram *newer;
    struct datagram_key key;
    uint64_t hash;
    int64_t clock;
    struct fragment_part *first; /* owned, with all after it, in the order they came */
    struct fragment_part *last;
    const struct fragment_part *head; /* borrowed: that with the beginning, NULL until it came */
    uint32_t parts;
    uint32_t total;   /* bytes of the payload, or UNKNOWN */
    uint32_t end;     /* of what came */
    uint32_t covered; /* units that came */
    size_t memory;
    bool broken; /* it can't be put together */
    uint64_t units[UNITS / 64 + 1];
};

void defragment_init(struct defragmenter *all, const uint64_t seed[2], size_t memory,
                     int64_t timeout)
{
    *all = (struct defragmenter){
        .seed = {seed[0], seed[1]}, .most_memory = memory, .timeout = timeout};
}

/* --- Packets in hand ------------------------------------------------------------------------- */

static uint64_t hash_of(const struct defragmenter *all, const struct datagram_key *key)
{
    struct siphash hash = siphash_begin(all->seed);
    for (size_t at = 0; at < sizeof(key->addresses); at += 8)
        siphash_add(&hash, load_be64(key->addresses + at));
    siphash_add(&hash, (uint64_t)key->version << 56 | (uint64_t)key->proto << 48 |
                           (uint64_t)key->vlan << 32 | key->ident);
    return siphash_end(&hash);
}

static bool is_same(const struct datagram_key *one, const struct datagram_key *other)
{
    return one->version == other->version && one->proto == other->proto &&
           one->vlan == other->vlan && one->ident == other->ident &&
           memcmp(one->addresses, other->addresses, sizeof(one->addresses)) == 0;
}

static struct datagram *find(const struct defragmenter *all, const struct datagram_key *key,
                             uint64_t hash)
{
    struct datagram *datagram = all->buckets ? all->buckets[hash % BUCKETS] : NULL;
    while (datagram && !is_same(&datagram->key, key))
        datagram = datagram->chained;
    return datagram;
}

static void count_memory(struct defragmenter *all, struct datagram *datagram, size_t size)
{
    datagram->memory += size;
    all->memory += size;
}

/* NULL when out of memory. */
static struct datagram *add_datagram(struct defragmenter *all, const struct datagram_key *key,
                                     uint64_t hash)
{
    if (!all->buckets)
        all->buckets = calloc(BUCKETS, sizeof(struct datagram *));
    struct datagram *datagram = all->buckets ? calloc(1, sizeof(*datagram)) : NULL;
    if (!datagram)
        return NULL;
    datagram->key = *key;
    datagram->hash = hash;
    datagram->clock = all->clock;
    datagram->total = UNKNOWN;
    datagram->chained = all->buckets[hash % BUCKETS];
    all->buckets[hash % BUCKETS] = datagram;
    datagram->older = all->newest;
    if (all->newest)
        all->newest->newer = datagram;
    else
        all->oldest = datagram;
    all->newest = datagram;
    count_memory(all, datagram, sizeof(*datagram));
    return datagram;
}

static void free_parts(struct fragment_part *part)
{
    while (part) {
        struct fragment_part *next = part->next;
        free(part);
        part = next;
    }
}

static void free_datagram(struct defragmenter *all, struct datagram *datagram)
{
    struct datagram **at = &all->buckets[datagram->hash % BUCKETS];
    while (*at != datagram)
        at = &(*at)->chained;
    *at = datagram->chained;
    *(datagram->older ? &datagram->older->newer : &all->oldest) = datagram->newer;
    *(datagram->newer ? &datagram->newer->older : &all->newest) = datagram->older;
    all->memory -= datagram->memory;
    free_parts(datagram->first);
    free(datagram);
}

void defragment_clear(struct defragmenter *all)
{
    while (all->oldest)
        free_datagram(all, all->oldest);
    free_parts(all->released);
    free(all->given);
    free(all->whole);
    free(all->buckets);
    *all = (struct defragmenter){.buckets = NULL};
}

/* Give the fragments of a packet back. */
static void release(struct defragmenter *all, struct datagram *datagram)
{
    if (!datagram->first)
        return;
    if (all->released)
        all->released_last->next = datagram->first;
    else
        all->released = datagram->first;
    all->released_last = datagram->last;
    datagram->first = datagram->last = NULL;
    datagram->head = NULL;
    all->memory -= datagram->memory - sizeof(*datagram);
    datagram->memory = sizeof(*datagram);
}

static void give_up(struct defragmenter *all, struct datagram *datagram)
{
    release(all, datagram);
    free_datagram(all, datagram);
}

static bool is_old(const struct defragmenter *all, const struct datagram *datagram)
{
    int64_t age = 0;
    return __builtin_sub_overflow(all->clock, datagram->clock, &age) || age > all->timeout;
}

bool defragment_next(struct defragmenter *all, bool rest, struct plt_record *out)
{
    while (all->oldest && !all->released &&
           (rest || is_old(all, all->oldest) || all->memory > all->most_memory))
        give_up(all, all->oldest);
    struct fragment_part *part = all->released;
    if (!part)
        return false;
    all->released = part->next;
    free(all->given);
    all->given = part;
    *out = (struct plt_record){.data = part->bytes,
                               .len = part->size,
                               .meta = part->meta,
                               .comment = part->comment,
                               .comment_len = part->comment_len};
    return true;
}

/* --- Fragments ------------------------------------------------------------------------------- */

/* Where the fragment header of an IPv6 packet is, and the number that says so; false without. */
static bool find_header6(const struct plt_record *record, struct fragment_part *part)
{
    const uint8_t *data = record->data;
    uint32_t before = part->layer3 + 6;
    uint32_t at = part->layer3 + IP6_HEADER;
    while (at <= record->len && record->len - at >= FRAGMENT_HEADER) {
        if (data[before] == PROTO_FRAGMENT) {
            part->header = at;
            part->before = before;
            return true;
        }
        uint32_t size =
            data[before] == PROTO_AH ? (data[at + 1] + 2U) * 4 : (data[at + 1] + 1U) * 8;
        before = at;
        at += size;
    }
    return false;
}

/* Read a fragment that was captured whole and has a right length; false for any other. */
static bool read_fragment(const struct plt_record *record, const struct plt_layers *layers,
                          struct datagram_key *key, struct fragment_part *part, bool *more)
{
    const uint8_t *header = record->data + layers->layer3;
    if (layers->payload == PLT_ABSENT || !layers->told_len ||
        layers->ip_end != layers->layer3 + layers->ip_len)
        return false;
    *part = (struct fragment_part){.size = record->len,
                                   .layer3 = layers->layer3,
                                   .length_at = layers->length_at,
                                   .pppoe_length_at = layers->pppoe_length_at};
    *key = (struct datagram_key){.version = layers->version, .vlan = layers->vlan_id};
    if (layers->version == 4) {
        uint16_t field = load_be16(header + 6);
        if (layers->payload - layers->layer3 < IP_HEADER)
            return false;
        key->proto = header[9];
        key->ident = load_be16(header + 4);
        memcpy(key->addresses, header + 12, 8);
        part->at = (field & 0x1fffU) * UNIT;
        part->header = part->start = layers->payload;
        *more = field & MORE_IP4;
    } else {
        if (!find_header6(record, part))
            return false;
        uint16_t field = load_be16(record->data + part->header + 2);
        key->ident = load_be32(record->data + part->header + 4);
        memcpy(key->addresses, header + 8, 32);
        part->at = field & 0xfff8U;
        part->start = part->header + FRAGMENT_HEADER;
        *more = field & 1;
    }
    if (part->start >= layers->ip_end)
        return false;
    part->len = layers->ip_end - part->start;
    return part->at + part->len <= MOST_LENGTH && !(*more && part->len % UNIT);
}

/* Keep a fragment with its bytes and its comment; false when out of memory. */
static bool add_part(struct defragmenter *all, struct datagram *datagram,
                     const struct plt_record *record, const struct fragment_part *read)
{
    bool has_comment = all->keeps_comments && record->comment;
    size_t comment_len = has_comment ? record->comment_len : 0;
    size_t size = sizeof(struct fragment_part) + record->len + comment_len;
    struct fragment_part *part = malloc(size);
    if (!part)
        return false;
    *part = *read;
    part->meta = record->meta;
    memcpy(part->bytes, record->data, record->len);
    if (has_comment) {
        memcpy(part->bytes + record->len, record->comment, comment_len);
        part->comment = (const char *)part->bytes + record->len;
        part->comment_len = record->comment_len;
    }
    if (datagram->last)
        datagram->last->next = part;
    else
        datagram->first = part;
    datagram->last = part;
    if (part->at == 0)
        datagram->head = part;
    datagram->parts++;
    count_memory(all, datagram, size);
    return true;
}

/* Whether what it carries came before, as it is now. */
static bool is_again(const struct datagram *datagram, const struct plt_record *record,
                     const struct fragment_part *read)
{
    const struct fragment_part *part = datagram->first;
    while (part && !(part->at == read->at && part->len == read->len))
        part = part->next;
    return part && memcmp(part->bytes + part->start, record->data + read->start, read->len) == 0;
}

/* Note which units a fragment has; false where one of them was there. */
static bool cover(struct datagram *datagram, const struct fragment_part *part)
{
    uint32_t end = (part->at + part->len + UNIT - 1) / UNIT;
    for (uint32_t unit = part->at / UNIT; unit < end; unit++)
        if (datagram->units[unit / 64] >> unit % 64 & 1)
            return false;
    for (uint32_t unit = part->at / UNIT; unit < end; unit++)
        datagram->units[unit / 64] |= (uint64_t)1 << unit % 64;
    datagram->covered += end - part->at / UNIT;
    return true;
}

/* Whether a fragment fits those that came; it counts then. */
static bool fits(struct datagram *datagram, const struct plt_record *record,
                 const struct fragment_part *part, bool more)
{
    uint32_t end = part->at + part->len;
    if (datagram->parts == MOST_PARTS)
        return false;
    if (!more && datagram->total != UNKNOWN && datagram->total != end)
        return false;
    if (!cover(datagram, part))
        return is_again(datagram, record, part) && more == (datagram->total != end);
    if (!more)
        datagram->total = end;
    if (end > datagram->end)
        datagram->end = end;
    return datagram->total == UNKNOWN || datagram->end <= datagram->total;
}

/* --- Whole packets --------------------------------------------------------------------------- */

static void set_checksum(uint8_t *header, uint32_t size)
{
    uint32_t sum = 0;
    store_be16(header + 10, 0);
    for (uint32_t at = 0; at < size; at += 2)
        sum += load_be16(header + at);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    store_be16(header + 10, (uint16_t)~sum);
}

/* Where the IP packet's header says how long it is, and that it is a fragment, say it is whole. */
static void mend_header(uint8_t *data, const struct fragment_part *first, uint32_t length)
{
    uint8_t *header = data + first->layer3;
    if ((header[0] >> 4) == 4) {
        store_be16(header + 2, (uint16_t)length);
        store_be16(header + 6, load_be16(header + 6) & (DONT_IP4 | 0x8000));
        set_checksum(header, first->header - first->layer3);
    } else {
        store_be16(header + 4, (uint16_t)(length - IP6_HEADER));
        data[first->before] = first->bytes[first->header];
    }
}

/* A length of what is around the IP packet, which ended where the first fragment did: now that is
 * where the whole packet ends.  One that was not right stays, and one that can't be so long. */
static void mend_length(uint8_t *data, uint32_t at, const struct fragment_part *first,
                        uint32_t size, uint32_t most)
{
    uint32_t from = at + 2;
    if (at == 0 || from > first->layer3)
        return;
    if (load_be16(data + at) != first->start + first->len - from)
        return;
    if (size - from <= most)
        store_be16(data + at, (uint16_t)(size - from));
}

/* Make the record that of the whole packet: its headers are those of the first fragment, its time
 * is that of the record, which came last. */
static enum defragment_result put_together(struct defragmenter *all, struct datagram *datagram,
                                           struct plt_record *record)
{
    const struct fragment_part *first = datagram->head;
    uint32_t size = first->header + datagram->total;
    uint32_t length = size - first->layer3;
    uint32_t most = datagram->key.version == 4 ? MOST_LENGTH : MOST_LENGTH + IP6_HEADER;
    if (length > most) {
        datagram->broken = true;
        release(all, datagram);
        return DEFRAGMENT_HELD;
    }
    uint8_t *whole = realloc(all->whole, size);
    if (!whole)
        return DEFRAGMENT_NO_MEMORY;
    all->whole = whole;
    memcpy(whole, first->bytes, first->header);
    for (const struct fragment_part *part = datagram->first; part; part = part->next)
        memcpy(whole + first->header + part->at, part->bytes + part->start, part->len);
    mend_header(whole, first, length);
    mend_length(whole, first->length_at, first, size, MOST_LENGTH_8023);
    mend_length(whole, first->pppoe_length_at, first, size, UINT16_MAX);
    struct plt_meta meta = first->meta;
    meta.sec = record->meta.sec;
    meta.nsec = record->meta.nsec;
    meta.erf_time = record->meta.erf_time;
    meta.capture_len = size;
    meta.wire_len = (uint64_t)size + meta.fcs;
    meta.fcs_counted = false;
    *record = (struct plt_record){.data = whole, .len = size, .meta = meta};
    free_datagram(all, datagram);
    return DEFRAGMENT_WHOLE;
}

static enum defragment_result add_fragment(struct defragmenter *all, struct plt_record *record,
                                           const struct plt_layers *layers)
{
    struct datagram_key key;
    struct fragment_part part;
    bool more = false;
    if (!read_fragment(record, layers, &key, &part, &more))
        return DEFRAGMENT_PASS;
    uint64_t hash = hash_of(all, &key);
    struct datagram *datagram = find(all, &key, hash);
    if (datagram && is_old(all, datagram)) {
        give_up(all, datagram);
        datagram = NULL;
    }
    if (datagram && datagram->broken)
        return DEFRAGMENT_PASS;
    if (!datagram)
        datagram = add_datagram(all, &key, hash);
    if (!datagram)
        return DEFRAGMENT_NO_MEMORY;
    datagram->broken = !fits(datagram, record, &part, more);
    if (!add_part(all, datagram, record, &part))
        return DEFRAGMENT_NO_MEMORY;
    if (datagram->broken)
        release(all, datagram);
    if (datagram->broken || !datagram->head || datagram->total == UNKNOWN ||
        datagram->covered < (datagram->total + UNIT - 1) / UNIT)
        return DEFRAGMENT_HELD;
    return put_together(all, datagram, record);
}

enum defragment_result defragment_add(struct defragmenter *all, struct plt_record *record,
                                      struct plt_layers *layers)
{
    int64_t time = 0;
    if (plt_time_ns(&record->meta, &time) && (!all->has_clock || time > all->clock)) {
        all->clock = time;
        all->has_clock = true;
    }
    if (!layers->fragment && !layers->more_fragments)
        return DEFRAGMENT_PASS;
    enum defragment_result result = add_fragment(all, record, layers);
    if (result == DEFRAGMENT_WHOLE)
        record_layers(record, layers);
    return result;
}
