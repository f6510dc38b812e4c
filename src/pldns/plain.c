/* Which messages are plain, and their records where they are.
 *
 * Whether a message is ok is ldns's to say, which makes objects of all of its records.  Most
 * messages are of a few types of records whose form leaves no doubt: of these the answer is found
 * here.  What is unusual in any way is not plain, and ldns is asked. */
#include "plain.h"

#include "wire.h"

#include "packet/bytes.h"

enum {
    LABEL_KIND = 0xc0, /* the upper two bits of a label's first byte: RFC 1035 section 4.1.4 */
    POINTER_MASK = 0x3fff,
    MOST_POINTERS = 8,  /* in one name */
    MOST_STRINGS = 4096 /* bytes of a message with TXT: what ldns spends on them is limited */
};

enum { QUESTION, ADDITIONAL = 3, SECTIONS };

enum {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_DNSKEY = 48,
    TYPE_SVCB = 64,
    TYPE_HTTPS = 65
};

struct reader {
    const uint8_t *wire;
    size_t size;
    size_t first_name; /* the size of the name after the header, 0 where that is not known */
};

/* The position after the name at `at`, 0 where it is not plain: cut, too long, or with pointers
 * that are many or do not point to what is before it. */
static size_t name_end(const struct reader *in, size_t at)
{
    size_t start = at; /* of the name, then of where its last pointer leads */
    size_t end = 0;    /* after the first pointer */
    size_t name_size = 0;
    size_t pointers = 0;
    while (at < in->size) {
        size_t label = in->wire[at];
        if (label == 0) {
            at++;
            return name_size + 1 > PLDNS_NAME_SIZE ? 0 : end ? end : at;
        }
        if (label < LABEL_KIND) {
            if (label & LABEL_KIND)
                return 0;
            name_size += label + 1;
            at += label + 1;
            continue;
        }
        if (in->size - at < 2 || ++pointers > MOST_POINTERS)
            return 0;
        size_t target = load_be16(in->wire + at) & POINTER_MASK;
        if (target >= start || target < PLDNS_HEADER_SIZE)
            return 0;
        end = end ? end : at + 2;
        if (target == PLDNS_HEADER_SIZE && in->first_name)
            return name_size + in->first_name > PLDNS_NAME_SIZE ? 0 : end;
        at = start = target;
    }
    return 0;
}

/* Whether a name begins at `at`, and so many bytes follow it before `end`; or at least so many. */
static bool name_then(const struct reader *in, size_t at, size_t end, size_t after)
{
    size_t name = name_end(in, at);
    return name != 0 && name <= end && end - name == after;
}

static bool name_then_more(const struct reader *in, size_t at, size_t end, size_t least)
{
    size_t name = name_end(in, at);
    return name != 0 && name <= end && end - name >= least;
}

static bool is_soa(const struct reader *in, size_t at, size_t end)
{
    size_t name = name_end(in, at);
    return name != 0 && name < end && name_then(in, name, end, 20);
}

static bool is_strings(const struct reader *in, size_t at, size_t end)
{
    if (in->size > MOST_STRINGS || at == end)
        return false;
    while (at < end)
        at += in->wire[at] + 1U;
    return at == end;
}

/* Whether the data of a record is as its type's RFC has it: what it is of, and not a byte more. */
static bool is_data(const struct reader *in, uint16_t type, size_t at, size_t end)
{
    size_t size = end - at;
    switch (type) {
    case TYPE_A:
        return size == 4;
    case TYPE_AAAA:
        return size == 16;
    case TYPE_NS:
    case TYPE_CNAME:
    case TYPE_PTR:
    case TYPE_DNAME:
        return name_then(in, at, end, 0);
    case TYPE_MX:
        return size > 2 && name_then(in, at + 2, end, 0);
    case TYPE_SRV:
        return size > 6 && name_then(in, at + 6, end, 0);
    case TYPE_SOA:
        return is_soa(in, at, end);
    case TYPE_TXT:
        return is_strings(in, at, end);
    case TYPE_DS:
    case TYPE_DNSKEY:
        return size > 4;
    case TYPE_RRSIG:
        return size > 18 && name_then_more(in, at + 18, end, 1);
    case TYPE_NSEC:
        return name_then_more(in, at, end, 1);
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return size > 2 && name_then_more(in, at + 2, end, 0);
    case TYPE_OPT:
        return true;
    default:
        return false;
    }
}

/* What follows the name that ends at `at`; false where the message ends before. */
static bool read_fixed(const uint8_t *wire, size_t size, size_t at, bool is_question,
                       struct pldns_plain_record *record)
{
    size_t fixed = is_question ? PLDNS_QUESTION_FIXED : PLDNS_RECORD_FIXED;
    if (size - at < fixed)
        return false;
    *record = (struct pldns_plain_record){.end = at + fixed,
                                          .type = load_be16(wire + at),
                                          .rr_class = load_be16(wire + at + 2),
                                          .rdata = wire + at + fixed};
    if (is_question)
        return true;
    record->ttl = load_be32(wire + at + 4);
    record->rdata_size = load_be16(wire + at + 8);
    record->end += record->rdata_size;
    return record->end <= size;
}

bool pldns_plain_read(const uint8_t *wire, size_t size, struct pldns_plain *plain)
{
    struct reader in = {.wire = wire, .size = size};
    size_t at = PLDNS_HEADER_SIZE;
    if (size < PLDNS_HEADER_SIZE)
        return false;
    plain->opt = 0;
    for (size_t section = QUESTION; section < SECTIONS; section++) {
        unsigned count = load_be16(wire + 4 + 2 * section);
        plain->at[section] = (uint32_t)at;
        plain->counts[section] = (uint16_t)count;
        for (unsigned i = 0; i < count; i++) {
            struct pldns_plain_record record;
            size_t name = name_end(&in, at);
            if (name == 0 || !read_fixed(wire, size, name, section == QUESTION, &record))
                return false;
            if (section == QUESTION && i == 0)
                in.first_name = name - at; /* nothing is before it: it has no pointer */
            else if (section != QUESTION &&
                     !is_data(&in, record.type, name + PLDNS_RECORD_FIXED, record.end))
                return false;
            if (section == ADDITIONAL && record.type == TYPE_OPT && plain->opt == 0) {
                plain->opt = (uint32_t)at;
                plain->counts[section]--;
            }
            at = record.end;
        }
    }
    return true;
}

struct pldns_plain_record pldns_plain_record(const uint8_t *wire, size_t size,
                                             const struct pldns_plain *plain, size_t at)
{
    const struct reader in = {.wire = wire, .size = size};
    struct pldns_plain_record record = {0};
    read_fixed(wire, size, name_end(&in, at), at < plain->at[QUESTION + 1], &record);
    return record;
}
